"""`llmlab up` from the outside: what it serves, what it refuses, and what it leaves behind."""

import json
import os
import signal
import stat
import time
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from tests.e2e.conftest import (
    RunningServer,
    StartServer,
    first_words,
    free_port,
    launched,
    open_websocket,
    processes_of,
    wait_until_it_runs,
)

EVENT = {"model": "gpt-4o-mini", "usage": {"input_tokens": 1000, "output_tokens": 100}}


def wait_until_alone(home: Path, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while processes_of(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_of(home) == {}


def test_it_serves_page_api_and_websocket_on_one_port(server: RunningServer) -> None:
    page = httpx2.get(server.url, follow_redirects=True)
    assert page.status_code == 200
    assert "text/html" in page.headers["content-type"]
    assert httpx2.get(f"{server.url}/api/health").json()["status"] == "ok"
    with open_websocket(server) as websocket:
        assert first_words(websocket)["sid"]


def test_the_first_start_sets_up_cli_and_sdk(server: RunningServer) -> None:
    config = server.home / "config.json"
    assert json.loads(config.read_text())["server"] == server.url
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert server.request("POST", "/api/events/track", json=EVENT).json()["accepted"] is True


def test_the_machine_may_be_named_localhost(home: Path, start_server: StartServer) -> None:
    server = start_server(home, LLMLAB_HOST="localhost")
    told = json.loads((home / "config.json").read_text())["server"]
    assert f"LLMLab runs at {told}\n" in server.log
    assert httpx2.get(f"{told}/api/health").json()["status"] == "ok"


def test_a_second_start_finds_the_data(home: Path, start_server: StartServer) -> None:
    first = start_server(home)
    assert first.request("POST", "/api/events/track", json=EVENT).status_code == 200
    before = first.request("GET", "/api/costs/summary").json()["all_time"]
    first.stop()
    again = start_server(home)
    assert before["events"] == 1
    assert again.request("GET", "/api/costs/summary").json()["all_time"] == before


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(
    home: Path, start_server: StartServer, how: signal.Signals
) -> None:
    server = start_server(home)
    assert len(processes_of(home)) > 2
    server.stop(how)
    assert server.log.endswith("Stopped.\n")
    assert "Killing" not in server.log  # the worker went by itself, in time
    assert server.process.returncode == 0
    wait_until_alone(home, seconds=1)


def test_ctrl_c_in_a_terminal_stops_everything(home: Path, start_server: StartServer) -> None:
    """A terminal signals the whole group: worker and database must not go down on their own."""
    server = start_server(home)
    worker_and_server = [pid for pid, command in processes_of(home).items() if "llmlab" in command]
    for pid in worker_and_server:
        if os.getpgid(pid) == os.getpgid(server.process.pid):
            os.kill(pid, signal.SIGINT)
    server.process.wait(60)
    assert "Traceback" not in server.log
    assert server.process.returncode == 0
    wait_until_alone(home, seconds=1)


def test_an_open_websocket_does_not_delay_the_end(home: Path, start_server: StartServer) -> None:
    server = start_server(home)
    with open_websocket(server):
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 9  # less than the time granted to hanging requests


def test_a_signal_while_it_starts_leaves_nothing(home: Path, built_dashboard: None) -> None:
    with launched(home, {"LLMLAB_PORT": str(free_port())}) as (process, _):
        while not (home / "pg/data/postmaster.pid").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.terminate()
        process.wait(60)
    wait_until_alone(home)


def test_any_postgresql_will_do(
    home: Path, start_server: StartServer, empty_database_url: str
) -> None:
    server = start_server(home, LLMLAB_DATABASE_URL=empty_database_url)
    assert server.request("POST", "/api/events/track", json=EVENT).status_code == 200
    assert not (home / "pg").exists()


def test_two_servers_may_start_on_one_empty_database(
    built_dashboard: None, empty_database_url: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                launched(
                    tmp_path / name,
                    {"LLMLAB_DATABASE_URL": empty_database_url, "LLMLAB_PORT": str(free_port())},
                )
            )
            for name in ("one", "two")
        ]
        for process, output in started:
            wait_until_it_runs(process, output)
