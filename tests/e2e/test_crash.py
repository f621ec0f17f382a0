"""kill -9 of the server and of PostgreSQL in the middle of a load."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from llmlab_app.adapters.embedded_postgres import EmbeddedPostgres
from llmlab_app.domain.identity import uuid7
from llmlab_app.storage.database import close_database, open_database
from tests.e2e.conftest import RunningServer, fresh_home, running
from tests.integration.storage.ledger_checks import assert_rollups_equal_events

BATCH = 20
SENDERS = 4


@dataclass
class Load:
    """Senders that resend each batch until it is acknowledged, as the SDK does."""

    url: str
    key: str
    acknowledged: dict[str, str] = field(default_factory=dict)
    unsettled: list[list[dict[str, Any]]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self, seconds: float) -> None:
        threads = [threading.Thread(target=self._send, args=(n,)) for n in range(SENDERS)]
        for thread in threads:
            thread.start()
        self.stop.wait(seconds)
        self.stop.set()
        for thread in threads:
            thread.join()

    def _send(self, number: int) -> None:
        rng = random.Random(number)
        with httpx2.Client(headers={"X-API-Key": self.key}, timeout=10) as client:
            while not self.stop.is_set():
                batch = [event(rng) for _ in range(BATCH)]
                if not self.post(client, batch):
                    self.unsettled.append(batch)
                    return

    def post(self, client: httpx2.Client, batch: list[dict[str, Any]]) -> bool:
        """Whether the batch was acknowledged."""
        try:
            answer = client.post(f"{self.url}/api/events/batch", json={"events": batch})
        except httpx2.HTTPError:
            return False
        if answer.status_code != 200:
            return False
        results = answer.json()["results"]
        self.acknowledged |= {each["id"]: each["cost"] for each in results}
        return True


def event(rng: random.Random) -> dict[str, Any]:
    return {
        "id": str(uuid7(datetime.now(UTC), rng.randbytes(10))),
        "model": rng.choice(["gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5"]),
        "feature": rng.choice(["chat", "search", ""]),
        "usage": {"input_tokens": rng.randrange(9_999), "output_tokens": rng.randrange(1, 999)},
    }


def kill_everything(server: RunningServer) -> None:
    """kill -9 the server, its worker and the postmaster with all its children, at once."""
    postmasters = [int(f.read_text().split()[0]) for f in server.home.rglob("postmaster.pid")]
    assert postmasters, "the database isn't where the test looks for it"
    family = [server.process.pid, *postmasters]
    for pid in [pid for parent in family for pid in (parent, *children(parent))]:
        with suppress(ProcessLookupError):  # a backend that ended by itself
            os.kill(pid, signal.SIGKILL)
    server.process.wait(20)


def children(pid: int) -> list[int]:
    found: list[int] = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, listing.read_text().split()):
            found += [*children(child), child]
    return found


def all_events(server: RunningServer) -> Iterator[dict[str, Any]]:
    cursor = ""
    while cursor is not None:
        page = server.request(
            "GET", f"/api/events?limit=200{cursor and f'&cursor={cursor}'}"
        ).json()
        yield from page["data"]
        cursor = page["next_cursor"]


@pytest.mark.usefixtures("built_dashboard")
async def test_after_kill_9_every_acknowledged_event_is_there_once() -> None:
    with fresh_home() as home:
        with running(home) as server:
            load = Load(server.url, server.api_key)
            sending = threading.Thread(target=load.run, args=(20,))
            sending.start()
            time.sleep(2.5)
            kill_everything(server)
            load.stop.set()
            sending.join()
            before = dict(load.acknowledged)
        assert len(before) > 200, "the load was too small to prove anything"

        with running(home) as server:
            stored = list(all_events(server))
            costs = {each["id"]: each["cost"] for each in stored}
            assert len(costs) == len(stored), "an event is stored twice"
            assert before.items() <= costs.items(), "an acknowledged event is gone"

            load.url, load.stop = server.url, threading.Event()
            with httpx2.Client(headers={"X-API-Key": load.key}) as client:
                for batch in load.unsettled:  # what was cut off is sent again, as the SDK would
                    assert load.post(client, batch)
            costs = {each["id"]: each["cost"] for each in all_events(server)}
            assert load.acknowledged == costs
            summary = server.request("GET", "/api/costs/summary").json()
            assert Decimal(summary["all_time"]["cost"]) == sum(map(Decimal, costs.values()))
            await check_ledger(home)


async def check_ledger(home: Path) -> None:
    """Look into the running server's own database."""
    with EmbeddedPostgres(home) as url:  # joins the one that runs
        open_database(url)
        try:
            await assert_rollups_equal_events()
        finally:
            await close_database()
