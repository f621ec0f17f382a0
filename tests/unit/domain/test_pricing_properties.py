"""What holds for every usage and every price."""

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llmlab_app.domain.pricing import (
    CostBreakdown,
    ModelPrice,
    TokenClass,
    Unpriced,
    cost_of,
)
from llmlab_app.domain.pricing.token_classes import quantities
from llmlab_app.domain.usage import TokenUsage

COUNTS = st.integers(0, 2_000_000)
OUTPUT = {"output", "reasoning", "output_audio", "output_image"}


@st.composite
def usages(draw: st.DrawFn) -> TokenUsage:
    """Any usage that is not contradictory."""

    def part(of: int) -> int:
        return draw(st.integers(0, of))

    inp, out = draw(COUNTS), draw(COUNTS)
    cached = part(inp)
    written = part(inp - cached)
    audio = part(inp)
    image = part(inp - audio)
    out_audio = part(out)
    return TokenUsage(
        input_tokens=inp,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=part(written),
        input_audio_tokens=audio,
        input_image_tokens=image,
        input_video_tokens=part(inp - audio - image),
        cache_read_audio_tokens=part(min(cached, audio)),
        tool_use_input_tokens=part(inp),
        output_tokens=out,
        reasoning_tokens=part(out),
        output_audio_tokens=out_audio,
        output_image_tokens=part(out - out_audio),
        web_search_requests=draw(st.integers(0, 20)),
    )


@st.composite
def usages_of_known_parts(draw: st.DrawFn) -> TokenUsage:
    """Any usage of which it is known what was cached: text and audio, no images or video."""
    text, cached, written_5m, written_1h, audio, cached_audio = (draw(COUNTS) for _ in range(6))
    out_text, out_audio = draw(COUNTS), draw(COUNTS)
    written = written_5m + written_1h
    return TokenUsage(
        input_tokens=text + cached + written + audio + cached_audio,
        cache_read_tokens=cached + cached_audio,
        cache_write_tokens=written,
        cache_write_1h_tokens=written_1h,
        input_audio_tokens=audio + cached_audio,
        cache_read_audio_tokens=cached_audio,
        output_tokens=out_text + out_audio,
        output_audio_tokens=out_audio,
        reasoning_tokens=draw(st.integers(0, out_text)),
        web_search_requests=draw(st.integers(0, 20)),
    )


AMOUNTS = st.decimals("0.0001", "1000", places=6)


@st.composite
def prices(draw: st.DrawFn, exclude: str = "") -> ModelPrice:
    """Any price that lists input, output, searches and one-hour writes, and perhaps more."""
    names = {"input", "output", "web_search", "cache_write_1h"}
    others = [name for name in TokenClass if name not in ("request", exclude)]
    names |= draw(st.sets(st.sampled_from(others)))
    unit_prices = {str(name): draw(AMOUNTS) for name in sorted(names)}
    return ModelPrice(provider="p", model="m", unit_prices=unit_prices, source="s")


def cost(usage: TokenUsage, price: ModelPrice) -> CostBreakdown:
    found = cost_of(usage, {}, price)
    assert not isinstance(found, Unpriced)
    return found


def sum_of(one: TokenUsage, other: TokenUsage) -> TokenUsage:
    names = [field.name for field in fields(TokenUsage)]
    return TokenUsage(**{name: getattr(one, name) + getattr(other, name) for name in names})


def more(usage: TokenUsage, **counts: int) -> TokenUsage:
    values: dict[str, Any] = {f.name: getattr(usage, f.name) for f in fields(TokenUsage)}
    return TokenUsage(**{name: n + counts.get(name, 0) for name, n in values.items()})


@given(usages())
def test_token_classes_never_overlap_and_never_lose_a_token(usage: TokenUsage) -> None:
    pairs = quantities(usage)
    assert all(tokens >= 0 for _, tokens in pairs)
    assert sum(n for name, n in pairs if name not in OUTPUT) == usage.input_tokens
    assert sum(n for name, n in pairs if name in OUTPUT) == usage.output_tokens


@given(usages(), prices())
def test_the_lines_add_up_to_the_total_exactly(usage: TokenUsage, price: ModelPrice) -> None:
    found = cost(usage, price)
    assert sum((line.cost for line in found.lines), Decimal(0)) == found.total
    assert all(line.cost == line.cost.quantize(Decimal("1e-12")) for line in found.lines)


@given(usages(), prices())
def test_a_cost_is_never_negative(usage: TokenUsage, price: ModelPrice) -> None:
    assert cost(usage, price).total >= 0


@given(usages(), prices())
def test_a_line_is_quantity_times_unit_price(usage: TokenUsage, price: ModelPrice) -> None:
    for line in cost(usage, price).lines:
        assert line.cost == line.quantity * line.unit_price_per_million / 1_000_000


@given(usages_of_known_parts(), usages_of_known_parts(), prices(exclude="grounded_prompt"))
def test_the_cost_of_two_calls_is_the_sum_of_their_costs(
    one: TokenUsage, other: TokenUsage, price: ModelPrice
) -> None:
    together = cost(sum_of(one, other), price).total
    assert together == cost(one, price).total + cost(other, price).total


@given(usages_of_known_parts(), prices(), st.integers(1, 1000))
def test_more_tokens_cost_more(usage: TokenUsage, price: ModelPrice, extra: int) -> None:
    now = cost(usage, price).total
    assert cost(more(usage, output_tokens=extra), price).total > now
    assert cost(more(usage, input_tokens=extra), price).total > now


@given(usages_of_known_parts(), prices(), st.integers(1, 1000))
def test_more_of_the_same_input_from_the_cache_never_costs_more(
    usage: TokenUsage, price: ModelPrice, extra: int
) -> None:
    discount = price.unit_prices["input"] / 2
    fair = replace(price, unit_prices={**price.unit_prices, "cache_read": discount})
    uncached = more(usage, input_tokens=extra)
    cached = more(uncached, cache_read_tokens=extra)
    assert cost(cached, fair).total < cost(uncached, fair).total


@given(usages(), prices())
def test_a_stored_price_gives_the_same_cost_for_ever(usage: TokenUsage, price: ModelPrice) -> None:
    again = ModelPrice.from_json(price.to_json())
    assert (again, again.price_id) == (price, price.price_id)
    assert cost(usage, again) == cost(usage, price)


@given(prices())
def test_no_float_enters_a_stored_price(price: ModelPrice) -> None:
    assert not _floats(price.to_json())


@given(usages(), prices())
def test_every_number_of_a_receipt_is_a_decimal(usage: TokenUsage, price: ModelPrice) -> None:
    for line in cost(usage, price).lines:
        numbers = (line.quantity, line.unit_price_per_million, line.cost)
        assert {type(number) for number in numbers} == {Decimal}


def _floats(value: object) -> list[float]:
    if isinstance(value, dict):
        return [found for inner in value.values() for found in _floats(inner)]
    if isinstance(value, list):
        return [found for inner in value for found in _floats(inner)]
    return [value] if isinstance(value, float) else []
