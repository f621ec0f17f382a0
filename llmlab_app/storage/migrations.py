"""Bring the database to the newest schema. Safe to call from several servers at once."""

from pathlib import Path

from alembic.config import Config
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from alembic import command


async def migrate(url: str) -> None:
    """Upgrade the database at ``url`` under a lock, in one transaction."""
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool
    )
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade)
            await connection.commit()
    finally:
        await engine.dispose()


def _upgrade(connection: object) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def migrations_folder() -> Path:
    """``alembic/`` of the checkout, or its copy inside the installed wheel."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_site" / "alembic"
    return installed if installed.is_dir() else package.parent / "alembic"
