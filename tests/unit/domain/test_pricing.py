"""Usage × price = cost, to the last digit."""

import pickle
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from llmlab_app.domain.pricing import ModelPrice, TokenClass, Unpriced, UnpricedReason, cost_of
from llmlab_app.domain.usage import TokenUsage


def price(*, is_free: bool = False, **unit_prices: str) -> ModelPrice:
    return ModelPrice(
        provider="openai",
        model="gpt-x",
        unit_prices={name: Decimal(amount) for name, amount in unit_prices.items()},
        source="a page",
        is_free=is_free,
    )


def total(usage: TokenUsage, at: ModelPrice, **units: str) -> Decimal:
    found = cost_of(usage, {name: Decimal(n) for name, n in units.items()}, at)
    assert not isinstance(found, Unpriced), found
    return found.total


def reason(usage: TokenUsage, at: ModelPrice, **units: str) -> UnpricedReason:
    found = cost_of(usage, {name: Decimal(n) for name, n in units.items()}, at)
    assert isinstance(found, Unpriced)
    return found.reason


# Token classes


def test_cached_input_is_billed_once_at_its_own_price() -> None:
    # 450 × 0.15 + 1000 × 0.075 + 220 × 0.6, all per million
    usage = TokenUsage(input_tokens=1450, cache_read_tokens=1000, output_tokens=220)
    at = price(input="0.15", cache_read="0.075", output="0.6")
    assert total(usage, at) == Decimal("0.0002745")


def test_cached_input_without_a_price_is_billed_as_input() -> None:
    usage = TokenUsage(input_tokens=1_000_000, cache_read_tokens=400_000)
    assert total(usage, price(input="3", output="15")) == 3


def test_cache_writes_are_billed_by_lifetime() -> None:
    usage = TokenUsage(input_tokens=3_000, cache_write_tokens=3_000, cache_write_1h_tokens=1_000)
    at = price(input="3", cache_write="3.75", cache_write_1h="6", output="15")
    assert total(usage, at) == Decimal("0.0135")  # 2000 × 3.75 + 1000 × 6


def test_an_hours_write_is_never_billed_as_a_five_minute_write() -> None:
    usage = TokenUsage(input_tokens=10, cache_write_tokens=10, cache_write_1h_tokens=10)
    at = price(input="3", cache_write="3.75", output="15")
    assert reason(usage, at) is UnpricedReason.MISSING_UNIT_PRICE


def test_reasoning_is_part_of_the_output_and_billed_once() -> None:
    usage = TokenUsage(output_tokens=1_000_000, reasoning_tokens=900_000)
    assert total(usage, price(input="1", output="10")) == 10


def test_reasoning_with_a_price_of_its_own_is_billed_at_it() -> None:
    usage = TokenUsage(output_tokens=1_000_000, reasoning_tokens=400_000)
    assert total(usage, price(input="2", output="8", reasoning="3")) == 6  # 0.6 × 8 + 0.4 × 3


def test_audio_is_billed_apart_from_text_and_cached_audio_apart_from_both() -> None:
    usage = TokenUsage(
        input_tokens=1_000,
        cache_read_tokens=300,
        input_audio_tokens=500,
        cache_read_audio_tokens=200,
        output_tokens=100,
        output_audio_tokens=60,
    )
    at = price(
        input="4",
        cache_read="0.4",
        input_audio="32",
        cache_read_audio="1",
        output="16",
        output_audio="64",
    )
    # in: 400 × 4 text, 100 × 0.4 cached, 300 × 32 audio, 200 × 1 cached; out: 40 × 16, 60 × 64
    assert total(usage, at) == Decimal("0.015920")


def test_cached_images_are_not_billed_twice() -> None:
    usage = TokenUsage(input_tokens=100, cache_read_tokens=90, input_image_tokens=80)
    # 90 cached × 0.1, and 10 left: images, since all the text was cached
    at = price(input="1", cache_read="0.1", input_image="2", output="1")
    assert total(usage, at) == Decimal("0.000029")


def test_searches_are_billed_each() -> None:
    usage = TokenUsage(input_tokens=0, web_search_requests=3)
    assert total(usage, price(input="1", web_search="10000")) == Decimal("0.03")


def test_grounding_is_billed_once_a_prompt_where_the_price_says_so() -> None:
    usage = TokenUsage(web_search_requests=3)
    assert total(usage, price(input="1", grounded_prompt="35000")) == Decimal("0.035")


def test_a_fee_per_request_is_billed_once() -> None:
    usage = TokenUsage(input_tokens=1_000)
    assert total(usage, price(input="1", request="5000")) == Decimal("0.006")


def test_units_are_billed_beside_the_tokens() -> None:
    at = price(input="1", search_units="2000")
    assert total(TokenUsage(input_tokens=1_000), at, search_units="2") == Decimal("0.005")


# Unknown is never 0


def test_anything_consumed_without_a_price_leaves_the_call_unpriced() -> None:
    at = price(input="1", output="2")
    assert reason(TokenUsage(web_search_requests=1), at) is UnpricedReason.MISSING_UNIT_PRICE
    assert reason(TokenUsage(), at, images="1") is UnpricedReason.MISSING_UNIT_PRICE


def test_tokens_priced_only_by_the_second_are_not_free() -> None:
    whisper = price(audio_seconds="100")
    usage = TokenUsage(input_tokens=100)
    assert reason(usage, whisper) is UnpricedReason.MISSING_UNIT_PRICE


def test_a_price_of_zero_is_believed_only_if_somebody_called_the_model_free() -> None:
    usage = TokenUsage(input_tokens=10, output_tokens=10)
    assert reason(usage, price(input="0", output="0")) is UnpricedReason.ZERO_PRICE
    assert total(usage, price(input="0", output="0", is_free=True)) == 0


def test_a_free_model_is_free_in_everything() -> None:
    usage = TokenUsage(input_tokens=10, input_image_tokens=5, web_search_requests=1)
    assert total(usage, price(is_free=True), images="3") == 0


def test_a_call_that_consumed_nothing_costs_nothing() -> None:
    assert total(TokenUsage(), price(input="1", output="2")) == 0


# Rounding


def test_a_line_is_rounded_half_even_to_a_pico_dollar() -> None:
    at = price(input="0.0000005", output="1")  # half a pico-dollar a token
    costs = [cost_of(TokenUsage(output_tokens=1, input_tokens=n), {}, at) for n in (1, 2, 3)]
    pico = [found.lines[0].cost.scaleb(12) for found in costs if not isinstance(found, Unpriced)]
    assert pico == [0, 1, 2]  # 0.5 → 0, 1.0 → 1, 1.5 → 2


def test_an_hourly_price_of_audio_comes_out_to_the_last_digit() -> None:
    at = price(audio_seconds=str(Decimal("0.111") * 1_000_000 / 3600))
    assert total(TokenUsage(), at, audio_seconds="3600") == Decimal("0.111")


# The stored price


def test_a_stored_price_gives_the_same_cost_and_name_again() -> None:
    at = replace(
        price(input="0.15", cache_read="0.075", output="0.6"),
        effective_from=datetime(2026, 1, 1, tzinfo=UTC),
        verified_on=date(2026, 11, 23),
        factors={"batch": Decimal("0.5")},
        agreed=price(input="0.1", output="0.5"),
        companions=(price(input="1", output="2"),),
    )
    again = ModelPrice.from_json(at.to_json())
    assert again == at
    assert again.price_id == at.price_id
    usage = TokenUsage(input_tokens=1450, cache_read_tokens=1000, output_tokens=220)
    assert cost_of(usage, {}, again) == cost_of(usage, {}, at)


def test_prices_that_differ_only_in_how_a_number_is_written_are_one() -> None:
    assert price(input="3", output="15").price_id == price(input="3.00", output="15.0").price_id


def test_any_change_of_content_gives_another_name() -> None:
    at = price(input="3", output="15")
    others = [
        price(input="3", output="15.01"),
        replace(at, source="another page"),
        replace(at, service_tier="batch"),
        replace(at, context_step=200_000),
        replace(at, effective_to=datetime(2027, 1, 1, tzinfo=UTC)),
        replace(at, agreed=at),
        replace(at, companions=(at,)),
    ]
    assert len({at.price_id, *(other.price_id for other in others)}) == 8


def test_a_price_survives_the_way_into_another_process() -> None:
    at = price(input="3", output="15")
    assert pickle.loads(pickle.dumps(at)) == at


def test_a_line_names_class_quantity_unit_price_and_cost() -> None:
    found = cost_of(TokenUsage(input_tokens=2_000), {}, price(input="3", output="15"))
    assert not isinstance(found, Unpriced)
    (line,) = found.lines
    assert (line.token_class, line.quantity) == (TokenClass.INPUT, 2_000)
    assert (line.unit_price_per_million, line.cost) == (3, Decimal("0.006"))
