"""kill -9 in the middle of a load: what was acknowledged is there, once, and the sums agree."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from llmlab_app.adapters.embedded_postgres import EmbeddedPostgres
from llmlab_app.domain.identity import uuid7
from llmlab_app.storage.database import close_database, copy_transaction, open_database
from tests.e2e.conftest import RunningServer, StartServer, processes_of
from tests.integration.storage.ledger_checks import assert_rollups_equal_events

BATCH = 25
SENDERS = 4
Batch = list[dict[str, Any]]


def new_batch() -> Batch:
    return [
        {
            "id": str(uuid7(datetime.now(UTC), os.urandom(10))),
            "model": "gpt-4o-mini",
            "usage": {"input_tokens": 100 + number, "output_tokens": number},
            "feature": f"feature {number % 3}",
        }
        for number in range(BATCH)
    ]


@dataclass
class Load:
    """Senders that post batch after batch until the server no longer answers."""

    server: RunningServer
    acknowledged: list[Batch] = field(default_factory=list)
    unanswered: list[Batch] = field(default_factory=list)
    enough: threading.Event = field(default_factory=threading.Event)

    def send(self) -> None:
        while True:
            batch = new_batch()
            try:
                answer = post(self.server, batch)
            except httpx2.HTTPError:
                answer = None
            if answer is None or answer.status_code != 200:
                self.unanswered.append(batch)
                return
            self.acknowledged.append(batch)
            if len(self.acknowledged) >= 40:
                self.enough.set()


def post(server: RunningServer, batch: Batch) -> httpx2.Response:
    return server.request("POST", "/api/events/batch", json={"events": batch})


def kill(home: Path) -> None:
    """End server, worker and PostgreSQL in one stroke, without a chance to tidy up."""
    for pid in processes_of(home):
        os.kill(pid, signal.SIGKILL)


def stored_ids(home: Path) -> Sequence[str]:
    """The ids of all events, after a check that every rollup equals them."""

    async def look(url: str) -> Sequence[str]:
        open_database(url)
        await assert_rollups_equal_events()
        async with copy_transaction() as connection:
            rows = await (await connection.execute("SELECT id::text FROM event")).fetchall()
        await close_database()
        return [row[0] for row in rows]

    with EmbeddedPostgres(home) as url:
        return asyncio.run(look(url))


def test_nothing_acknowledged_is_lost_or_counted_twice(
    home: Path, start_server: StartServer
) -> None:
    killed = start_server(home)
    load = Load(killed)
    with ThreadPoolExecutor(SENDERS) as senders:
        for _ in range(SENDERS):
            senders.submit(load.send)
        assert load.enough.wait(60)
        kill(home)
    assert len(load.unanswered) == SENDERS  # it was in the middle of them

    again = start_server(home)
    # Clients send again what they had no answer for, and sometimes what they had.
    for batch in [*load.unanswered, *load.acknowledged[-SENDERS:]]:
        assert post(again, batch).status_code == 200
    again.stop()

    sent = [event["id"] for batch in [*load.acknowledged, *load.unanswered] for event in batch]
    assert sorted(stored_ids(home)) == sorted(sent)


def test_a_database_that_dies_alone_comes_back_by_itself(
    home: Path, start_server: StartServer
) -> None:
    server = start_server(home)
    before, after = new_batch(), new_batch()
    assert post(server, before).status_code == 200
    os.kill(int((home / "pg/data/postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    deadline = time.monotonic() + 60
    while (answer := post(server, after)).status_code != 200 and time.monotonic() < deadline:
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
        time.sleep(0.2)
    server.stop()

    assert sorted(stored_ids(home)) == sorted(event["id"] for event in [*before, *after])
