"""What can happen to a process and its server: in the end every event arrives, once."""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Iterator

import pytest

from llmlab import LLMLabClient
from sdk.tests.conftest import KEY
from sdk.tests.loopback import IngestServer, Loopback

BEGIN = """
import os, signal, sys, threading, time
import llmlab
client = llmlab.LLMLabClient()
"""


class Process:
    """A Python program of its own with the SDK, reporting to ``server``."""

    def __init__(self, home: Path, server: str, program: str) -> None:
        environment = {
            **os.environ,
            # From 3.12 on Python warns of every fork beside a thread, and ours is one.
            "PYTHONWARNINGS": "ignore:This process:DeprecationWarning",
            "LLMLAB_HOME": str(home),
            "LLMLAB_SERVER": server,
            "LLMLAB_API_KEY": KEY,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", BEGIN + textwrap.dedent(program)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def end(self, seconds: float = 30) -> tuple[int, str, float]:
        """Exit code, what it said on standard error, and how long it took."""
        started = time.monotonic()
        _, errors = self._process.communicate(timeout=seconds)
        return self._process.returncode, errors.decode(), time.monotonic() - started


@pytest.fixture
def away() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def black_hole() -> Iterator[str]:
    """An address that accepts connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


HUNDRED = "for _ in range(100): client.track_event('gpt-4', tokens=1)\n"
ONE = "client.track_event('gpt-4', tokens=1)\n"
FLUSH = "client.flush(5)\n"
KILL = "os.kill(os.getpid(), signal.SIGKILL)\n"


def move_spool(home: Path, away: str, server: IngestServer) -> None:
    """Make what waits for ``away`` wait for ``server``, as if ``away`` had come back."""
    from llmlab._config import Destination

    names = [Destination(url, KEY, None, str(home)).spool_name() for url in (away, server.url)]
    (home / "spool" / names[0]).rename(home / "spool" / names[1])


def test_killed_process_loses_nothing(tmp_path: Path, away: str) -> None:
    code, _, _ = Process(tmp_path, away, HUNDRED + KILL).end()
    assert code == -signal.SIGKILL
    server = IngestServer()
    move_spool(tmp_path, away, server)
    assert Process(tmp_path, server.url, "client.track_event('gpt-4', tokens=1)").end()[:2] == (
        0,
        "",
    )
    server.wait_for(101)
    server.stop()
    assert server.duplicates == 0
    assert list((tmp_path / "spool").rglob("*.jsonl")) == []


def test_process_killed_while_it_delivers_counts_nothing_twice(
    tmp_path: Path, server: IngestServer
) -> None:
    Process(tmp_path, server.url, HUNDRED + "time.sleep(0.15)\n" + HUNDRED + KILL).end()
    Process(tmp_path, server.url, ONE + FLUSH).end()
    server.wait_for(201)


def test_events_of_an_outage_survive_the_end_of_the_process(tmp_path: Path, away: str) -> None:
    code, errors, _ = Process(tmp_path, away, HUNDRED).end()
    assert (code, errors) == (0, "")
    server = IngestServer()
    move_spool(tmp_path, away, server)
    Process(tmp_path, server.url, ONE + FLUSH).end()
    server.wait_for(101)
    server.stop()


def test_hung_server_does_not_keep_the_process_from_leaving(
    tmp_path: Path, black_hole: str
) -> None:
    process = Process(tmp_path, black_hole, HUNDRED + "started = time.time()\n")
    code, errors, seconds = process.end()
    assert (code, errors) == (0, "")
    assert seconds < 8, "a hung request would last 10 s"


def test_exit_delivers_what_is_there(tmp_path: Path, server: IngestServer) -> None:
    code, errors, _ = Process(tmp_path, server.url, HUNDRED).end()
    assert (code, errors) == (0, "")
    assert len(server.events) == 100
    assert list((tmp_path / "spool").rglob("*.jsonl")) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_children_report_for_themselves(tmp_path: Path, server: IngestServer) -> None:
    program = """
    client.track_event('before', tokens=1)
    children = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            for _ in range(25): client.track_event('child', tokens=1)
            client.flush(5)
            os._exit(0)
        children.append(pid)
        client.track_event('parent', tokens=1)
    for pid in children: os.waitpid(pid, 0)
    assert client.stats.written == 5, client.stats
    """
    code, errors, _ = Process(tmp_path, server.url, program).end()
    assert (code, errors) == (0, "")
    events = server.wait_for(105)
    models = [event["model"] for event in events]
    assert [models.count(name) for name in ("before", "parent", "child")] == [1, 4, 100]
    assert server.duplicates == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork_in_the_middle_of_many_threads_hangs_nobody(
    tmp_path: Path, server: IngestServer
) -> None:
    program = """
    def work():
        for _ in range(200): client.track_event('thread', tokens=1)
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads: thread.start()
    pids = []
    for _ in range(10):
        pid = os.fork()
        if pid == 0:
            client.track_event('child', tokens=1)
            client.flush(5)
            os._exit(0)
        pids.append(pid)
    for thread in threads: thread.join()
    for pid in pids: os.waitpid(pid, 0)
    """
    code, _, _ = Process(tmp_path, server.url, program).end()
    assert code == 0
    events = server.wait_for(1610)
    assert sum(event["model"] == "child" for event in events) == 10
    assert server.duplicates == 0


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer signals here")
def test_call_made_in_a_signal_handler_hangs_nobody(tmp_path: Path, server: IngestServer) -> None:
    program = """
    handled = []
    def handler(*_):
        handled.append(client.track_event('signal', tokens=1))
    client.track_event('main', tokens=1)
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0005)
    for _ in range(4999): client.track_event('main', tokens=1)
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert handled
    assert client.stats.written == 5000 + len(handled)
    assert client.flush(10)
    """
    code, errors, _ = Process(tmp_path, server.url, program).end()
    assert (code, errors) == (0, "")
    assert sum(event["model"] == "main" for event in server.events.values()) == 5000


def test_stream_open_at_the_end_of_the_process_is_told(
    tmp_path: Path, server: IngestServer, provider: Loopback
) -> None:
    program = f"""
    import openai
    llmlab.instrument()
    client = openai.OpenAI(base_url="{provider.url}/v1", api_key="x")
    stream = client.chat.completions.create(model="gpt-4o", messages=[], stream=True)
    next(stream)
    """
    # No look at the exit code: Python 3.13.0 crashes on openai's open streams, with us or without.
    _, errors, _ = Process(tmp_path, server.url, program).end()
    assert errors == ""
    (event,) = server.wait_for(1)
    assert event["usage_estimated"] is True


def test_stream_dropped_in_a_quiet_process_is_told_soon(
    server: IngestServer, provider: Loopback
) -> None:
    import openai

    import llmlab

    llmlab.instrument()
    with openai.OpenAI(base_url=f"{provider.url}/v1", api_key="x") as client:
        next(iter(client.chat.completions.create(model="gpt-4o", messages=[], stream=True)))
    gc.collect()  # openai's streams refer to themselves, with us and without
    (event,) = server.wait_for(1, seconds=5)
    assert event["usage_estimated"] is True


def test_clock_that_jumps_back_loses_and_doubles_nothing(
    server: IngestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = LLMLabClient()
    real = time.time
    for shift in (0, -3600, 7200, -86_400):
        monkeypatch.setattr(time, "time", lambda shift=shift: real() + shift)
        for _ in range(25):
            client.track_event("gpt-4", tokens=1)
    assert client.flush(5)
    assert len(server.events) == 100


def test_ten_thousand_tasks_lose_nothing(server: IngestServer) -> None:
    import asyncio

    client = LLMLabClient()

    async def task() -> None:
        await asyncio.sleep(0)
        client.track_event("gpt-4", tokens=1)

    async def work() -> None:
        await asyncio.gather(*[task() for _ in range(10_000)])

    asyncio.run(work())
    assert client.flush(30)
    assert len(server.events) == 10_000


def test_server_away_for_long_leaves_memory_flat(tmp_path: Path, away: str) -> None:
    program = """
    import tracemalloc
    tracemalloc.start()
    for _ in range(40_000): client.track_event('gpt-4', tokens=1)
    held, _ = tracemalloc.get_traced_memory()
    assert held < 6_000_000, held  # one batch under way; the events alone would be 10 MB
    """
    code, errors, _ = Process(tmp_path, away, program).end()
    assert (code, errors) == (0, "")


def test_many_processes_share_a_spool_folder(tmp_path: Path, server: IngestServer) -> None:
    processes = [Process(tmp_path, server.url, HUNDRED + FLUSH) for _ in range(6)]
    assert [process.end()[0] for process in processes] == [0] * 6
    server.wait_for(600)


def test_threads_that_track_while_the_process_ends_break_nothing(
    tmp_path: Path, server: IngestServer
) -> None:
    program = """
    def work():
        while True: client.track_event('gpt-4', tokens=1)
    for _ in range(4): threading.Thread(target=work, daemon=True).start()
    time.sleep(0.2)
    """
    code, errors, _ = Process(tmp_path, server.url, program).end()
    assert (code, errors) == (0, "")
