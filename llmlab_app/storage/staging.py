"""A batch of events as a temporary table, so that one statement can compare it with the ledger."""

from collections.abc import Sequence
from typing import Any

import psycopg

from llmlab_app.storage.event_rows import StoredEvent, copy_line

AMONG = (
    "e.project_id = ANY(%(projects)s) AND e.id = ANY(%(ids)s)"
    " AND e.ts BETWEEN %(first)s AND %(last)s"
)
"""Restricts event ``e`` to a batch by its key. The stage has no statistics: without this the
planner may scan every month to join it."""


def bounds(events: Sequence[StoredEvent]) -> dict[str, object]:
    """The parameters of ``AMONG``."""
    instants = [each.event.occurred_at for each in events]
    return {
        "projects": list({each.event.project_id for each in events}),
        "ids": [each.event.id for each in events],
        "first": min(instants),
        "last": max(instants),
    }


_MAKE = b"".join(
    b"CREATE TEMP TABLE IF NOT EXISTS %s (LIKE event) ON COMMIT DELETE ROWS;" % table
    for table in (b"stage", b"inserted", b"before")
)


async def stage(connection: psycopg.AsyncConnection[Any], events: Sequence[StoredEvent]) -> None:
    """Fill the temporary table ``stage``; ``inserted`` and ``before`` lie empty beside it.

    They stay with the session and are emptied by each commit: to make and drop them every time
    would cost more than the batch. Behind a PgBouncer any session will do.
    """
    await connection.execute(_MAKE)
    lines = "\n".join(map(copy_line, events)) + "\n"
    async with connection.cursor() as cursor, cursor.copy(b"COPY stage FROM STDIN") as copy:
        await copy.write(lines.encode())
