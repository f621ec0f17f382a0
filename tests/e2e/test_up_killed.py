"""What is left when a part of a running server is killed."""

import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llmlab_app.domain.identity import uuid7
from tests.e2e.conftest import RunningServer, StartServer, processes_of


def new_event() -> dict[str, Any]:
    """An event with an id, so that it counts once however often it is sent."""
    return {
        "id": str(uuid7(datetime.now(UTC), os.urandom(10))),
        "model": "gpt-4o-mini",
        "usage": {"input_tokens": 1000, "output_tokens": 100},
    }


def track(server: RunningServer, event: dict[str, Any]) -> int:
    answer = server.request("POST", "/api/events/track", json=event)
    assert answer.status_code == 200 or answer.headers["retry-after"]
    return answer.status_code


def stored_events(server: RunningServer) -> int:
    return server.request("GET", "/api/costs/summary").json()["all_time"]["events"]


def test_a_killed_server_takes_its_worker_along_and_the_next_start_goes_on(
    home: Path, start_server: StartServer
) -> None:
    killed = start_server(home)
    assert track(killed, new_event()) == 200
    killed.process.kill()
    killed.process.wait(10)
    again = start_server(home)  # at once: it waits for the killed server's worker
    assert stored_events(again) == 1
    again.stop()
    assert processes_of(home) == {}


def test_a_killed_worker_ends_the_server_with_an_error(
    home: Path, start_server: StartServer
) -> None:
    server = start_server(home)
    for pid, command in processes_of(home).items():
        if "llmlab up" in command and pid != server.process.pid:
            os.kill(pid, signal.SIGKILL)
    assert server.process.wait(60) == 1
    assert processes_of(home) == {}


def test_a_database_that_dies_alone_comes_back_by_itself(
    home: Path, start_server: StartServer
) -> None:
    server = start_server(home)
    assert track(server, new_event()) == 200
    os.kill(int((home / "pg/data/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    event, deadline = new_event(), time.monotonic() + 60
    while (status := track(server, event)) != 200 and time.monotonic() < deadline:
        assert status == 503
        time.sleep(0.2)
    assert stored_events(server) == 2
