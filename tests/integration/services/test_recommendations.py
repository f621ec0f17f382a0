"""Advice over a real database; every figure is recomputed call by call with the domain's prices."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any

import pytest

from llmlab_app.domain.access import Principal, Scope
from llmlab_app.domain.advice import EvidenceStatus
from llmlab_app.domain.calendar import Period
from llmlab_app.domain.errors import NotAllowed
from llmlab_app.domain.events import AdditionalUsage, Charge, UsageEvent
from llmlab_app.domain.identity import EARLIEST, uuid7
from llmlab_app.domain.pricing import (
    CostBreakdown,
    Discount,
    ModelPrice,
    PriceBook,
    PriceScope,
    cost_of,
    price_event,
)
from llmlab_app.domain.usage import TokenUsage
from llmlab_app.services import recommendations
from llmlab_app.services.price_terms import add_term
from llmlab_app.services.prices import current_price_book, newest_prices
from llmlab_app.services.recommendations import list_recommendations, recommend, refresh
from llmlab_app.storage.database import copy_transaction, transaction
from llmlab_app.storage.event_rows import StoredEvent
from tests import factories
from tests.factories import event, tenant

pytestmark = pytest.mark.usefixtures("database")

EXTRA = (AdditionalUsage(model="gpt-4o-mini", usage=TokenUsage(input_tokens=10)),)
SAME: dict[str, Any] = {
    "model": "gpt-4o",
    "usage": TokenUsage(input_tokens=9_000, output_tokens=900),
}
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_ids = count(1)


@pytest.fixture
async def mine() -> Principal:
    async with transaction() as session:
        return await tenant(session, projects=2, timezone="Europe/Berlin")


def calls(
    principal: Principal, number: int, *, project: int = 0, until: datetime = NOW, **fields: Any
) -> list[UsageEvent]:
    """Calls of gpt-4o over the 29 days before ``until``, each with other tokens."""
    random = Random(number)
    return [
        event(
            **{
                "project_id": principal.project_ids[project],
                "occurred_at": (at := until - timedelta(minutes=random.randint(1, 29 * 1440))),
                "id": uuid7(at, next(_ids).to_bytes(10, "big")),
                "model": "gpt-4o-2024-08-06",
                "feature": "summarise",
                "usage": TokenUsage(
                    input_tokens=(n := random.randint(100, 20_000)),
                    cache_read_tokens=random.randint(0, n),
                    output_tokens=random.randint(1, 2_000),
                ),
                **fields,
            }
        )
        for _ in range(number)
    ]


async def store(events: list[UsageEvent], book: PriceBook | None = None) -> None:
    book = book or current_price_book()
    await factories.store(
        [StoredEvent(event=each, cost=price_event(book, each)[0]) for each in events]
    )


def cost_at(model: str, events: list[UsageEvent]) -> Decimal:
    """What ``events`` would have cost at ``model``, one by one, as a receipt would say."""
    total = Decimal(0)
    for each in events:
        assert each.usage is not None
        price = current_price_book().price_at(
            provider=each.provider,
            model=model,
            at=each.occurred_at,
            service_tier=each.service_tier,
            input_tokens=each.usage.input_tokens,
        )
        assert isinstance(price, ModelPrice)
        breakdown = cost_of(each.usage, {}, price)
        assert isinstance(breakdown, CostBreakdown)
        total += breakdown.total
    return total


async def test_saving_equals_an_independent_recomputation_to_the_last_digit(
    mine: Principal,
) -> None:
    events = calls(mine, 300)
    await store(events)

    report = await refresh(mine, now=NOW)

    (saved,) = report.recommendations
    found = saved.recommendation
    assert found.candidate.model == "gpt-6-luna"
    assert found.calls == 300
    assert found.current_cost == cost_at("gpt-4o-2024-08-06", events)
    assert found.counterfactual_cost == cost_at("gpt-6-luna", events)
    assert found.expected_saving == found.current_cost - found.counterfactual_cost
    groups = found.by_output_length
    assert [group.calls for group in groups] == [100, 100, 100]
    assert sum(group.current_cost for group in groups) == found.current_cost
    assert sum(group.counterfactual_cost for group in groups) == found.counterfactual_cost


async def test_advice_counts_what_the_workspace_pays(mine: Principal) -> None:
    halved = Discount(scope=PriceScope(), percent=Decimal(50))
    await add_term(mine, halved, effective_from=EARLIEST, effective_to=None, now=NOW)
    events = calls(mine, 60)
    await store(events, (await newest_prices(mine.workspace_id)).book)

    (saved,) = (await refresh(mine, now=NOW)).recommendations

    found = saved.recommendation
    assert found.current_cost == cost_at("gpt-4o-2024-08-06", events) / 2
    assert found.counterfactual_cost == cost_at("gpt-6-luna", events) / 2


async def test_every_recommendation_carries_its_evidence_and_its_range(mine: Principal) -> None:
    await store(calls(mine, 40))

    report = await refresh(mine, now=NOW)

    (saved,) = report.recommendations
    found = saved.recommendation
    assert found.evidence.status is EvidenceStatus.UNVERIFIED
    assert found.evidence.source_url.startswith("https://")
    assert 0 < found.confidence <= 0.5
    assert 0 < found.saving_range.low < found.expected_saving < found.saving_range.high
    assert found.saving_range.high < found.current_cost
    assert found.window == report.window
    assert found.how_computed
    assert report.reason is None


async def test_savings_that_are_shown_add_up_to_what_all_changes_would_save_together(
    mine: Principal,
) -> None:
    events = [
        *calls(mine, 60, feature="a"),
        *calls(mine, 50, feature="b", project=1),
        *calls(mine, 30, feature="c", model="gpt-4.1-mini"),
        *calls(mine, 20, feature="", model="claude-haiku-4-5-20251001", provider="anthropic"),
    ]
    await store(events)

    report = await refresh(mine, now=NOW)

    assert len(report.recommendations) == 4
    shown = [each.recommendation for each in report.recommendations]
    assert report.expected_saving == sum(each.expected_saving for each in shown)
    changed = [(each.segment.project_id, each.segment.feature) for each in shown]
    assert len(set(changed)) == len(changed)
    before = sum((price_event(current_price_book(), each)[0].cost or 0 for each in events), 0)
    assert sum(each.current_cost for each in shown) == before


async def test_only_metered_calls_of_the_last_30_days_count(mine: Principal) -> None:
    await store(calls(mine, 30))
    await store(calls(mine, 29, until=NOW - timedelta(days=30)))
    await store(calls(mine, 28, charge=Charge.TEST))
    await store(calls(mine, 27, charge=Charge.EQUIVALENT))

    report = await refresh(mine, now=NOW)

    assert report.recommendations[0].recommendation.calls == 30
    assert report.window == Period(NOW - timedelta(days=30), NOW)


async def test_embeddings_are_compared_with_embeddings_only(mine: Principal) -> None:
    await store(
        calls(
            mine,
            20,
            model="text-embedding-ada-002",
            operation="embeddings",
            usage=TokenUsage(input_tokens=8_000),
        )
    )

    report = await refresh(mine, now=NOW)

    found = report.recommendations[0].recommendation
    assert found.candidate.model == "text-embedding-3-small"
    assert any("embedded anew" in caution for caution in found.cautions)


async def test_no_call_that_carries_more_than_tokens_is_repriced(mine: Principal) -> None:
    await store(calls(mine, 40))
    await store(calls(mine, 9, usage=None, reported_cost=Decimal("0.5")))
    await store(calls(mine, 8, additional_usage=EXTRA))

    report = await refresh(mine, now=NOW)

    found = report.recommendations[0].recommendation
    assert found.calls == 40
    assert any(caution.startswith("17 more calls") for caution in found.cautions)


async def test_fewer_than_ten_calls_get_a_reason_with_the_number(mine: Principal) -> None:
    await store(calls(mine, 4))

    report = await refresh(mine, now=NOW)

    assert report.recommendations == ()
    assert report.reason == (
        "Advice needs at least 10 metered calls in the last 30 days; there are 4."
    )


async def test_optimal_traffic_gets_nothing_worth_changing_and_why(mine: Principal) -> None:
    await store(calls(mine, 30, model="gpt-6-luna"))
    await store(calls(mine, 12, model="mystery-1", provider="nobody"))

    report = await refresh(mine, now=NOW)

    assert report.recommendations == ()
    assert report.reason is not None
    assert report.reason.startswith("Nothing worth changing. gpt-6-luna: no comparable model")
    assert (
        "mystery-1: its calls carry no token counts, or no cost that we computed" in report.reason
    )


async def test_before_the_first_analysis_the_reason_says_how_to_get_one(mine: Principal) -> None:
    report = await list_recommendations(mine)

    assert report.recommendations == ()
    assert report.computed_at is None
    assert report.reason is not None
    assert "POST /api/recommendations/refresh" in report.reason


async def test_nothing_leaks_between_workspaces(mine: Principal) -> None:
    async with transaction() as session:
        other = await tenant(session)
    await store(calls(mine, 40))
    await store(calls(other, 12, feature="secret"))

    await recommend(now=NOW)
    of_mine, of_other = await list_recommendations(mine), await list_recommendations(other)

    assert [r.recommendation.segment.feature for r in of_mine.recommendations] == ["summarise"]
    assert [r.recommendation.segment.feature for r in of_other.recommendations] == ["secret"]
    assert of_mine.recommendations[0].recommendation.calls == 40


async def test_a_projects_key_sees_the_advice_of_its_project_alone(mine: Principal) -> None:
    await store(calls(mine, 40, feature="one"))
    await store(calls(mine, 30, feature="two", project=1))
    await refresh(mine, now=NOW)
    first, second = mine.project_ids
    reader = replace(mine, project_id=second, project_ids=(second,), scopes=frozenset({Scope.READ}))

    report = await list_recommendations(reader)

    assert [r.recommendation.segment.project_id for r in report.recommendations] == [second]
    assert len((await list_recommendations(mine)).recommendations) == 2
    assert first != second


async def test_a_project_without_advice_is_told_its_own_reason(mine: Principal) -> None:
    await store(calls(mine, 40))
    await store(calls(mine, 3, project=1))
    await refresh(mine, now=NOW)
    second = mine.project_ids[1]

    report = await list_recommendations(replace(mine, project_ids=(second,)))

    assert report.recommendations == ()
    assert report.reason is not None
    assert "there are 3" in report.reason


async def test_refresh_needs_admin_over_the_whole_workspace(mine: Principal) -> None:
    reader = replace(mine, scopes=frozenset({Scope.READ}))
    of_project = replace(mine, project_id=mine.project_ids[0])

    for principal in (reader, of_project):
        with pytest.raises(NotAllowed):
            await refresh(principal, now=NOW)


async def test_recommending_twice_changes_nothing(mine: Principal) -> None:
    await store(calls(mine, 40))

    assert await recommend(now=NOW) == 1
    first = await stored_rows()
    assert await recommend(now=NOW) == 0

    assert await stored_rows() == first


async def test_advice_is_renewed_after_a_week_and_replaces_what_was_open(mine: Principal) -> None:
    await store(calls(mine, 40))
    await recommend(now=NOW)
    before = await list_recommendations(mine)

    assert await recommend(now=NOW + timedelta(days=7)) == 1

    after = await list_recommendations(mine)
    assert len(after.recommendations) == len(before.recommendations) == 1
    assert after.recommendations[0].id != before.recommendations[0].id
    assert after.computed_at == NOW + timedelta(days=7)


async def test_a_new_workspace_gets_its_first_advice_within_the_hour(mine: Principal) -> None:
    await store(calls(mine, 4))
    assert await recommend(now=NOW) == 1
    await store(calls(mine, 20, feature="more"))

    assert await recommend(now=NOW + timedelta(minutes=59)) == 0
    assert await recommend(now=NOW + timedelta(minutes=60)) == 1

    assert (await list_recommendations(mine)).recommendations


async def test_refreshes_at_the_same_time_leave_one_set_of_advice(mine: Principal) -> None:
    await store(calls(mine, 40))

    await asyncio.gather(*(refresh(mine, now=NOW) for _ in range(4)))

    assert len((await list_recommendations(mine)).recommendations) == 1


async def test_the_same_calls_give_the_same_range_again(mine: Principal) -> None:
    await store(calls(mine, 40))

    first = (await refresh(mine, now=NOW)).recommendations[0].recommendation
    again = (await refresh(mine, now=NOW)).recommendations[0].recommendation

    assert first == again


async def test_a_very_busy_workspace_is_analysed_over_the_newest_days_that_fit(
    mine: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recommendations, "MAX_CALLS", 25)
    for days in (1, 2, 3):
        at = NOW - timedelta(days=days)
        ids = [uuid7(at, next(_ids).to_bytes(10, "big")) for _ in range(10)]
        await store(
            [event(**SAME, project_id=mine.project_ids[0], occurred_at=at, id=i) for i in ids]
        )

    report = await refresh(mine, now=NOW)

    assert report.window is not None
    # Two days of ten calls fit; the window begins with the first of them, in the workspace's zone.
    assert report.window.start == datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
    assert report.recommendations[0].recommendation.calls == 20


async def test_archived_projects_get_no_advice(mine: Principal) -> None:
    await store(calls(mine, 40))
    async with copy_transaction() as connection:
        await connection.execute("UPDATE project SET archived_at = now()")

    assert (await refresh(mine, now=NOW)).recommendations == ()


async def stored_rows() -> list[Any]:
    async with copy_transaction() as connection:
        cursor = await connection.execute(
            "SELECT id, workspace_id, content, created_at FROM recommendation ORDER BY id"
        )
        rows: list[Any] = await cursor.fetchall()
        cursor = await connection.execute("SELECT * FROM analysis ORDER BY workspace_id")
        return rows + await cursor.fetchall()
