"""What was spent, asked of the database; each function is named after the question it answers.

Every query carries the caller's projects and a bound in time. Days and hours are those of the
workspace's zone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.calendar import Grain, Period, stretches
from llmlab_app.domain.events import Charge
from llmlab_app.domain.money import from_pico
from llmlab_app.domain.spend import MEASURES, Dimension, Spend, SpendRow
from llmlab_app.storage.database import fetch
from llmlab_app.storage.rollups import MEASURE_SQL

_SUMS = ", ".join(f"coalesce(sum(e.{name}), 0) AS {name}" for name in MEASURES)
_SUMS_OF_CALLS = ", ".join(
    f"coalesce({MEASURE_SQL[name].replace('e.sign', '1')}, 0) AS {name}" for name in MEASURES
)

PROJECT_NAME = "(SELECT p.name FROM project p WHERE p.id = e.project_id)"


@dataclass(frozen=True, slots=True)
class SpendTable:
    """A table that spend can be read from: its dimensions as SQL, its bound in time, its sums."""

    dimensions: Mapping[str, str]
    sql_from: str
    bound: str
    sums: str


DAYS = SpendTable(
    {
        Dimension.PROVIDER: "e.provider",
        Dimension.MODEL: "e.model",
        Dimension.FEATURE: "e.feature",
        Dimension.PROJECT: PROJECT_NAME,
        Dimension.DAY: "e.day::text",
    },
    "rollup_day e",
    "e.day >= (:start AT TIME ZONE CAST(:zone AS text))::date"
    " AND e.day < (:end AT TIME ZONE CAST(:zone AS text))::date",
    _SUMS,
)
HOURS = SpendTable(
    {
        Dimension.PROVIDER: "e.provider",
        Dimension.MODEL: "e.model",
        Dimension.PROJECT: PROJECT_NAME,
        Dimension.DAY: "((e.hour AT TIME ZONE CAST(:zone AS text))::date)::text",
        Dimension.HOUR: "to_char(e.hour AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
    },
    "rollup_hour e",
    "e.hour >= :start AND e.hour < :end",
    _SUMS,
)
CALLS = SpendTable(
    {
        Dimension.PROVIDER: "e.provider",
        Dimension.MODEL: "e.model",
        Dimension.FEATURE: "e.feature",
        Dimension.PROJECT: PROJECT_NAME,
        Dimension.USER: "e.end_user",
        Dimension.DAY: "((e.ts AT TIME ZONE CAST(:zone AS text))::date)::text",
        Dimension.HOUR: (
            "to_char(date_trunc('hour', e.ts, CAST(:zone AS text)) AT TIME ZONE 'UTC',"
            ' \'YYYY-MM-DD"T"HH24:MI:SS"Z"\')'
        ),
    },
    "event e",
    "e.ts >= :start AND e.ts < :end",
    _SUMS_OF_CALLS,
)
_BY_GRAIN = {Grain.DAYS: DAYS, Grain.HOURS: HOURS, Grain.CALLS: CALLS}


async def spend_by(
    session: AsyncSession,
    table: SpendTable,
    *,
    projects: Sequence[UUID],
    dimensions: Sequence[str],
    period: Period,
    zone: ZoneInfo,
    charge: Charge,
    filters: Mapping[str, str],
) -> list[SpendRow]:
    """Spend of ``period`` by ``dimensions``, dearest first.

    ``dimensions`` and the keys of ``filters`` are in ``table.dimensions``, or ``tag:<key>`` where
    the table is ``CALLS``. ``period`` must begin and end where the table's buckets do.
    """
    bindings: dict[str, Any] = {
        "projects": list(projects),
        "start": period.start,
        "end": period.end,
        "zone": str(zone),
        "charge": charge.value,
    }
    keys = [_dimension(table, name, f"key{n}", bindings) for n, name in enumerate(dimensions)]
    conditions = [
        f"{_dimension(table, name, f'filter{n}', bindings)} = :value{n}"
        for n, name in enumerate(filters)
    ]
    bindings |= {f"value{n}": value for n, value in enumerate(filters.values())}
    grouped = ", ".join(str(n + 1) for n in range(len(keys)))
    statement = f"""
        SELECT {"".join(f"{key} AS key{n}, " for n, key in enumerate(keys))} {table.sums}
        FROM {table.sql_from}
        WHERE e.project_id = ANY(:projects) AND e.charge = :charge AND {table.bound}
        {"".join(f" AND {condition}" for condition in conditions)}
        {f"GROUP BY {grouped}" if keys else ""}
        ORDER BY cost DESC, events DESC{f", {grouped}" if keys else ""}
    """
    return [_spend_row(row, dimensions) for row in await fetch(session, statement, bindings)]


def _dimension(table: SpendTable, name: str, binding: str, bindings: dict[str, Any]) -> str:
    if not name.startswith("tag:"):
        return table.dimensions[name]
    bindings[binding] = name.removeprefix("tag:")
    return f"(e.tags ->> :{binding})"


def _spend_row(row: Mapping[Any, Any], dimensions: Sequence[str]) -> SpendRow:
    key = {name: row[f"key{n}"] for n, name in enumerate(dimensions)}
    return SpendRow(key, _spend(row))


def _spend(row: Mapping[Any, Any]) -> Spend:
    counts = {name: int(row[name]) for name in MEASURES if name != "cost"}
    return Spend(cost=from_pico(row["cost"]), **counts)


async def spend_in(
    session: AsyncSession,
    *,
    projects: Sequence[UUID],
    period: Period,
    zone: ZoneInfo,
    charge: Charge,
) -> Spend:
    """Spend of any period: whole days, whole hours and, for parts of an hour, the calls."""
    total = Spend()
    for stretch in stretches(period, zone):
        rows = await spend_by(
            session,
            _BY_GRAIN[stretch.grain],
            projects=projects,
            dimensions=(),
            period=stretch.period,
            zone=zone,
            charge=charge,
            filters={},
        )
        total = sum((row.spend for row in rows), total)
    return total


async def first_day_of_spend(session: AsyncSession, projects: Sequence[UUID]) -> date | None:
    """The first day that has a call, in the workspace's zone; None before any call."""
    [row] = await fetch(
        session,
        "SELECT min(day) AS day FROM rollup_day WHERE project_id = ANY(:projects)",
        {"projects": list(projects)},
    )
    return row["day"]
