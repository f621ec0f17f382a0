"""Months of the ``event`` table. There is no default partition: a missing month is made first."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from psycopg import sql


def month_of(at: datetime) -> date:
    """The first day of the UTC month of ``at``."""
    return at.astimezone(UTC).date().replace(day=1)


def next_month(month: date) -> date:
    """The first day of the month after ``month``."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


async def make_months(connection: psycopg.AsyncConnection[Any], months: Iterable[date]) -> None:
    """Make the partitions of ``months`` that don't exist yet, in the caller's transaction."""
    for month in sorted(months):
        await connection.execute(_create(month))


def _create(month: date) -> sql.Composed:
    return sql.SQL(
        "CREATE TABLE IF NOT EXISTS {name} PARTITION OF event FOR VALUES FROM ({start}) TO ({end})"
    ).format(
        name=sql.Identifier(f"event_{month:%Y%m}"),
        start=sql.Literal(f"{month:%Y-%m-%d} 00:00:00+00"),
        end=sql.Literal(f"{next_month(month):%Y-%m-%d} 00:00:00+00"),
    )
