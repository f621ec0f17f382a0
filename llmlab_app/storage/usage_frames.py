"""Calls as plain columns, for analysis: as CSV, since a million Python rows fill the memory."""

from collections.abc import Sequence
from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID

import psycopg
from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.calendar import Period
from llmlab_app.domain.events import Charge, CostSource, Status
from llmlab_app.domain.usage import USAGE_FIELDS
from llmlab_app.storage.database import fetch

_COLUMNS = f"""
    project_id, provider, model, operation, feature, service_tier,
    coalesce(region, '') AS region,
    coalesce(speed, '') AS speed,
    (extract(epoch FROM ts) * 1000)::bigint AS occurred_at,
    coalesce(cost, 0) AS cost,
    (has_usage AND cost IS NOT NULL AND cost_source = '{CostSource.COMPUTED}'
        AND units = '{{}}' AND additional_usage = '[]')::int AS is_repriceable,
    (status <> '{Status.OK}')::int AS failed,
    {", ".join(USAGE_FIELDS)}
"""
_METERED = f"""
    FROM event WHERE project_id = ANY(%(projects)s) AND charge = '{Charge.METERED}'
    AND ts >= %(start)s AND ts < %(end)s
"""


async def metered_calls(
    connection: psycopg.AsyncConnection[Any], *, projects: Sequence[UUID], period: Period
) -> BytesIO:
    """The metered calls of ``period`` as CSV with a header, in no particular order.

    Columns: names as they are stored ("" for none), ``occurred_at`` in milliseconds since 1970,
    ``cost`` in pico-dollars (0 where unknown), two flags as 0 or 1, and the counts of
    ``TokenUsage``.
    """
    csv = BytesIO()
    statement = f"COPY (SELECT {_COLUMNS} {_METERED}) TO STDOUT (FORMAT csv, HEADER)"
    bindings = {"projects": list(projects), "start": period.start, "end": period.end}
    async with connection.cursor() as cursor, cursor.copy(statement.encode(), bindings) as copy:
        async for part in copy:
            csv.write(part)
    csv.seek(0)
    return csv


async def calls_by_day(
    session: AsyncSession, *, projects: Sequence[UUID], since: date
) -> list[tuple[date, int]]:
    """Metered calls of each day from ``since`` on, in the workspace's zone, newest first."""
    found = await fetch(
        session,
        "SELECT day, sum(events)::bigint AS calls FROM rollup_day"
        " WHERE project_id = ANY(:projects) AND charge = :charge AND day >= :since"
        " GROUP BY day ORDER BY day DESC",
        {"projects": list(projects), "charge": Charge.METERED.value, "since": since},
    )
    return [(row["day"], row["calls"]) for row in found]
