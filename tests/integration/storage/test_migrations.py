"""The migrations make the tables that the code reads, also over a database that has events."""

import psycopg
import pytest
from alembic.config import Config
from sqlalchemy.engine import make_url

from alembic import command


@pytest.fixture
def alembic(empty_database_url: str) -> Config:
    """Alembic over an empty database."""
    config = Config("alembic.ini")
    config.set_main_option("sqlalchemy.url", empty_database_url.replace("%", "%%"))
    return config


def execute(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Run ``statements`` and give the rows of the last."""
    libpq = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(libpq, autocommit=True) as connection:
        for statement in statements[:-1]:
            connection.execute(statement.encode())
        cursor = connection.execute(statements[-1].encode())
        return cursor.fetchall() if cursor.description else []


def test_the_migrations_make_the_tables_of_the_code(alembic: Config) -> None:
    command.upgrade(alembic, "head")
    command.check(alembic)


def test_a_database_with_months_and_workspaces_is_brought_up_to_date(
    alembic: Config, empty_database_url: str
) -> None:
    command.upgrade(alembic, "0001")
    execute(
        empty_database_url,
        "CREATE TABLE event_202611 PARTITION OF event"
        " FOR VALUES FROM ('2026-11-01') TO ('2026-12-01')",
        "INSERT INTO workspace (id, name, timezone, created_at)"
        " VALUES (gen_random_uuid(), 'w', 'UTC', now())",
    )
    command.upgrade(alembic, "head")
    assert execute(empty_database_url, "SELECT price_version FROM workspace") == [(0,)]
    indexes = "SELECT indexdef FROM pg_indexes WHERE tablename = 'event_202611'"
    assert [row for row in execute(empty_database_url, indexes) if "unpriced" in str(row)]


def test_the_newest_migration_can_be_taken_back(alembic: Config) -> None:
    command.upgrade(alembic, "head")
    command.downgrade(alembic, "-1")
    command.upgrade(alembic, "head")
    command.check(alembic)
