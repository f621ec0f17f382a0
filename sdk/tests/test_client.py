from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

import llmlab
from llmlab import LLMLabClient, LLMLabTracker
from sdk.tests.conftest import KEY
from sdk.tests.loopback import IngestServer

ANSWER = {
    "id": "msg_by_hand",
    "type": "message",
    "model": "claude-test-1",
    "usage": {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 90},
}


def test_response_given_by_hand_is_recorded(events: list[Any]) -> None:
    with LLMLabClient() as client:
        identity = client.track(
            ANSWER, provider="anthropic", feature="chat", user="u", tags={"team": "a"}
        )
    (event,) = events
    assert event["id"] == identity
    assert event["usage"] == {"input_tokens": 100, "output_tokens": 5, "cache_read_tokens": 90}
    assert (event["provider"], event["model"]) == ("anthropic", "claude-test-1")
    assert (event["feature"], event["user"], event["tags"]) == ("chat", "u", {"team": "a"})


def test_response_without_usage_is_counted_not_invented(events: list[Any]) -> None:
    client = LLMLabClient()
    with pytest.warns(llmlab.LLMLabWarning, match=r"LLMLabClient\.track"):
        assert client.track({"hello": "world"}) is None
    assert events == []
    assert client.stats.dropped == {"no_usage": 1}


def test_same_response_is_counted_once_and_what_is_new_amends_it(events: list[Any]) -> None:
    client = LLMLabClient()
    answer = {**ANSWER, "id": "msg_twice"}
    first = client.track(answer)
    assert client.track(answer) == first
    assert client.track(answer, feature="search") == first
    assert [event.get("revision", 0) for event in events] == [0, 1]
    assert events[1]["feature"] == "search"
    assert events[1]["usage"] == events[0]["usage"]


def test_numbers_given_by_hand_are_recorded(events: list[Any]) -> None:
    client = LLMLabClient()
    client.track_event(model="gpt-4", tokens=1500, cost=0.045)
    client.track_event("gpt-4o", input_tokens=10, output_tokens=5, latency_ms=12)
    client.track_event("gpt-4o", usage={"input_tokens": 10, "cache_read_tokens": 4})
    assert (events[0]["tokens"], events[0]["cost"]) == (1500, "0.045")
    assert events[1]["usage"] == {"input_tokens": 10, "output_tokens": 5}
    assert events[2]["usage"] == {"input_tokens": 10, "cache_read_tokens": 4}
    assert events[0]["feature"].endswith("test_numbers_given_by_hand_are_recorded")


def test_own_id_and_time_are_kept(events: list[Any]) -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
    LLMLabClient().track_event("gpt-4", tokens=1, id="invoice-7", occurred_at=moment)
    LLMLabClient().track_event("gpt-4", tokens=1, occurred_at=moment)
    assert (events[0]["id"], events[0]["occurred_at"]) == ("invoice-7", "2026-03-01T12:00:00+00:00")
    assert "occurred_at" not in events[1]
    milliseconds = int(events[1]["id"].replace("-", "")[:12], 16)
    assert milliseconds == moment.timestamp() * 1000


@pytest.mark.parametrize(
    "numbers",
    [
        {},
        {"tokens": -1},
        {"tokens": 1.5},
        {"tokens": True},
        {"tokens": 2**31},
        {"cost": float("nan")},
        {"cost": float("inf")},
        {"cost": -0.1},
        {"cost": 1_000_001},
        {"cost": "ten"},
        {"input_tokens": "many"},
        {"usage": {"input_tokens": -5}},
        {"usage": 7},
    ],
)
@pytest.mark.filterwarnings("ignore::llmlab.LLMLabWarning")
def test_numbers_that_make_no_sense_are_counted_and_not_sent(
    events: list[Any], numbers: dict[str, Any]
) -> None:
    client = LLMLabClient()
    assert client.track_event("gpt-4", **numbers) is None
    assert events == []
    assert client.stats.dropped == {"invalid_event": 1}


def test_flush_delivers_and_stats_tell(server: IngestServer) -> None:
    client = LLMLabClient()
    for _ in range(3):
        client.track_event("gpt-4", tokens=1)
    assert client.flush(timeout=5)
    assert len(server.events) == 3
    stats = client.stats
    assert (stats.written, stats.delivered, stats.spooled, stats.dropped) == (3, 3, 0, {})


def test_aflush_does_not_hold_up_the_loop(server: IngestServer) -> None:
    async def work() -> bool:
        async with LLMLabClient() as client:
            client.track_event("gpt-4", tokens=1)
            return await client.aflush(timeout=5)

    assert asyncio.run(work())
    assert len(server.events) == 1


def test_tracker_waits_for_the_servers_exact_cost(server: IngestServer) -> None:
    with LLMLabTracker() as tracker:
        for _ in range(3):
            LLMLabClient().track({**ANSWER, "id": None})
    assert tracker.calls == 3
    assert tracker.wait(timeout=5) == Decimal("0.00126")
    assert (tracker.cost, tracker.cost_source) == (Decimal("0.00126"), "computed")


def test_arguments_go_before_environment_before_file(
    server: IngestServer, own_home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_home.mkdir()
    config = {"server": server.url, "api_key": "llmlab_file_s", "project": "from-file"}
    (own_home / "config.json").write_text(__import__("json").dumps(config))
    LLMLabClient(api_key="llmlab_argument_s", project="mine").track_event("gpt-4", tokens=1)
    monkeypatch.setenv("LLMLAB_API_KEY", "llmlab_environment_s")
    monkeypatch.setenv("LLMLAB_PROJECT", "from-environment")
    LLMLabClient().track_event("gpt-4", tokens=1)
    monkeypatch.delenv("LLMLAB_API_KEY")
    monkeypatch.delenv("LLMLAB_PROJECT")
    LLMLabClient().track_event("gpt-4", tokens=1)
    server.wait_for(3)
    seen = {
        (request.headers["authorization"], request.headers["x-llmlab-project"])
        for request in server.requests
        if request.method == "POST"
    }
    assert seen == {
        ("Bearer llmlab_argument_s", "mine"),
        ("Bearer llmlab_environment_s", "from-environment"),
        ("Bearer llmlab_file_s", "from-file"),
    }


def test_without_a_key_nothing_is_written_and_everything_counted(own_home: Any) -> None:
    client = LLMLabClient()
    assert client.track_event("gpt-4", tokens=1) is not None
    assert client.stats.dropped == {"no_key": 1}
    assert not (own_home / "spool").exists()


def test_key_configured_later_is_found(
    server: IngestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llmlab._recorder import registry

    monkeypatch.delenv("LLMLAB_API_KEY")
    assert type(registry.default()).__name__ == "Recorder"
    monkeypatch.setenv("LLMLAB_API_KEY", KEY)
    monkeypatch.setattr(registry, "_look_again_at", 0.0)
    assert type(registry.default()).__name__ == "SpoolRecorder"


def test_disabled_means_that_nothing_happens(
    own_home: Any, server: IngestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMLAB_DISABLED", "1")
    llmlab.instrument()
    assert LLMLabClient().track(ANSWER) is None
    assert LLMLabClient().track_event("gpt-4", tokens=1) is None

    @llmlab.track_cost
    def ask() -> str:
        return "text"

    assert ask() == "text"
    assert LLMLabClient().stats.written == 0
    assert not own_home.exists()
