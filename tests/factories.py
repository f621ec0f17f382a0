"""Valid domain objects; a test names only what it is about."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from secrets import token_bytes
from typing import Any
from uuid import UUID, uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.access import ALL_SCOPES, Principal
from llmlab_app.domain.events import CostSource, EventCost, UsageEvent
from llmlab_app.domain.identity import uuid7
from llmlab_app.domain.usage import TokenUsage
from llmlab_app.storage.event_rows import StoredEvent
from llmlab_app.storage.ingest import Committed, Writer
from llmlab_app.storage.tables import MemberRow, ProjectRow, WorkspaceRow

NOON = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)


def event(**fields: Any) -> UsageEvent:
    """A gpt-4o-mini call of 1,000 tokens in and 100 out at noon."""
    at = fields.setdefault("occurred_at", NOON)
    defaults: dict[str, Any] = {
        "project_id": uuid4(),
        "id": uuid7(at, token_bytes(10)),
        "received_at": at,
        "provider": "openai",
        "model": "gpt-4o-mini",
        "usage": TokenUsage(input_tokens=1_000, output_tokens=100),
    }
    return UsageEvent(**(defaults | fields))


def cost(amount: str | None = "0.00021") -> EventCost:
    """A computed cost, or none."""
    dollars = None if amount is None else Decimal(amount)
    return EventCost(
        list_cost=dollars,
        effective_cost=dollars,
        reported_cost=None,
        cost=dollars,
        source=CostSource.UNPRICED if dollars is None else CostSource.COMPUTED,
        unpriced_reason="unknown_model" if dollars is None else None,
    )


def stored(amount: str | None = "0.00021", **fields: Any) -> StoredEvent:
    """An event with its money."""
    return StoredEvent(event=event(**fields), cost=cost(amount))


async def tenant(session: AsyncSession, *, timezone: str = "UTC", projects: int = 1) -> Principal:
    """A workspace with an owner and projects, and a principal that may do everything in it."""
    workspace = WorkspaceRow(name="test", timezone=timezone)
    session.add(workspace)
    await session.flush()
    names = ["default", *(f"project-{n}" for n in range(1, projects))]
    rows = [ProjectRow(workspace_id=workspace.id, name=name) for name in names]
    session.add_all([*rows, MemberRow(workspace_id=workspace.id, name="owner", role="owner")])
    await session.flush()
    ids: tuple[UUID, ...] = tuple(row.id for row in rows)
    return Principal(
        workspace_id=workspace.id,
        project_id=None,
        project_ids=ids,
        booking_project_id=ids[0],
        scopes=ALL_SCOPES,
        name="test",
    )


async def store(
    events: Sequence[StoredEvent], prices: Mapping[str, object] | None = None
) -> list[Committed]:
    """Store events as a writer of their own does."""
    writer = Writer()
    try:
        return await writer.commit(events, prices or {})
    finally:
        await writer.close()
