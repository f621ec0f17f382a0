"""The one way to change a stored event.

``amend`` locks the rows in key order, folds the difference (new - old) into every rollup and writes
an audit row, all in one transaction. Re-pricing, mapping, corrections and undo go through here, so
that rollups equal their events whatever happens.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg

from llmlab_app.storage.database import copy_transaction
from llmlab_app.storage.event_rows import StoredEvent
from llmlab_app.storage.price_terms import check_price_versions
from llmlab_app.storage.prices import keep_prices
from llmlab_app.storage.rollups import fold
from llmlab_app.storage.staging import AMONG, bounds, stage
from llmlab_app.storage.tables import EVENT_COLUMNS

KEY = ("project_id", "id", "ts")
NEWER_REVISION = "s.revision > e.revision"
SAME_REVISION = "s.revision = e.revision"
_CHANGED = ", ".join(f"{name} = s.{name}" for name in EVENT_COLUMNS if name not in KEY)


async def amend(
    events: Sequence[StoredEvent],
    *,
    actor: str,
    action: str,
    slot: int,
    prices: Mapping[str, object] | None = None,
    price_versions: Mapping[UUID, int] | None = None,
) -> set[tuple[UUID, UUID]]:
    """Replace stored events by ``events`` of the same key and the same ``revision``.

    A revision counts what the client has said; an act of ours never uses one up.

    Args:
        events: The new state of each; one that its client has revised meanwhile is left alone.
        actor: Who did it, for the audit.
        action: What it was, such as ``event.repriced``.
        slot: The writer's slot in the rollup keys.
        prices: Content of every price they use, by ``price_id``.
        price_versions: Version of each workspace's prices that ``events`` were priced with.

    Returns:
        The keys ``(project_id, id)`` that changed.

    Raises:
        StalePrices: a workspace's prices have changed since; nothing was amended.
    """
    async with copy_transaction() as connection:
        await check_price_versions(connection, price_versions or {})
        await keep_prices(connection, prices or {})
        await stage(connection, events)
        return await amend_staged(
            connection, events, SAME_REVISION, actor=actor, action=action, slot=slot
        )


async def amend_staged(
    connection: psycopg.AsyncConnection[Any],
    events: Sequence[StoredEvent],
    condition: str,
    *,
    actor: str,
    action: str,
    slot: int,
) -> set[tuple[UUID, UUID]]:
    """``amend`` in an open transaction, for ``events`` that are staged in it.

    ``condition`` is ``NEWER_REVISION`` for what a client sent, ``SAME_REVISION`` for our own acts.
    """
    among = bounds(events)
    locked = await connection.execute(
        "INSERT INTO before SELECT e.* FROM event e JOIN stage s USING (project_id, id, ts)"
        f" WHERE {AMONG} AND {condition}"
        " ORDER BY e.project_id, e.id FOR UPDATE OF e".encode(),
        among,
    )
    if not locked.rowcount:
        return set()
    await connection.execute(
        f"UPDATE event e SET {_CHANGED} FROM stage s JOIN before b USING (project_id, id, ts)"
        f" WHERE (e.project_id, e.id, e.ts) = (s.project_id, s.id, s.ts) AND {AMONG}".encode(),
        among,
    )
    await fold(connection, _DIFFERENCE, slot=slot)
    return await _audit(connection, actor, action)


_DIFFERENCE = """
    SELECT -1 AS sign, * FROM before
    UNION ALL
    SELECT 1, s.* FROM stage s JOIN before b USING (project_id, id, ts)
"""


async def _audit(
    connection: psycopg.AsyncConnection[Any], actor: str, action: str
) -> set[tuple[UUID, UUID]]:
    cursor = await connection.execute(
        b"""
        INSERT INTO audit (id, workspace_id, at, actor, action, target, detail)
        SELECT gen_random_uuid(), p.workspace_id, now(), %(actor)s, %(action)s, b.id::text,
               jsonb_build_object('project_id', b.project_id, 'revision',
                   jsonb_build_array(b.revision, s.revision), 'cost',
                   jsonb_build_array(b.cost::text, s.cost::text))
        FROM before b JOIN stage s USING (project_id, id, ts) JOIN project p ON p.id = b.project_id
        """,
        {"actor": actor, "action": action},
    )
    cursor = await connection.execute(b"SELECT project_id, id FROM before")
    return set(await cursor.fetchall())
