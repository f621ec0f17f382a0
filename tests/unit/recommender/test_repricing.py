"""Re-pricing by column gives what ``domain.pricing.cost_of`` gives, call by call."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from llmlab_app.domain.money import from_pico, to_pico
from llmlab_app.domain.pricing import (
    CostBreakdown,
    ModelPrice,
    PriceBook,
    TokenClass,
    Unpriced,
    UnpricedReason,
    Validity,
    cost_of,
)
from llmlab_app.domain.pricing.token_classes import quantities
from llmlab_app.domain.usage import TokenUsage
from recommender.repricing import Counterfactual, exact_sum, reprice, token_quantities
from tests.unit.recommender.frames import NOON, book, call, frame, row, step

MOST = 2**31 - 1


@st.composite
def usages(draw: st.DrawFn, most: int = MOST) -> TokenUsage:
    """Any counts that can all be true."""

    def up_to(limit: int) -> int:
        return draw(st.integers(0, limit) | st.integers(0, min(limit, 50)))

    n: dict[str, int] = {"input_tokens": up_to(most), "output_tokens": up_to(most)}
    n["cache_read_tokens"] = up_to(n["input_tokens"])
    n["cache_write_tokens"] = up_to(n["input_tokens"] - n["cache_read_tokens"])
    n["cache_write_1h_tokens"] = up_to(n["cache_write_tokens"])
    n["input_audio_tokens"] = up_to(n["input_tokens"])
    n["input_image_tokens"] = up_to(n["input_tokens"] - n["input_audio_tokens"])
    media = n["input_audio_tokens"] + n["input_image_tokens"]
    n["input_video_tokens"] = up_to(n["input_tokens"] - media)
    n["cache_read_audio_tokens"] = up_to(min(n["cache_read_tokens"], n["input_audio_tokens"]))
    n["output_audio_tokens"] = up_to(n["output_tokens"])
    n["output_image_tokens"] = up_to(n["output_tokens"] - n["output_audio_tokens"])
    n["reasoning_tokens"] = up_to(n["output_tokens"])
    n["web_search_requests"] = draw(st.sampled_from((0, 0, 0, 1, 7)))
    return TokenUsage(**n)


amounts = st.decimals(0, 1_000, places=9, allow_nan=False, allow_infinity=False)
unit_prices = st.fixed_dictionaries(
    {TokenClass.INPUT: amounts, TokenClass.OUTPUT: amounts},
    optional=dict.fromkeys(set(TokenClass) - {TokenClass.INPUT, TokenClass.OUTPUT}, amounts),
)


def price(prices: dict[TokenClass, Decimal]) -> dict[str, str]:
    return {name: str(amount) for name, amount in prices.items()}


def by_receipt(
    usage: TokenUsage, at: PriceBook, model: str = "gpt-b", **when: Any
) -> Decimal | Unpriced:
    found = at.price_at(
        provider="p",
        model=model,
        at=when.get("occurred_at", NOON),
        service_tier=when.get("service_tier", "default"),
        input_tokens=usage.input_tokens,
    )
    if not isinstance(found, ModelPrice):
        return found
    breakdown = cost_of(usage, {}, found)
    return breakdown.total if isinstance(breakdown, CostBreakdown) else breakdown


def repriced(usages: list[TokenUsage], at: PriceBook) -> Counterfactual | Unpriced:
    return reprice(frame([call(usage) for usage in usages]), at, provider="p", model="gpt-b")


@settings(deadline=None)  # a shared machine may pause at any time
@given(st.lists(usages(), min_size=1, max_size=5))
def test_token_classes_are_those_of_a_receipt(given: list[TokenUsage]) -> None:
    columns = token_quantities(frame([call(usage) for usage in given]))
    for number, usage in enumerate(given):
        found = {name: int(tokens[number]) for name, tokens in columns.items() if tokens[number]}
        assert found == {name: tokens for name, tokens in quantities(usage) if tokens}


@settings(deadline=None)
@given(st.lists(usages(), min_size=1, max_size=4), unit_prices)
def test_every_call_costs_what_its_receipt_says(
    given: list[TokenUsage], prices: dict[TokenClass, Decimal]
) -> None:
    at = book(row("gpt-b", step(**price(prices))))
    receipts = [by_receipt(usage, at) for usage in given]
    found = repriced(given, at)
    if refusals := [each.reason for each in receipts if isinstance(each, Unpriced)]:
        assert isinstance(found, Unpriced)
        assert found.reason in refusals
    else:
        assert isinstance(found, Counterfactual)
        assert [from_pico(int(cost)) for cost in found.cost] == receipts


@settings(deadline=None)
@given(st.lists(usages(most=2_000), min_size=1, max_size=6))
def test_each_call_is_priced_at_its_own_context_step(given: list[TokenUsage]) -> None:
    dear = dict.fromkeys(TokenClass, "7.1")
    cheap = dict.fromkeys(TokenClass, "3.3")
    at = book(row("gpt-b", step(**cheap), step(above=1_000, **dear)))
    found = repriced(given, at)
    assert isinstance(found, Counterfactual)
    assert [from_pico(int(cost)) for cost in found.cost] == [by_receipt(u, at) for u in given]


def test_each_call_is_priced_at_its_own_time_and_tier() -> None:
    change = NOON + timedelta(days=1)
    at = book(
        row("gpt-b", step(input="2", output="8"), validity=Validity(None, change)),
        row("gpt-b", step(input="1", output="4"), validity=Validity(change, None)),
        row("gpt-b", step(input="0.5", output="2"), service_tier="batch"),
    )
    usage = TokenUsage(input_tokens=1_000_000, output_tokens=1_000_000)
    calls = frame(
        [
            call(usage),
            call(usage, occurred_at=change - timedelta(milliseconds=1)),
            call(usage, occurred_at=change),
            call(usage, service_tier="batch"),
        ]
    )
    found = reprice(calls, at, provider="p", model="gpt-b")
    assert isinstance(found, Counterfactual)
    assert [from_pico(int(cost)) for cost in found.cost] == [10, 10, 5, Decimal("2.5")]
    assert [from_pico(int(cost)) for cost in found.output_cost] == [8, 8, 4, 2]


def test_one_call_without_a_price_refuses_them_all() -> None:
    at = book(row("gpt-b", step(input="2", output="8")))
    calls = frame([call(TokenUsage(input_tokens=1)), call(service_tier="flex")])
    found = reprice(calls, at, provider="p", model="gpt-b")
    assert isinstance(found, Unpriced)
    assert found.reason is UnpricedReason.UNKNOWN_TIER


def test_half_a_pico_dollar_goes_to_the_even_neighbour() -> None:
    # $0.0000005 per million tokens is half a pico-dollar a token.
    at = book(row("gpt-b", step(input="0.0000005", output="1")))
    given = [TokenUsage(input_tokens=n) for n in (3, 5, 7)]
    found = repriced(given, at)
    assert isinstance(found, Counterfactual)
    assert found.cost.tolist() == [2, 2, 4]
    assert [from_pico(int(cost)) for cost in found.cost] == [by_receipt(u, at) for u in given]


def test_another_tokenizer_counts_more_tokens_before_the_price_is_looked_up() -> None:
    at = book(row("gpt-b", step(input="1", output="5"), step(above=1_000, input="10", output="50")))
    calls = frame([call(TokenUsage(input_tokens=900, output_tokens=10))])
    found = reprice(calls, at, provider="p", model="gpt-b", token_factor=Decimal("1.3"))
    assert isinstance(found, Counterfactual)
    # 1,170 tokens in: above the step. 13 out.
    assert found.cost.tolist() == [to_pico(Decimal("0.0117") + Decimal("0.00065"))]


def test_sums_beyond_int64_are_exact() -> None:
    # Twenty events of $1,000,000 are twice what int64 pico-dollars can hold.
    assert exact_sum(np.full(20, 10**18, np.int64)) == 20 * 10**18
