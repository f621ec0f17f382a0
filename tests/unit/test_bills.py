"""Real bills: what the price book makes of them with the reported cost withheld.

The cases lie outside this repository and are never a source of prices.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from llmlab_app.adapters.price_feed import bundled_price_feed
from llmlab_app.adapters.price_overlay import bundled_price_overlay
from llmlab_app.domain.events import CostSource, EventCost, UsageEvent
from llmlab_app.domain.pricing import PriceBook, UnpricedReason, price_event
from llmlab_app.domain.usage import TokenUsage

CASES = Path(__file__).parents[3] / "shared" / "corpora" / "bill-cases.json"
ID = UUID(int=1)


@dataclass(frozen=True)
class Outcome:
    case: str
    token_charge: Decimal
    cost: EventCost

    @property
    def is_right(self) -> bool:
        if self.cost.cost is None:
            return False
        return abs(self.cost.cost - self.token_charge) <= self.token_charge / 1000


@pytest.fixture(scope="module")
def cases() -> list[dict[str, Any]]:
    if not CASES.exists():
        pytest.skip(f"{CASES} is not on this machine")
    return json.loads(CASES.read_text(), parse_float=Decimal)["cases"]


def test_at_least_36_of_39_bills_are_priced_within_a_thousandth(cases) -> None:
    outcomes = [priced(case) for case in cases]
    right = [outcome for outcome in outcomes if outcome.is_right]
    print(f"{len(right)} of {len(outcomes)} bills right")
    assert len(outcomes) == 39
    assert len(right) >= 36


def test_no_bill_is_priced_wrongly(cases) -> None:
    priced_ones = [outcome for outcome in map(priced, cases) if outcome.cost.cost is not None]
    assert [outcome for outcome in priced_ones if not outcome.is_right] == []


def test_every_other_bill_says_why_it_has_no_price(cases) -> None:
    unpriced = [outcome for outcome in map(priced, cases) if outcome.cost.cost is None]
    assert {outcome.cost.unpriced_reason for outcome in unpriced} <= set(UnpricedReason)
    assert all(outcome.cost.source is CostSource.UNPRICED for outcome in unpriced)


def test_what_a_gateway_reports_is_what_counts(cases) -> None:
    gateway = [case for case in cases if case["kind"] == "billed_by_gateway"]
    for case in gateway:
        cost, _ = price_event(book(), event_of(case, reported=case["expected_usd"]))
        assert cost.cost == case["expected_usd"]
        assert cost.source is CostSource.REPORTED


def priced(case: dict[str, Any]) -> Outcome:
    cost, _ = price_event(book(), event_of(case, reported=None))
    return Outcome(case["id"], token_charge(case), cost)


def token_charge(case: dict[str, Any]) -> Decimal:
    """The charge for tokens: where a total with fees is stated apart, the figure is without."""
    fee = Decimal(0) if "doc_total_usd" in case else case.get("non_token_fee_usd", Decimal(0))
    return Decimal(case["expected_usd"]) - fee


def event_of(case: dict[str, Any], *, reported: Decimal | None) -> UsageEvent:
    usage = case["usage"]
    at = datetime.fromisoformat(case["at"]).astimezone(UTC)
    return UsageEvent(
        project_id=ID,
        id=ID,
        occurred_at=at,
        received_at=at,
        provider=case["provider"],
        model=case["model"],
        usage=usage_of(usage),
        service_tier=usage.get("processing") or usage.get("service_tier") or "default",
        reported_cost=reported,
    )


def usage_of(buckets: dict[str, Any]) -> TokenUsage:
    """Our inclusive counts from the cases' disjoint ones."""
    writes = sum(buckets[name] for name in ("cache_write_5m", "cache_write_1h", "cache_write"))
    return TokenUsage(
        input_tokens=buckets["input"] + buckets["cache_read"] + writes,
        cache_read_tokens=buckets["cache_read"],
        cache_write_tokens=writes,
        cache_write_1h_tokens=buckets["cache_write_1h"],
        output_tokens=buckets["output"],
        reasoning_tokens=buckets["reasoning"],
        output_image_tokens=buckets.get("output_image", 0),
        web_search_requests=buckets.get("web_search_requests", 0),
    )


@cache
def book() -> PriceBook:
    return PriceBook((bundled_price_overlay(), bundled_price_feed()))


if __name__ == "__main__":
    for outcome in map(priced, json.loads(CASES.read_text(), parse_float=Decimal)["cases"]):
        print(
            outcome.is_right,
            outcome.case,
            outcome.token_charge,
            outcome.cost.cost,
            outcome.cost.unpriced_reason,
        )
