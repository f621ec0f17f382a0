"""The one invariant of the ledger: every rollup equals its events."""

from typing import Any

import psycopg

from llmlab_app.storage.database import copy_transaction
from llmlab_app.storage.rollups import MEASURE_SQL, ROLLUPS, Rollup


async def assert_rollups_equal_events() -> None:
    """Recompute every rollup from the events alone and compare all keys and measures."""
    async with copy_transaction() as connection:
        for rollup in ROLLUPS:
            folded = await _rows(connection, _folded(rollup))
            recomputed = await _rows(connection, _recomputed(rollup))
            assert folded == recomputed, rollup.table


async def _rows(connection: psycopg.AsyncConnection[Any], sql: str) -> list[Any]:
    cursor = await connection.execute(sql.encode())
    return await cursor.fetchall()


def _folded(rollup: Rollup) -> str:
    keys = ", ".join(rollup.key)
    sums = ", ".join(f"sum({name})" for name in MEASURE_SQL)
    return (
        f"SELECT {keys}, {sums} FROM {rollup.table}"
        f" GROUP BY {keys} HAVING sum(events) <> 0 ORDER BY {keys}"
    )


def _recomputed(rollup: Rollup) -> str:
    keys = ", ".join(rollup.key.values())
    sums = ", ".join(formula.replace("e.sign", "1") for formula in MEASURE_SQL.values())
    return (
        f"SELECT {keys}, {sums} FROM event e JOIN project p ON p.id = e.project_id"
        f" JOIN workspace w ON w.id = p.workspace_id GROUP BY {keys} ORDER BY {keys}"
    )
