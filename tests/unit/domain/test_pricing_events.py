"""Which figure is an event's cost: computed, reported, or none."""

from decimal import Decimal
from typing import Any

import pytest

from llmlab_app.domain.events import AdditionalUsage, Charge, CostSource, EventCost, UsageEvent
from llmlab_app.domain.pricing import (
    CostBreakdown,
    ModelPrice,
    PriceBook,
    Unpriced,
    UnpricedReason,
    price_event,
    receipt_of,
)
from llmlab_app.domain.usage import TokenUsage
from tests.factories import event
from tests.unit.domain.shelf import Shelf

THOUSAND_AND_HUNDRED = TokenUsage(input_tokens=1_000, output_tokens=100)


BOOK = PriceBook([Shelf()])


def priced(**fields: Any) -> EventCost:
    return price_event(BOOK, event(**fields))[0]


def test_a_call_costs_what_is_computed() -> None:
    cost, price = price_event(BOOK, event(usage=THOUSAND_AND_HUNDRED))
    assert price is not None
    assert cost == EventCost(
        list_cost=Decimal("0.0012"),
        effective_cost=Decimal("0.0012"),
        reported_cost=None,
        cost=Decimal("0.0012"),
        source=CostSource.COMPUTED,
        price_id=price.price_id,
    )


def test_what_a_vendor_or_caller_says_is_kept_beside_the_computed_cost() -> None:
    cost = priced(usage=THOUSAND_AND_HUNDRED, reported_cost=Decimal("0.5"))
    assert (cost.cost, cost.reported_cost) == (Decimal("0.0012"), Decimal("0.5"))
    assert cost.source is CostSource.COMPUTED


@pytest.mark.parametrize(
    "provider", ["openrouter", "litellm", "litellm_proxy", "portkey", "vercel"]
)
def test_what_a_gateway_says_is_what_counts(provider: str) -> None:
    cost = priced(provider=provider, usage=THOUSAND_AND_HUNDRED, reported_cost=Decimal("0.0013"))
    assert (cost.cost, cost.source) == (Decimal("0.0013"), CostSource.REPORTED)
    assert cost.list_cost == Decimal("0.0012")
    assert cost.price_id is not None


def test_a_gateway_that_says_nothing_leaves_the_computed_cost() -> None:
    cost = priced(provider="openrouter", usage=THOUSAND_AND_HUNDRED)
    assert (cost.cost, cost.source) == (Decimal("0.0012"), CostSource.COMPUTED)


def test_a_reported_cost_of_nothing_is_believed_of_a_gateway() -> None:
    cost = priced(provider="openrouter", usage=THOUSAND_AND_HUNDRED, reported_cost=Decimal(0))
    assert (cost.cost, cost.source) == (Decimal(0), CostSource.REPORTED)


def test_without_a_price_the_reported_cost_counts_and_the_reason_is_kept() -> None:
    cost = priced(model="unheard-of", reported_cost=Decimal("0.045"))
    assert (cost.cost, cost.source) == (Decimal("0.045"), CostSource.REPORTED)
    assert cost.unpriced_reason == UnpricedReason.UNKNOWN_MODEL
    assert cost.list_cost is None


def test_a_bare_total_with_a_cost_is_reported() -> None:
    cost = priced(usage=None, total_tokens=1_500, reported_cost=Decimal("0.045"))
    assert (cost.cost, cost.source) == (Decimal("0.045"), CostSource.REPORTED)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"model": "unheard-of"}, "unknown_model"),
        ({"service_tier": "zzz"}, "unknown_tier"),
        ({"usage": None}, "no_usage"),
        ({"usage": None, "total_tokens": 1_500}, "total_only"),
        ({"units": {"images": Decimal(1)}}, "missing_unit_price"),
        ({"charge": Charge.UNBILLED, "usage": None}, "unbilled"),
    ],
)
def test_an_unknown_cost_is_none_and_never_zero(fields: dict[str, Any], reason: str) -> None:
    cost, price = price_event(BOOK, event(**fields))
    assert (cost.cost, cost.list_cost, cost.effective_cost) == (None, None, None)
    assert cost.source is CostSource.UNPRICED
    assert cost.unpriced_reason == reason
    assert price is None


def test_a_reported_cost_is_rounded_to_a_pico_dollar() -> None:
    cost = priced(usage=None, reported_cost=Decimal("0.0000000000015"))
    assert cost.cost == Decimal("2e-12")


# Usage billed beside the top level


def iterations(*models: str) -> UsageEvent:
    extra = tuple(AdditionalUsage(model=model, usage=THOUSAND_AND_HUNDRED) for model in models)
    return event(usage=THOUSAND_AND_HUNDRED, additional_usage=extra)


def test_usage_beside_the_top_level_is_billed_at_its_own_models_price() -> None:
    cost, price = price_event(BOOK, iterations("gpt-4o-mini", "big-model"))
    assert cost.cost == Decimal("0.0012") + Decimal("0.0012") + Decimal("0.012")
    assert price is not None
    assert [companion.model for companion in price.companions] == ["gpt-4o-mini", "big-model"]


def test_a_part_without_a_price_leaves_the_whole_call_unpriced() -> None:
    cost, _ = price_event(BOOK, iterations("unheard-of"))
    assert (cost.cost, cost.unpriced_reason) == (None, "unknown_model")


def test_parts_of_a_call_never_push_each_other_over_a_context_step() -> None:
    half = TokenUsage(input_tokens=150_000)
    extra = (AdditionalUsage(model="gpt-4o-mini", usage=half),)
    cost = priced(usage=half, additional_usage=extra)
    assert cost.cost == Decimal("0.3")  # 2 × 150,000 × $1, not × $2


@pytest.mark.parametrize("models", [(), ("big-model",), ("gpt-4o-mini", "big-model")])
def test_a_receipt_from_the_stored_price_adds_up_to_the_stored_cost(models: tuple[str]) -> None:
    call = iterations(*models)
    cost, price = price_event(BOOK, call)
    assert price is not None
    stored = ModelPrice.from_json(price.to_json())
    receipt = receipt_of(THOUSAND_AND_HUNDRED, call.units, call.additional_usage, stored)
    assert isinstance(receipt, CostBreakdown)
    assert receipt.total == cost.cost
    assert sum(line.cost for line in receipt.lines) == cost.cost
    assert stored.price_id == cost.price_id


def test_a_receipt_of_something_unpriced_says_why() -> None:
    price = price_event(BOOK, event())[1]
    assert price is not None
    receipt = receipt_of(THOUSAND_AND_HUNDRED, {"images": Decimal(1)}, (), price)
    assert isinstance(receipt, Unpriced)
