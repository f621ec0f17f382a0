"""A wake-up between processes: NOTIFY after a commit, LISTEN in every web process.

A pulse carries no data and is sent at most four times a second by each process: one NOTIFY per
commit would cut the commit rate to a third (knowledge: database §4).
"""

import asyncio
from collections.abc import AsyncIterator

import psycopg

from llmlab_app.storage.database import direct_connection

CHANNEL = "llmlab_pulse"
INTERVAL_SECONDS = 0.25
POLL_SECONDS = 2.0


class PulseSender:
    """Sends the first pulse at once and at most one more in each interval after it."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._connecting = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin sending; needs a running event loop."""
        self._task = asyncio.create_task(self._run(), name="pulse-sender")

    def notify(self) -> None:
        """Say that something was committed. Never waits."""
        self._changed.set()

    async def stop(self) -> None:
        """Stop sending."""
        if self._task is not None:
            # Not while connecting: PostgreSQL waits a minute for the rest of a log-in.
            async with self._connecting:
                self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            try:
                async with self._connecting:
                    connection = await direct_connection()
                async with connection:
                    await self._send(connection)
            except psycopg.Error:
                await asyncio.sleep(POLL_SECONDS)  # listeners poll meanwhile

    async def _send(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await connection.execute(f"NOTIFY {CHANNEL}".encode())
            await asyncio.sleep(INTERVAL_SECONDS)


async def pulses() -> AsyncIterator[None]:
    """One item whenever something may have changed, at the latest every two seconds.

    A lost connection is no error: polling goes on and the connection is made anew.
    """
    while True:
        try:
            async with await direct_connection() as connection:
                await connection.execute(f"LISTEN {CHANNEL}".encode())
                while True:
                    async for _ in connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                        pass
                    yield
        except psycopg.Error:
            await asyncio.sleep(POLL_SECONDS)
            yield
