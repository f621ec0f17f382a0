"""A real PostgreSQL for every test that asks: one cluster a session, one database a test.

The cluster is the embedded one, thrown away at the end. ``LLMLAB_TEST_DATABASE_URL`` names another
(any role there that may create databases), to test against an older or newer PostgreSQL. A test's
database is a copy of a migrated template, so it costs milliseconds and needs no cleaning up.

Async tests and fixtures need no mark: anyio's plugin runs them (``anyio_mode = "auto"``).
"""

import asyncio
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from llmlab_app.storage.database import close_database, open_database
from llmlab_app.storage.migrations import migrate


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def cluster_url() -> Iterator[str]:
    """``postgresql://…`` of a role that may create databases, in its own cluster."""
    if given := os.environ.get("LLMLAB_TEST_DATABASE_URL"):
        yield given
        return
    from llmlab_app.adapters.embedded_postgres import EmbeddedPostgres

    with tempfile.TemporaryDirectory(prefix="llmlab-test-") as home:
        Path(home).chmod(0o755)  # as root another user runs it, and must find it inside
        # A test cluster is thrown away, so it needn't survive a power cut.
        with EmbeddedPostgres(Path(home), settings={"fsync": "off"}) as url:
            yield url


@pytest.fixture
def empty_database_url(cluster_url: str) -> Iterator[str]:
    """A database without tables: for tests of the migrations."""
    with fresh_database(cluster_url) as url:
        yield url


@pytest.fixture(scope="session")
def template(cluster_url: str) -> Iterator[str]:
    """Name of a migrated database that nobody is connected to, so that it can be copied."""
    with fresh_database(cluster_url) as url:
        asyncio.run(migrate(url))
        yield make_url(url).database or ""


@pytest.fixture
def database_url(cluster_url: str, template: str) -> Iterator[str]:
    """A migrated database of this test's own, not opened: for tests that start a server."""
    with fresh_database(cluster_url, template=template) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[str]:
    """The same, opened for ``storage.database.transaction()`` in this process; gives its URL."""
    open_database(database_url)
    yield database_url
    await close_database()


@contextmanager
def fresh_database(cluster_url: str, *, template: str = "template1") -> Iterator[str]:
    """A database of its own, as a URL; dropped in the end, whoever is still connected."""
    name = f"llmlab_test_{secrets.token_hex(6)}"
    copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    _execute(cluster_url, copy.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield make_url(cluster_url).set(database=name).render_as_string(hide_password=False)
    finally:
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
        _execute(cluster_url, drop.format(sql.Identifier(name)))


def _execute(cluster_url: str, statement: sql.Composed) -> None:
    libpq_url = make_url(cluster_url).set(drivername="postgresql")
    with psycopg.connect(libpq_url.render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute(statement)
