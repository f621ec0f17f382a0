"""The sums that pages read, folded in the transaction that changes the events.

``fold`` takes any source of event rows with a ``sign``: +1 for a row that is now in the ledger,
-1 for one that no longer is. Ingest, amendments and rebuilds therefore share one definition of
every measure. Upserts are sorted by their key: unsorted ones deadlock (knowledge: database §2.3).
"""

from dataclasses import dataclass
from typing import Any

import psycopg

MEASURE_SQL: dict[str, str] = {
    "events": "sum(e.sign)",
    "unpriced_events": "coalesce(sum(e.sign) FILTER (WHERE e.cost IS NULL), 0)",
    "errors": "coalesce(sum(e.sign) FILTER (WHERE e.status = 'error'), 0)",
    "input_tokens": "sum(e.sign * e.input_tokens::bigint)",
    "cache_read_tokens": "sum(e.sign * e.cache_read_tokens::bigint)",
    "cache_write_tokens": "sum(e.sign * e.cache_write_tokens::bigint)",
    "output_tokens": "sum(e.sign * e.output_tokens::bigint)",
    "reasoning_tokens": "sum(e.sign * e.reasoning_tokens::bigint)",
    "latency_ms": "coalesce(sum(e.sign * e.latency_ms::bigint), 0)",
    "cost": "coalesce(sum(e.sign * e.cost::numeric), 0)",
}


@dataclass(frozen=True, slots=True)
class Rollup:
    """One rollup table: its key columns and the SQL of each, over event ``e``, workspace ``w``."""

    table: str
    key: dict[str, str]

    def fold_sql(self, source: str) -> str:
        """The sorted upsert that adds ``source`` (event columns and ``sign``) to this table."""
        keys = ", ".join(self.key)
        order = ", ".join(str(position + 1) for position in range(len(self.key)))
        added = ", ".join(f"{name} = r.{name} + excluded.{name}" for name in MEASURE_SQL)
        return f"""
            INSERT INTO {self.table} AS r ({keys}, slot, {", ".join(MEASURE_SQL)})
            SELECT {", ".join(self.key.values())}, %(slot)s::smallint,
                   {", ".join(MEASURE_SQL.values())}
            FROM ({source}) e
            JOIN project p ON p.id = e.project_id
            JOIN workspace w ON w.id = p.workspace_id
            GROUP BY {order} ORDER BY {order}
            ON CONFLICT ({keys}, slot) DO UPDATE SET {added}
        """


HOUR = Rollup(
    "rollup_hour",
    {
        "project_id": "e.project_id",
        "hour": "date_trunc('hour', e.ts, w.timezone)",
        "provider": "e.provider",
        "model": "e.model",
        "charge": "e.charge",
    },
)
DAY = Rollup(
    "rollup_day",
    {
        "project_id": "e.project_id",
        "day": "(e.ts AT TIME ZONE w.timezone)::date",
        "provider": "e.provider",
        "model": "e.model",
        "feature": "e.feature",
        "charge": "e.charge",
    },
)
ROLLUPS = (HOUR, DAY)


async def fold(connection: psycopg.AsyncConnection[Any], source: str, *, slot: int) -> None:
    """Add the rows of ``source`` to every rollup, always in the same order of tables."""
    for rollup in ROLLUPS:
        await connection.execute(rollup.fold_sql(source).encode(), {"slot": slot})
