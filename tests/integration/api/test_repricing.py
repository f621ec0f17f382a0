"""Missing and doubtful costs over the API: found, mapped, previewed, re-priced."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from llmlab_app.domain.access import Scope
from tests.integration.api.conftest import Tenant, make_tenant

USAGE = {"input_tokens": 1000, "output_tokens": 100}
EVENT: dict[str, Any] = {"provider": "openai", "model": "gpt-4o-mini", "usage": USAGE}
UNKNOWN = {"provider": "azure", "model": "team-chat", "usage": USAGE}
LIST = "0.00021"


async def send(client: httpx2.AsyncClient, *events: dict[str, Any], **more: Any) -> None:
    answer = await client.post("/api/events/batch", json={"events": list(events)}, **more)
    assert answer.json()["rejected"] == [], answer.text


async def reprice(client: httpx2.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post("/api/prices/reprice", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def unpriced(client: httpx2.AsyncClient, **params: str) -> list[dict[str, Any]]:
    return (await client.get("/api/prices/unpriced", params=params)).json()["data"]


async def test_calls_without_a_price_are_listed_by_model_and_reason(
    client: httpx2.AsyncClient,
) -> None:
    earlier = (datetime.now(UTC) - timedelta(hours=2)).replace(microsecond=0)
    await send(
        client,
        {**UNKNOWN, "occurred_at": earlier.isoformat()},
        UNKNOWN,
        {**EVENT, "service_tier": "zzz"},
        {"model": "gpt-4o", "tokens": 5},
        EVENT,
        {**UNKNOWN, "charge": "unbilled"},
    )
    found = await unpriced(client)
    assert [(each["model"], each["reason"], each["calls"]) for each in found] == [
        ("team-chat", "unknown_model", 2),
        ("gpt-4o", "total_only", 1),
        ("gpt-4o-mini", "unknown_tier", 1),
    ]
    assert found[0]["first_seen"] == earlier.isoformat().replace("+00:00", "Z")
    assert found[0]["last_seen"] > found[0]["first_seen"]
    assert (found[0]["input_tokens"], found[0]["output_tokens"]) == (2000, 200)
    assert [each["mappable"] for each in found] == [True, False, False]
    assert await unpriced(client, until=earlier.isoformat()) == []


async def test_an_unpriced_model_is_mapped_previewed_and_re_priced(
    client: httpx2.AsyncClient,
) -> None:
    await send(client, UNKNOWN, UNKNOWN, EVENT)
    mapping = {"target_provider": "openai", "target_model": "gpt-4o-mini"}
    names = {"provider": "azure", "model": "team-chat"}
    added = await client.post("/api/prices/mappings", json={**names, **mapping})
    assert added.status_code == 201, added.text
    filters = {"model": "team-chat", "cost_source": "unpriced"}
    preview = await reprice(client, filters=filters)
    assert preview["dry_run"] is True
    [month] = preview["months"]
    assert (month["events"], month["old_cost"], month["new_cost"]) == (2, "0", "0.00042")
    assert month["difference"] == "0.00042"
    assert len(await unpriced(client)) == 1
    done = await reprice(client, filters=filters, dry_run=False)
    assert (done["amended"], done["months"]) == (2, preview["months"])
    assert await unpriced(client) == []
    total = (await client.get("/api/costs/summary")).json()["all_time"]
    assert (total["cost"], total["unpriced_events"]) == ("0.00063", 0)


async def test_a_preview_is_what_is_asked_for_unless_said_otherwise(
    client: httpx2.AsyncClient,
) -> None:
    await send(client, EVENT)
    await client.post(
        "/api/prices/discounts", json={"percent": "50", "effective_from": "2026-01-01T00:00:00Z"}
    )
    assert (await reprice(client))["amended"] == 0
    assert (await client.get("/api/costs/summary")).json()["all_time"]["cost"] == LIST


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"filters": {"colour": "red"}}, "unknown_filter"),
        ({"months": ["August"]}, "invalid_month"),
        ({"since": "tomorrow"}, "invalid_time"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "empty_range"),
        ({"dry_run": "no"}, "invalid_event"),
        ({"dryrun": False}, "invalid_event"),
    ],
)
async def test_a_re_pricing_that_makes_no_sense_is_refused(
    client: httpx2.AsyncClient, body: dict[str, Any], code: str
) -> None:
    answer = await client.post("/api/prices/reprice", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


async def test_only_an_admin_of_the_workspace_re_prices(api: httpx2.AsyncClient) -> None:
    reader = await make_tenant(scopes=frozenset({Scope.READ, Scope.EVENTS_WRITE}))
    for dry_run in (True, False):
        answer = await api.post(
            "/api/prices/reprice", json={"dry_run": dry_run}, headers=reader.headers
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


async def test_another_workspaces_calls_are_not_re_priced(
    api: httpx2.AsyncClient, mine: Tenant
) -> None:
    theirs = await make_tenant()
    await send(api, EVENT, headers=theirs.headers)
    term = {"percent": "50", "effective_from": "2026-01-01T00:00:00Z"}
    await api.post("/api/prices/discounts", json=term, headers=mine.headers)
    body = {"dry_run": False}
    done = await api.post("/api/prices/reprice", json=body, headers=mine.headers)
    assert (done.json()["examined"], done.json()["amended"]) == (0, 0)
    total = await api.get("/api/costs/summary", headers=theirs.headers)
    assert total.json()["all_time"]["cost"] == LIST


async def test_drift_between_reported_and_computed_cost_is_shown_by_model(
    client: httpx2.AsyncClient,
) -> None:
    await send(
        client,
        {**EVENT, "cost": "0.00042"},
        {**EVENT, "cost": "0.00021"},
        {"provider": "openrouter", "model": "openai/gpt-4o-mini", "usage": USAGE, "cost": "0.001"},
        EVENT,
        {**UNKNOWN, "cost": "1"},
    )
    found = (await client.get("/api/prices/drift")).json()["data"]
    told = {each["model"]: each for each in found}
    assert told["gpt-4o-mini"] == {
        "provider": "openai",
        "model": "gpt-4o-mini",
        "calls": 2,
        "reported_cost": "0.00063",
        "computed_cost": "0.00042",
        "difference": "-0.00021",
        "ratio": "0.6667",
    }
    assert "team-chat" not in told
    too_long = await client.get("/api/prices/drift", params={"since": "2026-01-01"})
    assert too_long.json()["code"] == "range_too_long"
