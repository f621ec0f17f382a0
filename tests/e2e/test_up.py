"""`llmlab up` from the outside: what it serves, what it refuses, and what it leaves behind."""

import json
import os
import signal
import socket
import stat
import time
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest

from tests.e2e.conftest import (
    RunningServer,
    StartServer,
    first_words,
    free_port,
    launch,
    open_websocket,
    read_welcome,
)

EVENT = {"model": "gpt-4o-mini", "usage": {"input_tokens": 1000, "output_tokens": 100}}


def processes_of(home: Path) -> dict[int, str]:
    """Every live process that works for ``home``: servers, workers, PostgreSQL."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()  # empty for a corpse
            environment = (process / "environ").read_bytes()
        except OSError:
            continue
        if command and str(home).encode() in command + environment:
            found[int(process.name)] = command.replace(b"\0", b" ").decode()
    return found


def wait_until_alone(home: Path, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while processes_of(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_of(home) == {}


def refusal(home: Path, environment: Mapping[str, str]) -> str:
    """What a server says that does not start."""
    said, _ = launch(home, environment).communicate(timeout=60)
    assert said.startswith("✗ "), said
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1
    return said


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
    assert server.stop(how).endswith("Stopped.\n")
    assert server.process.returncode == 0
    wait_until_alone(home, seconds=1)


def test_ctrl_c_in_a_terminal_stops_everything(home: Path, start_server: StartServer) -> None:
    """A terminal signals the whole group: worker and database must not go down on their own."""
    server = start_server(home)
    worker_and_server = [pid for pid, command in processes_of(home).items() if "llmlab" in command]
    for pid in worker_and_server:
        if os.getpgid(pid) == os.getpgid(server.process.pid):
            os.kill(pid, signal.SIGINT)
    rest, _ = server.process.communicate(timeout=60)
    assert "Traceback" not in rest
    assert server.process.returncode == 0
    wait_until_alone(home, seconds=1)


def test_an_open_websocket_does_not_delay_the_end(home: Path, start_server: StartServer) -> None:
    server = start_server(home)
    with open_websocket(server):
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 9  # less than the time granted to hanging requests


def test_a_signal_while_it_starts_leaves_nothing(home: Path, built_dashboard: None) -> None:
    process = launch(home, {"LLMLAB_PORT": str(free_port())})
    deadline = time.monotonic() + 30
    while not (home / "pg/data/postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.terminate()
    process.communicate(timeout=60)
    wait_until_alone(home)


def test_after_a_kill_the_worker_ends_and_the_next_start_takes_over(
    home: Path, start_server: StartServer
) -> None:
    killed = start_server(home)
    killed.request("POST", "/api/events/track", json=EVENT)
    killed.process.kill()
    killed.process.wait(10)
    again = start_server(home)  # at once: it waits for the killed server's worker
    assert again.request("GET", "/api/costs/summary").json()["all_time"]["events"] == 1
    again.stop()
    wait_until_alone(home, seconds=1)


def test_a_second_server_of_the_same_home_is_refused(server: RunningServer) -> None:
    said = refusal(server.home, {"LLMLAB_PORT": str(free_port())})
    assert f"already runs at {server.url} (process {server.process.pid})" in said
    assert "LLMLAB_HOME" in said


def test_a_taken_port_is_refused(home: Path, built_dashboard: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refusal(home, {"LLMLAB_PORT": str(port)})
    assert f"Another program listens at 127.0.0.1:{port}" in said
    assert f"--port {port + 1}" in said
    assert not (home / "pg").exists()  # nothing was started for it


def test_an_address_of_another_machine_is_refused(home: Path, built_dashboard: None) -> None:
    password = home / "password"
    password.write_text("correct horse battery\n")
    said = refusal(
        home,
        {
            "LLMLAB_HOST": "192.0.2.1",
            "LLMLAB_OWNER_PASSWORD_FILE": str(password),
            "LLMLAB_PUBLIC_URL": "https://llmlab.example.com",
        },
    )
    assert "can't listen at 192.0.2.1" in said


def test_a_bind_that_others_reach_needs_a_password(home: Path, built_dashboard: None) -> None:
    said = refusal(home, {"LLMLAB_HOST": "0.0.0.0"})
    assert "LLMLAB_OWNER_PASSWORD_FILE" in said
    assert list(home.iterdir()) == []


def test_a_home_that_cannot_be_written_is_refused(tmp_path: Path, built_dashboard: None) -> None:
    (tmp_path / "file").touch()
    said = refusal(tmp_path / "file/home", {})
    assert "Set LLMLAB_HOME" in said


def test_a_setting_that_makes_no_sense_is_named(home: Path) -> None:
    assert "LLMLAB_PORT" in refusal(home, {"LLMLAB_PORT": "http"})


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("not a url", "isn't a URL"),
        ("postgresql://nobody@127.0.0.1:1/none", "does not answer"),
    ],
)
def test_a_database_that_is_not_there_is_named(
    home: Path, built_dashboard: None, url: str, words: str
) -> None:
    assert words in refusal(home, {"LLMLAB_DATABASE_URL": url, "LLMLAB_PORT": str(free_port())})


def test_any_postgresql_will_do(
    home: Path, start_server: StartServer, empty_database_url: str
) -> None:
    server = start_server(home, LLMLAB_DATABASE_URL=empty_database_url)
    assert server.request("POST", "/api/events/track", json=EVENT).status_code == 200
    assert not (home / "pg").exists()


def test_two_servers_may_start_on_one_empty_database(
    built_dashboard: None, empty_database_url: str, tmp_path: Path
) -> None:
    homes = [tmp_path / "one", tmp_path / "two"]
    servers = [
        launch(home, {"LLMLAB_DATABASE_URL": empty_database_url, "LLMLAB_PORT": str(free_port())})
        for home in homes
    ]
    try:
        for process in servers:
            read_welcome(process)
    finally:
        for process in servers:
            with process:
                process.terminate()
