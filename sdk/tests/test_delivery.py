from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from llmlab import LLMLabClient, _delivery
from llmlab._recorder import registry
from sdk.tests.conftest import KEY
from sdk.tests.loopback import Answer, IngestServer, Request


def track(count: int, model: str = "gpt-4") -> LLMLabClient:
    client = LLMLabClient()
    for _ in range(count):
        client.track_event(model, tokens=1)
    return client


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_events_leave_by_themselves_soon(server: IngestServer) -> None:
    track(1)
    server.wait_for(1, seconds=2)


def test_events_travel_in_batches_of_a_thousand_at_most(server: IngestServer) -> None:
    assert track(2500).flush(10)
    assert len(server.events) == 2500
    assert max(server.batches) <= 1000
    assert len(server.batches) <= 8


def test_request_carries_key_project_and_json(
    server: IngestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMLAB_PROJECT", "shop")
    track(1).flush(5)
    request = server.requests[-1]
    assert request.path == "/api/events/batch"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["x-llmlab-project"] == "shop"
    assert request.headers["content-type"] == "application/json"


def test_large_batches_to_another_machine_are_zipped(
    server: IngestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llmlab._http import Connection

    monkeypatch.setattr(Connection, "is_local", False)
    assert track(100).flush(5)
    assert len(server.events) == 100
    assert server.requests[-1].headers["content-encoding"] == "gzip"


def test_server_that_comes_later_gets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("LLMLAB_SERVER", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("LLMLAB_API_KEY", KEY)
    client = track(50)
    assert not client.flush(0.3)
    assert client.stats.spooled == 50
    server = IngestServer(port)
    assert client.flush(5)
    server.stop()
    assert len(server.events) == 50
    assert server.duplicates == 0


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
def test_passing_failure_is_tried_again(server: IngestServer, status: int) -> None:
    failures = [Answer({}, status)] * 2
    server.before = lambda request: (
        failures.pop() if request.method == "POST" and failures else None
    )
    assert track(5).flush(5)
    assert len(server.events) == 5


def test_retry_after_is_obeyed(server: IngestServer) -> None:
    times: list[float] = []

    def busy_once(request: Request) -> Answer | None:
        if request.method == "POST":
            times.append(time.monotonic())
        busy = Answer({}, 503, {"Retry-After": "1"})
        return busy if request.method == "POST" and len(times) == 1 else None

    server.before = busy_once
    track(1)
    server.wait_for(1, seconds=5)
    assert times[1] - times[0] >= 1.0


def test_refused_key_keeps_the_events_and_does_not_hammer(server: IngestServer) -> None:
    server.before = lambda request: Answer({}, 401) if request.method == "POST" else None
    client = track(3)
    assert not client.flush(0.5)
    time.sleep(0.5)
    assert client.stats.spooled == 3
    assert sum(request.method == "POST" for request in server.requests) == 1


def test_lost_answer_is_delivered_again_under_the_same_id(server: IngestServer) -> None:
    """The server stored the batch, but the word of it never came back."""
    answer = server.loopback.answer

    def forgetful(request: Request) -> Answer:
        stored = answer(request)
        if request.method == "POST" and len(server.batches) == 1:
            return Answer({}, 500)
        return stored

    server.loopback.answer = forgetful
    assert track(3).flush(5)
    assert len(server.events) == 3
    assert server.duplicates == 3


def test_rejected_event_is_set_aside_and_its_neighbours_arrive(
    server: IngestServer, own_home: Path
) -> None:
    server.reject = lambda event: "month_sealed" if event["model"] == "bad" else None
    track(2)
    client = track(1, "bad")
    track(2)
    assert client.flush(5)
    assert len(server.events) == 4
    (line,) = (own_home / "spool" / "rejected.jsonl").read_text().splitlines()
    rejected = json.loads(line)
    assert (rejected["code"], rejected["event"]["model"]) == ("month_sealed", "bad")
    assert client.stats.dropped == {"rejected": 1}
    assert (own_home / "spool" / "rejected.jsonl").stat().st_mode & 0o777 == 0o600


def test_older_server_gets_only_the_fields_it_knows(server: IngestServer) -> None:
    server.fields = ["id", "model", "tokens"]
    assert track(3).flush(5)
    assert [set(event) for event in server.events.values()] == [{"id", "model", "tokens"}] * 3


def test_batch_refused_as_a_whole_is_halved_down_to_the_culprit(
    server: IngestServer, own_home: Path
) -> None:
    def strict(request: Request) -> Answer | None:
        if b'"model":"bad"' in request.body:
            return Answer({"code": "invalid_event", "detail": "no"}, 422)
        return None

    server.before = strict
    track(20)
    client = track(1, "bad")
    assert client.flush(5)
    assert len(server.events) == 20
    assert len((own_home / "spool" / "rejected.jsonl").read_text().splitlines()) == 1


def test_named_ingest_address_is_followed(server: IngestServer) -> None:
    elsewhere = IngestServer()
    health = {"status": "ok", "event_fields": None, "ingest_url": elsewhere.url}
    server.before = lambda request: Answer(health) if request.path == "/api/health" else None
    assert track(1).flush(5)
    elsewhere.stop()
    assert (len(server.events), len(elsewhere.events)) == (0, 1)


def test_unreachable_ingest_address_falls_back_to_the_server(server: IngestServer) -> None:
    health = {"status": "ok", "ingest_url": f"http://127.0.0.1:{free_port()}"}
    server.before = lambda request: Answer(health) if request.path == "/api/health" else None
    assert track(1).flush(5)
    assert len(server.events) == 1


@pytest.mark.parametrize("answer", [b"", b"not json", b"[]", b"null", b'{"results": 7}'])
def test_server_that_says_nothing_sensible_has_taken_the_events(
    server: IngestServer, answer: bytes
) -> None:
    server.before = lambda request: Answer(answer) if request.method == "POST" else None
    client = track(2)
    assert client.flush(5)
    assert client.stats.delivered == 2


@pytest.mark.parametrize(
    "address", ["", "ftp://x", "http://", "nonsense", "http://[::1", "http://x:y"]
)
def test_senseless_address_keeps_the_events_and_raises_nothing(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    client = LLMLabClient(server=address or "http://", api_key=KEY)
    client.track_event("gpt-4", tokens=1)
    assert not client.flush(0.3)
    assert client.stats.spooled == 1


def test_key_that_no_header_can_hold_raises_nothing(server: IngestServer) -> None:
    client = LLMLabClient(api_key="llmlab_ключ_\n")
    client.track_event("gpt-4", tokens=1)
    assert not client.flush(0.3)
    assert client.stats.spooled == 1


def test_sixty_four_threads_lose_nothing(server: IngestServer) -> None:
    threads = [threading.Thread(target=track, args=(50,)) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert LLMLabClient().flush(10)
    assert len(server.events) == 3200
    assert server.duplicates == 0


def test_full_disk_does_not_stop_the_events(
    server: IngestServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocker = tmp_path / "blocker"
    blocker.write_text("")
    monkeypatch.setenv("LLMLAB_HOME", str(blocker / "home"))
    assert track(10).flush(5)
    assert len(server.events) == 10


def test_fault_of_our_own_neither_kills_the_thread_nor_spins(
    server: IngestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_delivery, "LONGEST_RETRY_SECONDS", 0.1)
    faults = [ZeroDivisionError()]
    client = track(0)
    recorder: Any = client.recorder
    real = recorder._delivery._send

    def sometimes(events: list[bytes]) -> None:
        if faults:
            raise faults.pop()
        real(events)

    monkeypatch.setattr(recorder._delivery, "_send", sometimes)
    client.track_event("gpt-4", tokens=1)
    assert client.flush(5)
    assert len(server.events) == 1


def test_events_of_two_projects_never_mix(server: IngestServer, own_home: Path) -> None:
    for project in ("a", "b"):
        LLMLabClient(project=project).track_event("gpt-4", tokens=1)
    folders = [path for path in (own_home / "spool").iterdir() if path.is_dir()]
    assert len(folders) == 2


def test_spool_tells_nothing_of_the_key(server: IngestServer, own_home: Path) -> None:
    server.stop()
    track(1)
    registry.forget()
    found = [str(path) for path in own_home.rglob("*")]
    texts = [path.read_text() for path in own_home.rglob("*.jsonl")]
    assert texts
    assert "s" * 43 not in "".join(found + texts)
