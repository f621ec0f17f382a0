"""Which of several servers leads: the one that holds an advisory lock on a connection of its own.

PostgreSQL lets the lock go the moment the leader's connection ends, also when the leader is killed,
so there is never a lease to wait for and never a clock to trust.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from llmlab_app.storage.database import direct_connection

LEADER_LOCK = 0x11AB_0003
RETRY_SECONDS = 1.0
PING_SECONDS = 2.0
ANSWER_SECONDS = 5.0

# A leader whose machine vanished closes no connection: the server finds out after 15 seconds.
_KEEPALIVE = (
    b"SET tcp_keepalives_idle = 5",
    b"SET tcp_keepalives_interval = 5",
    b"SET tcp_keepalives_count = 2",
)


@dataclass(frozen=True, slots=True)
class Lead:
    """The leadership of this process, for as long as its connection lives."""

    _connection: psycopg.AsyncConnection[Any]

    async def lost(self) -> None:
        """Return when this process no longer leads."""
        while await _answers(self._connection):
            await asyncio.sleep(PING_SECONDS)


@asynccontextmanager
async def leadership() -> AsyncIterator[Lead]:
    """Wait until no other process leads, then lead for as long as the block runs.

    While the database is away nobody leads, and this keeps trying.
    """
    connection = await _locked_connection()
    try:
        yield Lead(connection)
    finally:
        await connection.close()


async def _locked_connection() -> psycopg.AsyncConnection[Any]:
    while True:
        try:
            connection = await direct_connection()
            try:
                await _wait_for_lock(connection)
            except BaseException:
                await connection.close()
                raise
        except psycopg.Error:
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return connection


async def _wait_for_lock(connection: psycopg.AsyncConnection[Any]) -> None:
    """Ask again and again: to wait inside ``pg_advisory_lock`` would hold back VACUUM for days."""
    for statement in _KEEPALIVE:
        await connection.execute(statement)
    while not await _try_lock(connection):
        await asyncio.sleep(RETRY_SECONDS)


async def _try_lock(connection: psycopg.AsyncConnection[Any]) -> bool:
    cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (LEADER_LOCK,))
    row = await cursor.fetchone()
    return bool(row and row[0])


async def _answers(connection: psycopg.AsyncConnection[Any]) -> bool:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await connection.execute(b"SELECT 1")
    except (psycopg.Error, TimeoutError):
        return False
    return True
