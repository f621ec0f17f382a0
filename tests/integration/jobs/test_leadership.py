"""Several servers, one leader: real processes over a real database, killed for real."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

PROGRAM = Path(__file__).parent / "server.py"
ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 30.0

Server = subprocess.Popen[bytes]


@pytest.fixture
def watcher(database_url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    url = make_url(database_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute("CREATE TABLE run (pid int, job text, at timestamptz)")
        yield connection


@pytest.fixture
def start(database_url: str) -> Iterator[Callable[[], Server]]:
    started: list[Server] = []

    def begin() -> Server:
        server = subprocess.Popen(
            [sys.executable, str(PROGRAM), database_url],
            stdin=subprocess.PIPE,
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PATH": ""},
        )
        started.append(server)
        return server

    yield begin
    for server in started:
        server.kill()
        server.wait()
        assert server.stdin
        server.stdin.close()


def leaders(
    watcher: psycopg.Connection[tuple[object, ...]], job: str = "led", last: float = 3600
) -> set[object]:
    """Pids that ran ``job`` in the last seconds."""
    found = watcher.execute(
        "SELECT DISTINCT pid FROM run WHERE job = %s"
        " AND at > clock_timestamp() - make_interval(secs => %s)",
        (job, last),
    )
    return {pid for (pid,) in found}


def wait_until(condition: Callable[[], bool]) -> float:
    """Seconds until ``condition``; fails when it stays false."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < PATIENCE_SECONDS
        time.sleep(0.02)
    return time.monotonic() - began


def test_of_two_servers_one_runs_the_jobs_and_the_other_takes_over_when_it_is_killed(
    watcher: psycopg.Connection[tuple[object, ...]], start: Callable[[], Server]
) -> None:
    first, second = start(), start()
    wait_until(lambda: leaders(watcher, "everywhere") == {first.pid, second.pid})
    wait_until(lambda: bool(leaders(watcher)))
    time.sleep(1.5)
    (leader,) = leaders(watcher)
    survivor = second if leader == first.pid else first

    (first if leader == first.pid else second).kill()
    seconds = wait_until(lambda: survivor.pid in leaders(watcher))

    print(f"takeover after kill -9: {seconds:.2f} s")
    assert leaders(watcher, last=0.5) == {survivor.pid}


def test_a_leader_that_loses_its_connection_stops_and_somebody_leads_again(
    watcher: psycopg.Connection[tuple[object, ...]], start: Callable[[], Server]
) -> None:
    servers = {start().pid, start().pid}
    wait_until(lambda: bool(leaders(watcher)))
    before = watcher.execute("SELECT clock_timestamp()").fetchone()

    watcher.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    )

    def led_since() -> bool:
        found = watcher.execute("SELECT pid FROM run WHERE job = 'led' AND at > %s", before)
        return len(found.fetchall()) > 5

    wait_until(led_since)
    time.sleep(3.0)  # both have had time to notice who leads
    assert len(leaders(watcher, last=1.0)) == 1
    assert leaders(watcher) <= servers


def test_a_server_that_is_told_to_stop_stops_its_jobs_and_leaves_the_lead(
    watcher: psycopg.Connection[tuple[object, ...]], start: Callable[[], Server]
) -> None:
    first = start()
    wait_until(lambda: bool(leaders(watcher)))

    assert first.stdin
    first.stdin.close()

    assert first.wait(timeout=PATIENCE_SECONDS) == 0
    locks = watcher.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()
    assert locks == (0,)
