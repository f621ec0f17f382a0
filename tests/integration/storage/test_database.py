"""A test's database is real, migrated and its own; a unit of work is whole or nothing."""

import pytest
from sqlmodel import func, select

from llmlab_app.domain.errors import Unavailable
from llmlab_app.storage.database import close_database, open_database, transaction
from llmlab_app.storage.tables import WorkspaceRow

pytestmark = pytest.mark.usefixtures("database")


async def _workspaces() -> int:
    async with transaction() as session:
        return (await session.exec(select(func.count()).select_from(WorkspaceRow))).one()


async def _create_workspace() -> None:
    async with transaction() as session:
        session.add(WorkspaceRow(name="one", timezone="UTC"))


async def _create_workspace_then_fail() -> None:
    async with transaction() as session:
        session.add(WorkspaceRow(name="one", timezone="UTC"))
        await session.flush()
        raise LookupError


async def test_a_test_starts_with_empty_tables() -> None:
    assert await _workspaces() == 0
    await _create_workspace()
    assert await _workspaces() == 1


async def test_what_another_test_stored_is_not_there() -> None:
    assert await _workspaces() == 0
    await _create_workspace()


async def test_a_transaction_that_raises_stores_nothing() -> None:
    with pytest.raises(LookupError):
        await _create_workspace_then_fail()
    assert await _workspaces() == 0


async def test_a_database_that_is_away_is_unavailable_with_a_retry_time() -> None:
    await close_database()
    open_database("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(Unavailable) as refused:
        await _workspaces()
    assert refused.value.code == "database_unavailable"
    assert refused.value.retry_after_seconds == 2
