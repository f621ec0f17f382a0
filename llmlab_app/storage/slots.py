"""A writer's own slot in the rollup keys, so that two writers never wait for the same row."""

from typing import Any

import psycopg

MAX_SLOTS = 1024
_LOCK_CLASS = 0x11AB


async def claim_slot(connection: psycopg.AsyncConnection[Any]) -> int:
    """The lowest slot that no living writer holds; it is held as long as ``connection`` lives.

    With more than ``MAX_SLOTS`` writers slot 0 is shared, which is slower and just as exact.
    """
    for slot in range(MAX_SLOTS):
        cursor = await connection.execute(
            "SELECT pg_try_advisory_lock(%s, %s)", (_LOCK_CLASS, slot)
        )
        row = await cursor.fetchone()
        if row and row[0]:
            return slot
    return 0
