"""A workspace's own prices, discounts and mapped models over the API, and what calls then cost."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from llmlab_app.domain.access import Scope
from llmlab_app.storage.database import fetch, transaction
from tests.integration.api.conftest import Tenant, make_tenant

OVERRIDES, DISCOUNTS, MAPPINGS = (
    f"/api/prices/{kind}" for kind in ("overrides", "discounts", "mappings")
)
# gpt-4o-mini: $0.15 and $0.60 per million, so 0.00015 + 0.00006 for this call.
USAGE = {"input_tokens": 1000, "output_tokens": 100}
EVENT: dict[str, Any] = {"provider": "openai", "model": "gpt-4o-mini", "usage": USAGE}
LIST = "0.00021"


async def add(client: httpx2.AsyncClient, url: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(url, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def track(client: httpx2.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/api/events/track", json={**EVENT, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def receipt(client: httpx2.AsyncClient, id: str) -> dict[str, Any]:
    return (await client.get(f"/api/events/{id}/receipt")).json()


async def month_cost(client: httpx2.AsyncClient) -> str:
    return (await client.get("/api/costs/summary")).json()["all_time"]["cost"]


async def test_a_discounted_call_costs_less_than_its_list_price(client: httpx2.AsyncClient) -> None:
    await add(client, DISCOUNTS, provider="openai", percent="10", note="spring deal")
    tracked = await track(client)
    assert tracked["cost"] == "0.000189"
    found = await receipt(client, tracked["id"])
    assert (found["list_cost"], found["discount"]) == (LIST, "0.000021")
    assert (found["effective_cost"], found["cost"]) == ("0.000189", "0.000189")
    assert found["agreed"]["factors"] == {"discount of 10 %: spring deal": "0.9"}
    assert sum(Decimal(line["cost"]) for line in found["lines"]) == Decimal(found["cost"])


async def test_totals_count_what_is_paid(client: httpx2.AsyncClient) -> None:
    await add(client, DISCOUNTS, percent="50")
    await track(client)
    await track(client)
    assert await month_cost(client) == LIST


async def test_an_own_price_replaces_the_list_price(client: httpx2.AsyncClient) -> None:
    await add(client, OVERRIDES, model="gpt-4o-mini", unit_prices_per_million={"input": "0.1"})
    found = await receipt(client, (await track(client))["id"])
    assert (found["list_cost"], found["cost"]) == (LIST, "0.00016")
    assert found["agreed"]["unit_prices_per_million"]["input"] == "0.1"


async def test_a_quote_is_what_the_workspace_would_pay(client: httpx2.AsyncClient) -> None:
    await add(client, DISCOUNTS, model="gpt-4o*", percent="50")
    quote = await client.post("/api/prices/quote", json={"model": "gpt-4o-mini", "usage": USAGE})
    assert quote.json()["cost"] == "0.000105"
    assert sum(Decimal(line["cost"]) for line in quote.json()["lines"]) == Decimal("0.000105")


async def test_a_mapped_model_is_priced_from_the_next_call_on(client: httpx2.AsyncClient) -> None:
    deployment = {"provider": "azure", "model": "team-chat"}
    before = await track(client, **deployment)
    assert (before["cost"], before["cost_source"]) == (None, "unpriced")
    mapping = {"target_provider": "openai", "target_model": "gpt-4o-mini"}
    await add(client, MAPPINGS, **deployment, **mapping)
    assert (await track(client, **deployment))["cost"] == LIST
    assert (await receipt(client, before["id"]))["cost"] is None


async def test_terms_hold_between_their_dates(client: httpx2.AsyncClient) -> None:
    start = datetime.now(UTC) - timedelta(days=3)
    end = start + timedelta(days=1)
    dates = {"effective_from": start.isoformat(), "effective_to": end.isoformat()}
    await add(client, DISCOUNTS, percent="50", **dates)
    costs = [
        (await track(client, occurred_at=(start + timedelta(hours=hours)).isoformat()))["cost"]
        for hours in (-1, 1, 23, 25)
    ]
    assert costs == [LIST, "0.000105", "0.000105", LIST]


async def test_without_dates_a_price_holds_from_now_and_a_mapping_since_ever(
    client: httpx2.AsyncClient,
) -> None:
    began = datetime.now(UTC)
    discount = await add(client, DISCOUNTS, percent="50")
    mapping = await add(client, MAPPINGS, provider="azure", model="x", target_model="gpt-4o")
    assert datetime.fromisoformat(discount["effective_from"]) >= began
    assert mapping["effective_from"] == "2022-01-01T00:00:00Z"
    assert discount["effective_to"] is mapping["effective_to"] is None
    yesterday = (began - timedelta(days=1)).isoformat()
    assert (await track(client, occurred_at=yesterday))["cost"] == LIST


async def test_a_change_closes_the_term_before_it_and_adds_one(client: httpx2.AsyncClient) -> None:
    first = await add(client, DISCOUNTS, percent="10", effective_from="2026-01-01T00:00:00Z")
    second = await add(client, DISCOUNTS, percent="20", effective_from="2026-06-01T00:00:00Z")
    assert second["closed"] == [first["id"]]
    listed = (await client.get(DISCOUNTS)).json()["data"]
    assert [(each["percent"], each["effective_to"]) for each in listed] == [
        ("20", None),
        ("10", "2026-06-01T00:00:00Z"),
    ]
    assert listed[1]["closed_by"] == listed[0]["created_by"]
    assert listed[0]["created_by"].endswith("(test)")


async def test_a_correction_withdraws_what_it_covers(client: httpx2.AsyncClient) -> None:
    start = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    wrong = await add(client, DISCOUNTS, percent="90", effective_from=start)
    right = await add(client, DISCOUNTS, percent="50", effective_from=start)
    assert right["closed"] == [wrong["id"]]
    assert (await track(client))["cost"] == "0.000105"


async def test_a_term_inside_a_longer_one_is_refused(client: httpx2.AsyncClient) -> None:
    long = await add(client, DISCOUNTS, percent="10", effective_from="2026-01-01T00:00:00Z")
    dates = {"effective_from": "2026-03-01T00:00:00Z", "effective_to": "2026-04-01T00:00:00Z"}
    refused = await client.post(DISCOUNTS, json={"percent": "20", **dates})
    assert (refused.status_code, refused.json()["code"]) == (409, "overlapping_term")
    assert long["id"] in refused.json()["detail"]
    assert len((await client.get(DISCOUNTS)).json()["data"]) == 1


async def test_a_closed_term_ends_now_and_stored_calls_keep_their_cost(
    client: httpx2.AsyncClient,
) -> None:
    discount = await add(client, DISCOUNTS, percent="50")
    stored = await track(client)
    assert (await client.delete(f"{DISCOUNTS}/{discount['id']}")).status_code == 204
    assert (await track(client))["cost"] == LIST
    assert (await receipt(client, stored["id"]))["cost"] == stored["cost"] == "0.000105"
    [closed] = (await client.get(DISCOUNTS)).json()["data"]
    assert closed["effective_to"] is not None


async def test_a_term_closed_at_its_start_never_held(client: httpx2.AsyncClient) -> None:
    start = datetime.now(UTC) - timedelta(days=1)
    discount = await add(client, DISCOUNTS, percent="50", effective_from=start.isoformat())
    url = f"{DISCOUNTS}/{discount['id']}"
    assert (await client.delete(url, params={"until": "2026-01-01"})).status_code == 204
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert (await track(client, occurred_at=hour_ago))["cost"] == LIST


@pytest.mark.parametrize(
    ("url", "body", "code"),
    [
        (DISCOUNTS, {"percent": "0"}, "invalid_event"),
        (DISCOUNTS, {"percent": "101"}, "invalid_event"),
        (DISCOUNTS, {"percent": "NaN"}, "invalid_event"),
        (DISCOUNTS, {"percent": "10", "discount": 1}, "invalid_event"),
        (DISCOUNTS, {"percent": "10", "note": "a\nb"}, "invalid_event"),
        (DISCOUNTS, {"percent": "10", "model": "gpt*mini"}, "invalid_model_pattern"),
        (DISCOUNTS, {"percent": "10", "model": "*gpt*"}, "invalid_model_pattern"),
        (OVERRIDES, {"unit_prices_per_million": {}}, "invalid_event"),
        (OVERRIDES, {"unit_prices_per_million": {"input": "-1"}}, "invalid_event"),
        (MAPPINGS, {"provider": "azure", "model": "x", "target_model": "zzz"}, "unknown_target"),
        (
            MAPPINGS,
            {"provider": "openai", "model": "gpt-4o", "target_model": "gpt-4o"},
            "unknown_target",
        ),
        (
            DISCOUNTS,
            {
                "percent": "10",
                "effective_from": "2026-02-01T00:00:00Z",
                "effective_to": "2026-02-01T00:00:00Z",
            },
            "empty_range",
        ),
    ],
)
async def test_a_term_that_makes_no_sense_is_refused(
    client: httpx2.AsyncClient, url: str, body: dict[str, Any], code: str
) -> None:
    answer = await client.post(url, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert (await client.get(url)).json() == {"data": []}


async def test_only_an_admin_of_the_workspace_changes_prices(
    api: httpx2.AsyncClient, mine: Tenant
) -> None:
    reader = await make_tenant(scopes=frozenset({Scope.READ, Scope.EVENTS_WRITE}))
    for method, url in (
        ("POST", DISCOUNTS),
        ("DELETE", f"{DISCOUNTS}/{reader.principal.workspace_id}"),
    ):
        answer = await api.request(method, url, json={"percent": "10"}, headers=reader.headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    key = {"name": "k", "scopes": ["admin"], "project": "default"}
    made = (await api.post("/api/keys", json=key, headers=mine.headers)).json()["key"]
    of_project = {"Authorization": f"Bearer {made}"}
    answer = await api.post(DISCOUNTS, json={"percent": "10"}, headers=of_project)
    assert (answer.status_code, answer.json()["code"]) == (403, "workspace_key_needed")


async def test_another_workspaces_prices_are_not_ours(
    api: httpx2.AsyncClient, mine: Tenant
) -> None:
    theirs = await make_tenant()
    await api.post(DISCOUNTS, json={"percent": "50"}, headers=theirs.headers)
    assert (await api.get(DISCOUNTS, headers=mine.headers)).json() == {"data": []}
    event = await api.post("/api/events/track", json=EVENT, headers=mine.headers)
    assert event.json()["cost"] == LIST


async def test_every_change_of_prices_is_audited(client: httpx2.AsyncClient) -> None:
    first = await add(client, DISCOUNTS, percent="10")
    second = await add(client, DISCOUNTS, percent="20")
    await client.delete(f"{DISCOUNTS}/{second['id']}")
    async with transaction() as session:
        rows = await fetch(
            session, "SELECT action, target FROM audit WHERE action LIKE 'price%' ORDER BY at", {}
        )
    told = {(row["action"], row["target"]) for row in rows}
    assert told == {
        ("price_discount.added", first["id"]),
        ("price_discount.closed", first["id"]),
        ("price_discount.added", second["id"]),
        ("price_discount.closed", second["id"]),
    }
