"""The connection to PostgreSQL: one engine a process, opened in the app's lifespan.

Every service runs in one ``transaction()``: commit on success, roll back on error. Nothing else
in the code base commits.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.errors import Unavailable

TRY_AGAIN = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
"""Lost against another transaction: the database is there, and a second try will do."""

_engine: AsyncEngine | None = None
_direct_url: str = ""


def open_database(url: str, *, direct_url: str | None = None) -> None:
    """Make the engine; connections are opened on first use.

    Args:
        url: ``postgresql+psycopg://…`` or ``postgresql://…``.
        direct_url: The same database past a PgBouncer, for LISTEN and advisory locks.
    """
    global _engine, _direct_url
    _direct_url = _libpq_url(direct_url or url)
    _engine = create_async_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        hide_parameters=True,  # an error must not carry what people store
        pool_size=8,
        max_overflow=8,
        pool_timeout=10,
        # PgBouncer < 1.21 in transaction mode fails on prepared statements (knowledge: citus §6).
        connect_args={"prepare_threshold": None if direct_url else 5},
    )


async def close_database() -> None:
    """Close every pooled connection."""
    global _engine
    if _engine is not None:
        await _engine.dispose()
        _engine = None


def _opened() -> AsyncEngine:
    if _engine is None:
        raise Unavailable("The database isn't open yet. Try again in a moment.")
    return _engine


@asynccontextmanager
async def transaction() -> AsyncIterator[AsyncSession]:
    """One unit of work: committed when the block ends, rolled back when it raises.

    Raises:
        Unavailable: the database can't be reached.
    """
    async with AsyncSession(_opened(), expire_on_commit=False) as session:
        try:
            yield session
            await session.commit()
        except (OperationalError, TimeoutError) as error:
            raise unavailable(error) from error


@asynccontextmanager
async def snapshot() -> AsyncIterator[AsyncSession]:
    """A read-only unit of work whose queries all see the same moment, so that their sums agree.

    Raises:
        Unavailable: the database can't be reached.
    """
    async with transaction() as session:
        await session.connection(
            execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        yield session


async def fetch(session: AsyncSession, sql: str, bindings: Mapping[str, Any]) -> Sequence[Any]:
    """Rows of a hand-written query, as mappings by column name; bindings are ``:name`` in it."""
    connection = await session.connection()
    found = await connection.execute(text(sql), bindings)
    return found.mappings().all()


@asynccontextmanager
async def copy_transaction() -> AsyncIterator[psycopg.AsyncConnection[tuple[Any, ...]]]:
    """One unit of work on the driver's own connection, for COPY.

    Raises:
        Unavailable: the database can't be reached.
    """
    try:
        async with _opened().connect() as connection:
            raw = await connection.get_raw_connection()
            driver = raw.driver_connection
            assert isinstance(driver, psycopg.AsyncConnection)  # narrows the type
            async with driver.transaction():
                yield driver
    except TRY_AGAIN:
        raise
    except (DBAPIError, psycopg.OperationalError, TimeoutError) as error:
        raise unavailable(error) from error


async def direct_connection() -> psycopg.AsyncConnection[tuple[Any, ...]]:
    """A connection of one's own in autocommit mode, past any pooler; the caller closes it."""
    return await psycopg.AsyncConnection.connect(_direct_url, autocommit=True, connect_timeout=10)


async def is_reachable() -> bool:
    """Whether a query gets an answer within two seconds."""
    try:
        async with asyncio.timeout(2):
            await _ping()
    except (Unavailable, TimeoutError):
        return False
    return True


async def _ping() -> None:
    async with copy_transaction() as connection:
        await connection.execute("SELECT 1")


def unavailable(error: BaseException) -> Unavailable:
    """What to answer when the database was lost on the way."""
    unavailable = Unavailable(
        "The database can't be reached. Nothing was stored; try again in a few seconds.",
        code="database_unavailable",
        retry_after_seconds=2,
    )
    unavailable.__cause__ = error
    return unavailable


def _libpq_url(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
