"""Single calls: the newest, the next page, one by its id."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.calendar import Period
from llmlab_app.domain.identity import uuid7_time
from llmlab_app.storage.cost_queries import PROJECT_NAME
from llmlab_app.storage.database import fetch
from llmlab_app.storage.event_rows import StoredEvent, stored_event

FILTERS: Mapping[str, str] = {
    "provider": "e.provider",
    "model": "e.model",
    "feature": "e.feature",
    "project": PROJECT_NAME,
    "user": "e.end_user",
    "status": "e.status",
    "charge": "e.charge",
    "cost_source": "e.cost_source",
}
_OF_PROJECTS = "SELECT * FROM event e WHERE e.project_id = ANY(:projects)"
_JUST_NOW = timedelta(minutes=10)


async def newest_calls(
    session: AsyncSession,
    *,
    projects: Sequence[UUID],
    limit: int,
    period: Period | None = None,
    before: UUID | None = None,
    filters: Mapping[str, str] | None = None,
) -> list[StoredEvent]:
    """Calls in the order they were started, newest first, beginning after the id ``before``.

    Ids are UUIDv7, so the primary key has this order: a page costs the same however deep it lies.
    """
    if not projects:
        return []
    conditions, bindings = _conditions(period, before, filters or {})
    # One ordered index scan a project, merged: over several projects at once the planner sorts all.
    newest_of_each = " UNION ALL ".join(
        f"(SELECT * FROM event e WHERE e.project_id = :project{number}{conditions}"
        " ORDER BY e.id DESC LIMIT :limit)"
        for number in range(len(projects))
    )
    bindings |= {f"project{number}": project for number, project in enumerate(projects)}
    newest = f"SELECT * FROM ({newest_of_each}) e ORDER BY e.id DESC LIMIT :limit"
    found = await fetch(session, newest, {"limit": limit, **bindings})
    return [stored_event(row) for row in found]


def _conditions(
    period: Period | None, before: UUID | None, filters: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    sql, bindings = "", dict[str, Any]()
    if period is not None:
        sql += " AND e.ts >= :start AND e.ts < :end"
        bindings |= {"start": period.start, "end": period.end}
    if before is not None:
        sql += " AND e.id < :before AND e.ts <= :before_time"
        bindings |= {"before": before, "before_time": uuid7_time(before)}
    for number, (name, value) in enumerate(filters.items()):
        if name.startswith("tag:"):
            sql += f" AND e.tags ->> :tag{number} = :value{number}"
            bindings[f"tag{number}"] = name.removeprefix("tag:")
        else:
            sql += f" AND {FILTERS[name]} = :value{number}"
        bindings[f"value{number}"] = value
    return sql, bindings


async def just_received(
    session: AsyncSession, *, projects: Sequence[UUID], limit: int, now: datetime
) -> list[StoredEvent]:
    """Calls that arrived in the last ten minutes, last one first, however old they are."""
    found = await fetch(
        session,
        f"{_OF_PROJECTS} AND e.received_at > :since"
        " ORDER BY e.received_at DESC, e.id DESC LIMIT :limit",
        {"projects": list(projects), "since": now - _JUST_NOW, "limit": limit},
    )
    return [stored_event(row) for row in found]


async def call_by_id(
    session: AsyncSession, *, projects: Sequence[UUID], id: UUID
) -> StoredEvent | None:
    """One call of these projects, or None."""
    found = await fetch(
        session,
        f"{_OF_PROJECTS} AND e.id = :id AND e.ts = :ts",
        {"projects": list(projects), "id": id, "ts": uuid7_time(id)},
    )
    return stored_event(found[0]) if found else None


async def calls_after(
    session: AsyncSession,
    *,
    project: UUID,
    after: UUID | None,
    limit: int,
    period: Period,
    filters: Mapping[str, str],
) -> list[StoredEvent]:
    """The next calls of one project in the order of their ids, oldest first.

    To walk through any number of calls in small steps, with nothing held open in between.
    """
    conditions, bindings = _conditions(period, None, filters)
    if after is not None:
        conditions += " AND e.id > :after AND e.ts >= :after_time"
        bindings |= {"after": after, "after_time": uuid7_time(after)}
    found = await fetch(
        session,
        f"SELECT * FROM event e WHERE e.project_id = :project_id{conditions}"
        " ORDER BY e.id LIMIT :limit",
        {"project_id": project, "limit": limit, **bindings},
    )
    return [stored_event(row) for row in found]


async def every_call(
    session: AsyncSession,
    *,
    projects: Sequence[UUID],
    period: Period,
    filters: Mapping[str, str],
) -> AsyncIterator[StoredEvent]:
    """All calls of a period, oldest first, streamed from a server-side cursor."""
    conditions, bindings = _conditions(period, None, filters)
    connection = await session.connection()
    result = await connection.stream(
        text(f"{_OF_PROJECTS}{conditions} ORDER BY e.id"),
        {"projects": list(projects), **bindings},
    )
    async for row in result.mappings():
        yield stored_event(row)
