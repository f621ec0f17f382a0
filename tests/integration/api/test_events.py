import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from llmlab_app.domain.access import Scope
from llmlab_app.domain.identity import uuid7
from tests.integration.api.conftest import Tenant, make_tenant
from tests.integration.storage.ledger_checks import assert_rollups_equal_events

MINIMAL: dict[str, Any] = {
    "model": "gpt-4o-mini",
    "usage": {"input_tokens": 1450, "cache_read_tokens": 1000, "output_tokens": 220},
}
COMPLETE: dict[str, Any] = {
    "id": str(uuid7(datetime.now(UTC), b"0123456789")),
    "provider": "openai",
    "model": "gpt-4o-mini-2024-07-18",
    "request_model": "gpt-4o-mini",
    "operation": "chat",
    "usage": {
        "input_tokens": 1450,
        "cache_read_tokens": 1000,
        "cache_write_tokens": 0,
        "cache_write_1h_tokens": 0,
        "output_tokens": 220,
        "reasoning_tokens": 128,
        "input_audio_tokens": 0,
        "output_audio_tokens": 0,
        "web_search_requests": 0,
    },
    "units": {},
    "raw_usage": {},
    "usage_estimated": False,
    "charge": "metered",
    "service_tier": "default",
    "region": None,
    "cost": None,
    "feature": "summarise",
    "user": "u_42",
    "session": None,
    "tags": {"team": "search"},
    "latency_ms": 812,
    "time_to_first_token_ms": 240,
    "stream": True,
    "status": "ok",
    "error": None,
    "finish_reason": "stop",
    "retries": 0,
    "response_id": "chatcmpl-1",
    "prompt_hash": None,
    "prefix_hashes": [],
    "revision": 0,
    "sdk": "llmlab-python/0.1.0",
}
# 450 uncached x $0.15 + 1,000 cached x $0.075 + 220 x $0.60, each for a million tokens:
# the price page of OpenAI for gpt-4o-mini since 2024-10-01, by hand.
COST = "0.0002745"


async def track(client: httpx2.AsyncClient, event: object) -> httpx2.Response:
    return await client.post("/api/events/track", content=json.dumps(event))


async def batch(client: httpx2.AsyncClient, *events: object) -> httpx2.Response:
    return await client.post("/api/events/batch", content=json.dumps({"events": events}))


async def stored_events(client: httpx2.AsyncClient) -> list[dict[str, Any]]:
    return (await client.get("/api/events")).json()["data"]


async def test_an_event_is_answered_with_its_exact_cost(client: httpx2.AsyncClient) -> None:
    answer = await track(client, MINIMAL)
    assert answer.status_code == 200
    body = answer.json()
    assert body.pop("id")
    assert body == {"accepted": True, "duplicate": False, "cost": COST, "cost_source": "computed"}


async def test_the_complete_event_of_the_contract_comes_back(client: httpx2.AsyncClient) -> None:
    assert (await track(client, COMPLETE)).json()["id"] == COMPLETE["id"]
    [event] = await stored_events(client)
    unlike = {
        name: (value, event.get(name))
        for name, value in COMPLETE.items()
        if name not in {"prompt_hash", "prefix_hashes", "usage", "cost"} and event[name] != value
    }
    assert unlike == {}
    assert COMPLETE["usage"].items() <= event["usage"].items()
    assert event["cost"] == COST


async def test_a_retry_is_a_duplicate_with_the_stored_cost(client: httpx2.AsyncClient) -> None:
    first = (await track(client, COMPLETE)).json()
    again = (await track(client, COMPLETE)).json()
    assert again == {**first, "duplicate": True}
    assert len(await stored_events(client)) == 1
    await assert_rollups_equal_events()


async def test_the_seed_example_keeps_its_reported_cost(client: httpx2.AsyncClient) -> None:
    body = (await track(client, {"model": "gpt-4", "tokens": 1500, "cost": 0.045})).json()
    assert (body["cost"], body["cost_source"]) == ("0.045", "reported")
    [event] = await stored_events(client)
    assert event["total_tokens"] == 1500
    assert event["usage"] is None


async def test_an_unknown_model_is_unpriced_and_never_zero(client: httpx2.AsyncClient) -> None:
    body = (await track(client, {**MINIMAL, "model": "nobody-knows-1"})).json()
    assert (body["cost"], body["cost_source"]) == (None, "unpriced")
    summary = (await client.get("/api/costs/summary")).json()
    assert summary["today"]["unpriced_events"] == 1
    assert summary["today"]["events"] == 1
    assert summary["today"]["cost"] == "0"


async def test_a_failed_call_may_say_nothing_about_usage(client: httpx2.AsyncClient) -> None:
    failed = {"model": "gpt-4o-mini", "status": "error", "error": "APITimeoutError"}
    assert (await track(client, {**failed, "charge": "probable"})).json()["cost"] is None
    answered = {"model": "gpt-4o-mini", "usage": None}
    assert (await track(client, answered)).status_code == 200


BAD_EVENTS: dict[str, tuple[Any, str]] = {
    "unknown field": ({**MINIMAL, "prompt": "secret"}, "invalid_event"),
    "unknown usage field": ({"model": "m", "usage": {"tokens_in": 1}}, "invalid_event"),
    "no model": ({"usage": {"input_tokens": 1}}, "invalid_event"),
    "nothing consumed": ({"model": "gpt-4o"}, "missing_usage"),
    "negative count": ({"model": "m", "usage": {"input_tokens": -1}}, "invalid_event"),
    "huge count": ({"model": "m", "usage": {"input_tokens": 2**31}}, "invalid_event"),
    "count as text": ({"model": "m", "usage": {"input_tokens": "12"}}, "invalid_event"),
    "fraction of a token": ({"model": "m", "usage": {"input_tokens": 1.5}}, "invalid_event"),
    "truth as a count": ({"model": "m", "usage": {"input_tokens": True}}, "invalid_event"),
    "negative cost": ({"model": "m", "cost": -1}, "invalid_event"),
    "absurd cost": ({"model": "m", "cost": 1_000_001}, "invalid_event"),
    "cost not a number": ({"model": "m", "cost": "lots"}, "invalid_event"),
    "NUL in a name": ({**MINIMAL, "model": "gpt\x00"}, "invalid_event"),
    "newline in a tag": ({**MINIMAL, "tags": {"team": "a\nb"}}, "invalid_event"),
    "C1 control in a user": ({**MINIMAL, "user": "\x9b31m"}, "invalid_event"),
    "escape in raw usage": ({**MINIMAL, "raw_usage": {"x": "\x1b[2J"}}, "invalid_event"),
    "text in raw usage": ({**MINIMAL, "raw_usage": {"text": "word " * 30}}, "invalid_event"),
    "too much raw usage": ({**MINIMAL, "raw_usage": {"n": [1] * 4096}}, "invalid_event"),
    "empty model": ({**MINIMAL, "model": ""}, "invalid_event"),
    "long model": ({**MINIMAL, "model": "m" * 201}, "invalid_event"),
    "too many tags": ({**MINIMAL, "tags": {f"t{n}": "" for n in range(33)}}, "invalid_event"),
    "unknown charge": ({**MINIMAL, "charge": "free"}, "invalid_event"),
    "unknown status": ({**MINIMAL, "status": "meh"}, "invalid_event"),
    "time without a zone": ({**MINIMAL, "occurred_at": "2026-11-01T00:00:00"}, "invalid_event"),
    "cached over input": (
        {"model": "m", "usage": {"input_tokens": 5, "cache_read_tokens": 6}},
        "contradictory_usage",
    ),
    "reasoning over output": (
        {"model": "m", "usage": {"output_tokens": 5, "reasoning_tokens": 6}},
        "contradictory_usage",
    ),
    "future": ({**MINIMAL, "occurred_at": "2999-01-01T00:00:00Z"}, "time_out_of_range"),
    "past": ({**MINIMAL, "occurred_at": "2021-12-31T23:59:59Z"}, "time_out_of_range"),
    "foreign id without time": ({**MINIMAL, "id": "order-17"}, "missing_time"),
    "id of another time": (
        {**COMPLETE, "occurred_at": "2026-01-01T00:00:00Z"},
        "id_time_mismatch",
    ),
    "not an object": ([1], "invalid_event"),
    "a word": ("event", "invalid_event"),
    "nothing": (None, "invalid_event"),
}


@pytest.mark.parametrize(("event", "code"), BAD_EVENTS.values(), ids=BAD_EVENTS.keys())
async def test_a_bad_event_is_refused_with_its_code_and_nothing_is_stored(
    client: httpx2.AsyncClient, event: object, code: str
) -> None:
    answer = await track(client, event)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (422, code)
    assert problem["detail"]
    assert "secret" not in answer.text
    assert await stored_events(client) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\x00",
        b"\xff\xfe",
        b'{"model": "gpt-4o", "cost": 1}}',
        b'{"model": "\\ud800", "cost": 1}',
        b"[" * 100_000,
        b'{"a":' * 5_000,
    ],
)
@pytest.mark.parametrize("path", ["/api/events/track", "/api/events/batch"])
async def test_a_body_that_is_no_json_is_malformed(
    client: httpx2.AsyncClient, path: str, body: bytes
) -> None:
    answer = await client.post(path, content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert await stored_events(client) == []


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-0.1"])
@pytest.mark.parametrize("field", ["cost", "latency_ms"])
async def test_numbers_that_are_none_are_refused(
    client: httpx2.AsyncClient, number: str, field: str
) -> None:
    body = f'{{"model": "gpt-4o", "usage": {{"input_tokens": 1}}, "{field}": {number}}}'
    answer = await client.post("/api/events/track", content=body)
    assert answer.status_code in (400, 422)
    assert await stored_events(client) == []


@pytest.mark.parametrize(
    "envelope",
    [
        {},
        {"events": []},
        {"events": {}},
        {"events": None},
        {"events": [MINIMAL], "more": 1},
        {"events": [MINIMAL] * 1001},
        [MINIMAL],
    ],
)
async def test_a_wrong_envelope_is_refused_whole(
    client: httpx2.AsyncClient, envelope: object
) -> None:
    answer = await client.post("/api/events/batch", content=json.dumps(envelope))
    assert answer.status_code == 422
    assert await stored_events(client) == []


async def test_one_bad_event_of_a_batch_rejects_itself_alone(client: httpx2.AsyncClient) -> None:
    bad, contradictory = {"model": 1}, BAD_EVENTS["cached over input"][0]
    answer = await batch(client, MINIMAL, bad, COMPLETE, contradictory, COMPLETE)
    body = answer.json()
    assert (answer.status_code, body["accepted"], body["duplicates"]) == (200, 2, 1)
    assert [(each["index"], each["code"]) for each in body["rejected"]] == [
        (1, "invalid_event"),
        (3, "contradictory_usage"),
    ]
    statuses = [each["status"] for each in body["results"]]
    assert statuses == ["accepted", "rejected", "accepted", "rejected", "duplicate"]
    assert body["results"][2] == {
        "id": COMPLETE["id"],
        "status": "accepted",
        "cost": COST,
        "cost_source": "computed",
    }
    assert body["results"][4]["cost"] == COST
    assert len(await stored_events(client)) == 2
    await assert_rollups_equal_events()


async def test_a_thousand_events_fit_one_batch(client: httpx2.AsyncClient) -> None:
    body = (await batch(client, *[MINIMAL] * 1000)).json()
    assert body["accepted"] == 1000
    summary = (await client.get("/api/costs/summary")).json()
    assert Decimal(summary["today"]["cost"]) == Decimal(COST) * 1000


async def test_a_key_without_the_scope_may_not_write(api: httpx2.AsyncClient) -> None:
    reader = await make_tenant(scopes=frozenset({Scope.READ}))
    answer = await api.post("/api/events/track", json=MINIMAL, headers=reader.headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer llmlab_aaaaaaaa_" + "b" * 49},
        {"Authorization": "Basic eDp5"},
        {"X-API-Key": "\x7f"},
    ],
)
async def test_without_a_key_nothing_is_stored(
    api: httpx2.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await api.post("/api/events/track", json=MINIMAL, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_another_tenant_sees_and_explains_nothing(
    client: httpx2.AsyncClient, mine: Tenant
) -> None:
    id = (await track(client, COMPLETE)).json()["id"]
    theirs = (await make_tenant()).headers
    assert (await client.get("/api/events", headers=theirs)).json()["data"] == []
    assert (await client.get(f"/api/events/{id}/receipt", headers=theirs)).status_code == 404
    summary = (await client.get("/api/costs/summary", headers=theirs)).json()
    assert summary["all_time"]["events"] == 0


async def test_the_receipt_adds_up_to_the_stored_cost(client: httpx2.AsyncClient) -> None:
    id = (await track(client, COMPLETE)).json()["id"]
    receipt = (await client.get(f"/api/events/{id}/receipt")).json()
    lines = {line["token_class"]: line for line in receipt["lines"]}
    assert lines["input"]["quantity"] == "450"
    assert lines["cache_read"]["unit_price_per_million"] == "0.075"
    assert sum(Decimal(line["cost"]) for line in receipt["lines"]) == Decimal(COST)
    assert receipt["cost"] == COST
    assert receipt["price_source"]


@pytest.mark.parametrize("id", ["x", "0192f0c1", "01a2097c-c0db-7162-a364-65666768696a"])
async def test_the_receipt_of_no_call_is_not_found(client: httpx2.AsyncClient, id: str) -> None:
    assert (await client.get(f"/api/events/{id}/receipt")).status_code == 404


async def test_pages_follow_one_another_without_gap_or_repeat(client: httpx2.AsyncClient) -> None:
    now = datetime.now(UTC)
    events = [
        {**MINIMAL, "id": f"e{n}", "occurred_at": (now - timedelta(minutes=n)).isoformat()}
        for n in range(25)
    ]
    await batch(client, *events)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = (
            await client.get(
                "/api/events", params={"limit": 10} | ({"cursor": cursor} if cursor else {})
            )
        ).json()
        seen += [each["occurred_at"] for each in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == 25


async def test_filters_restrict_the_calls(client: httpx2.AsyncClient) -> None:
    await batch(client, {**MINIMAL, "feature": "a"}, {**MINIMAL, "tags": {"team": "x"}})
    assert len((await client.get("/api/events?feature=a")).json()["data"]) == 1
    assert len((await client.get("/api/events?tag:team=x")).json()["data"]) == 1
    assert len((await client.get("/api/events?model=gpt-4o-mini")).json()["data"]) == 2
    assert (await client.get("/api/events?colour=red")).json()["code"] == "unknown_filter"
    assert (await client.get("/api/events?cursor=zzz")).json()["code"] == "invalid_cursor"
    assert (await client.get("/api/events?limit=0")).status_code == 422
