"""``/api/recommendations`` over the wire: the documented shape, money as strings, who may ask."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2

from llmlab_app.domain.access import Scope
from tests.integration.api.conftest import make_tenant

URL = "/api/recommendations"


async def track(client: httpx2.AsyncClient, number: int) -> None:
    at = datetime.now(UTC) - timedelta(days=1)
    events = [
        {
            "model": "gpt-4o",
            "provider": "openai",
            "feature": "summarise",
            "usage": {"input_tokens": 20_000 + n, "output_tokens": 500},
            "occurred_at": (at + timedelta(seconds=n)).isoformat(),
        }
        for n in range(number)
    ]
    answer = await client.post("/api/events/batch", json={"events": events})
    assert answer.json()["accepted"] == number


async def test_advice_has_every_field_that_is_documented(client: httpx2.AsyncClient) -> None:
    await track(client, 12)

    answer = await client.post(f"{URL}/refresh")

    assert answer.status_code == 200
    body = answer.json()
    assert body["reason"] is None
    assert body["currency"] == "USD"
    assert body["computed_at"].endswith("Z")
    (found,) = body["data"]
    assert found["segment"]["feature"] == "summarise"
    assert found["segment"]["model"] == "gpt-4o"
    assert found["candidate"] == {"provider": "openai", "model": "gpt-6-luna"}
    assert found["evidence"]["status"] == "unverified candidate"
    assert found["evidence"]["source_url"].startswith("https://")
    assert found["confidence"] <= 0.5
    assert found["calls"] == 12
    assert found["window"] == body["window"]
    money = [found["current_cost"], found["counterfactual_cost"], found["expected_saving"]]
    assert all(isinstance(amount, str) for amount in money)
    current, counterfactual, saving = map(Decimal, money)
    assert current - counterfactual == saving == Decimal(body["expected_saving"])
    bounds = found["expected_saving_range"]
    assert Decimal(bounds["low"]) < saving < Decimal(bounds["high"])
    assert bounds["level"] == "0.8"
    assert (await client.get(URL)).json() == body


async def test_without_calls_there_is_a_reason(client: httpx2.AsyncClient) -> None:
    before: dict[str, Any] = (await client.get(URL)).json()
    after = (await client.post(f"{URL}/refresh")).json()

    assert (before["data"], before["computed_at"], before["window"]) == ([], None, None)
    assert before["expected_saving"] == after["expected_saving"] == "0"
    assert "none yet" in after["reason"]


async def test_a_reader_may_read_and_not_refresh(api: httpx2.AsyncClient) -> None:
    reader = await make_tenant(scopes=frozenset({Scope.READ}))
    writer = await make_tenant(scopes=frozenset({Scope.EVENTS_WRITE}))

    assert (await api.get(URL, headers=reader.headers)).status_code == 200
    assert (await api.post(f"{URL}/refresh", headers=reader.headers)).status_code == 403
    assert (await api.get(URL, headers=writer.headers)).status_code == 403


async def test_another_workspace_sees_nothing_of_it(client: httpx2.AsyncClient) -> None:
    await track(client, 12)
    await client.post(f"{URL}/refresh")
    stranger = await make_tenant()

    answer = await client.get(URL, headers=stranger.headers)

    assert answer.json()["data"] == []
