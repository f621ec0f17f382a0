"""The one way in: COPY into a stage, insert what is new, fold the rollups, all in one transaction.

A resent event is a duplicate and changes nothing; one with a higher ``revision`` amends. Only rows
that were really inserted are folded, so totals stay exact however often a batch is sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from llmlab_app.domain.events import CostSource
from llmlab_app.domain.money import from_pico
from llmlab_app.storage import ledger
from llmlab_app.storage.database import TRY_AGAIN, direct_connection, unavailable
from llmlab_app.storage.event_rows import StoredEvent
from llmlab_app.storage.partitions import make_months, month_of
from llmlab_app.storage.price_terms import check_price_versions
from llmlab_app.storage.prices import keep_prices
from llmlab_app.storage.rollups import fold
from llmlab_app.storage.slots import claim_slot
from llmlab_app.storage.staging import AMONG, bounds, stage
from llmlab_app.storage.tables import EVENT_COLUMNS

COLUMNS = ", ".join(EVENT_COLUMNS)
Key = tuple[UUID, UUID]


class Outcome(StrEnum):
    """What became of an event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """The answer for one event, in US dollars; a duplicate carries the stored cost."""

    id: UUID
    outcome: Outcome
    cost: Decimal | None
    cost_source: CostSource


class Writer:
    """One connection that stores batches, with a slot in the rollup keys that is its own.

    The connection is direct and kept: the slot's lock, the temporary tables and the prepared
    statements live in its session. One that was lost is made anew by the next batch.
    """

    def __init__(self) -> None:
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._slot = 0
        self._months: set[date] = set()
        self._prices: set[str] = set()

    async def commit(
        self,
        events: Sequence[StoredEvent],
        prices: Mapping[str, object],
        price_versions: Mapping[UUID, int] | None = None,
    ) -> list[Committed]:
        """Store ``events``, whose keys differ from one another, and say what became of each.

        Args:
            events: Priced events; their projects exist.
            prices: Content of every price they use, by ``price_id``.
            price_versions: Version of each workspace's prices that ``events`` were priced with.

        Raises:
            StalePrices: a workspace's prices have changed since; nothing was stored.
            psycopg.DataError: PostgreSQL refuses a value; nothing was stored.
            Unavailable: the database can't be reached; nothing is known to be stored.
        """
        months = {month_of(each.event.occurred_at) for each in events} - self._months
        new_prices = {key: value for key, value in prices.items() if key not in self._prices}
        try:
            connection = await self._connected()
            async with connection.transaction():
                await check_price_versions(connection, price_versions or {})
                await make_months(connection, months)
                await keep_prices(connection, new_prices)
                answers = await _store(connection, events, self._slot)
        except TRY_AGAIN:
            raise
        except psycopg.OperationalError as error:
            raise unavailable(error) from error
        self._months |= months
        self._prices |= new_prices.keys()
        return answers

    def forget(self) -> None:
        """Look again at what exists: somebody else changed the database."""
        self._months.clear()
        self._prices.clear()

    async def close(self) -> None:
        """Give the slot and the connection back."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            self.forget()
            self._connection = await direct_connection()
            self._slot = await claim_slot(self._connection)
        return self._connection


async def _store(
    connection: psycopg.AsyncConnection[Any], events: Sequence[StoredEvent], slot: int
) -> list[Committed]:
    await stage(connection, events)
    async with connection.pipeline():  # one round trip
        inserting = await connection.execute(_INSERT_NEW)
        await fold(connection, "SELECT 1 AS sign, * FROM inserted", slot=slot)
    all_new = inserting.rowcount == len(events)
    stored = {} if all_new else await _settle_repeated(connection, events, slot)
    return [_committed(each, stored) for each in events]


_INSERT_NEW = f"""
    WITH i AS (
        INSERT INTO event ({COLUMNS}) SELECT {COLUMNS} FROM stage ORDER BY project_id, id
        ON CONFLICT DO NOTHING RETURNING *)
    INSERT INTO inserted SELECT * FROM i
""".encode()


def _key(stored: StoredEvent) -> Key:
    return stored.event.project_id, stored.event.id


async def _settle_repeated(
    connection: psycopg.AsyncConnection[Any], events: Sequence[StoredEvent], slot: int
) -> dict[Key, Committed]:
    """Of the events that were stored before: amend those with a higher revision, answer all."""
    cursor = await connection.execute(b"SELECT project_id, id FROM inserted")
    inserted: set[Key] = set(await cursor.fetchall())
    repeated = [each for each in events if _key(each) not in inserted]
    amended = await ledger.amend_staged(
        connection,
        repeated,
        ledger.NEWER_REVISION,
        actor="ingest",
        action="event.revised",
        slot=slot,
    )
    async with connection.cursor(row_factory=dict_row) as rows:
        await rows.execute(
            f"SELECT e.project_id, e.id, e.cost, e.cost_source FROM event e"
            f" JOIN stage s USING (project_id, id, ts) WHERE {AMONG}".encode(),
            bounds(repeated),
        )
        return {
            (row["project_id"], row["id"]): _repeated(row, amended) for row in await rows.fetchall()
        }


def _repeated(row: Mapping[str, Any], amended: set[Key]) -> Committed:
    is_amended = (row["project_id"], row["id"]) in amended
    return Committed(
        id=row["id"],
        outcome=Outcome.ACCEPTED if is_amended else Outcome.DUPLICATE,
        cost=None if row["cost"] is None else from_pico(row["cost"]),
        cost_source=CostSource(row["cost_source"]),
    )


def _committed(stored: StoredEvent, repeated: Mapping[Key, Committed]) -> Committed:
    return repeated.get(_key(stored)) or Committed(
        id=stored.event.id,
        outcome=Outcome.ACCEPTED,
        cost=stored.cost.cost,
        cost_source=stored.cost.source,
    )
