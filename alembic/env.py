"""Alembic's environment: async engine, and a filter that keeps partitions safe."""

import asyncio
import re

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from alembic import context
from llmlab_app.settings import get_settings
from llmlab_app.storage.tables import SQLModel

# Any constant will do; two servers that start together must use the same one.
MIGRATION_LOCK = 0x11AB_0001


def is_ours(name: str | None, type_: str, parent_names: object) -> bool:
    """Partitions are made at run time; autogenerate would drop them, and the data with them."""
    return not (type_ == "table" and re.match(r"event_\d", name or ""))


def migrate(connection: Connection) -> None:
    """Run the migrations on ``connection``, one server at a time."""
    # Harmless on plain PostgreSQL; on Citus it lets DDL and DML share a transaction.
    connection.execute(text("SET citus.multi_shard_modify_mode = 'sequential'"))
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        include_name=is_ours,
        compare_server_default=False,
    )
    with context.begin_transaction():
        connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        context.run_migrations()


async def migrate_online() -> None:
    """Connect to the database of the configuration, else of ``LLMLAB_DATABASE_URL``."""
    url = context.config.get_main_option("sqlalchemy.url") or _url_of_settings()
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool
    )
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
        await connection.commit()
    await engine.dispose()


def _url_of_settings() -> str:
    secret = get_settings().database_url
    if secret is None:
        raise SystemExit("Set LLMLAB_DATABASE_URL to the database to migrate.")
    return secret.get_secret_value()


if context.is_offline_mode():
    raise SystemExit("Offline migrations aren't supported: run against a database.")
given = context.config.attributes.get("connection")
if isinstance(given, Connection):
    migrate(given)
else:
    asyncio.run(migrate_online())
