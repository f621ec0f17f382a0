"""Which price was in force: by layer, name, date, hour, tier, speed, region and context step."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest

from llmlab_app.domain.pricing import (
    Alias,
    DailyHours,
    ModelPrice,
    PriceBook,
    PriceFactor,
    PriceFee,
    PriceRow,
    Source,
    Step,
    Unpriced,
    UnpricedReason,
    Validity,
)

SOURCE = Source(text="a page", url="https://example.org", version="1")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
SUMMER = datetime(2026, 7, 1, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Layer:
    """A price list that fits in a test; names match exactly."""

    rows: dict[tuple[str, str], Sequence[PriceRow]] = field(default_factory=dict)
    factors: dict[str, Sequence[PriceFactor]] = field(default_factory=dict)
    fees: dict[str, Sequence[PriceFee]] = field(default_factory=dict)
    aliases: dict[tuple[str, str], Sequence[Alias]] = field(default_factory=dict)
    version: str = "1"

    def rows_for(self, provider: str, model: str) -> Sequence[PriceRow]:
        return self.rows.get((provider, model), ())

    def factors_for(self, provider: str, model: str) -> Sequence[PriceFactor]:
        return self.factors.get(provider, ())

    def fees_for(self, provider: str, model: str) -> Sequence[PriceFee]:
        return self.fees.get(provider, ())

    def aliases_for(self, provider: str, model: str) -> Sequence[Alias]:
        return self.aliases.get((provider, model), ())


def row(input_price: str, *, above: dict[int, str] | None = None, **fields: object) -> PriceRow:
    steps = {0: input_price, **(above or {})}
    return PriceRow(
        provider="openai",
        model="gpt-x",
        steps=tuple(Step(n, {"input": Decimal(amount)}) for n, amount in steps.items()),
        source=SOURCE,
        **fields,  # type: ignore[arg-type]
    )


def book(*rows: PriceRow, **layer: object) -> PriceBook:
    return PriceBook([Layer(rows={("openai", "gpt-x"): rows}, **layer)])  # type: ignore[arg-type]


def found(prices: PriceBook, /, **question: object) -> ModelPrice | Unpriced:
    asked = {"provider": "openai", "model": "gpt-x", "at": SUMMER, **question}
    return prices.price_at(**asked)  # type: ignore[arg-type]


def input_price(prices: PriceBook, /, **question: object) -> Decimal:
    price = found(prices, **question)
    assert isinstance(price, ModelPrice), price
    return price.unit_prices["input"]


def reason(prices: PriceBook, /, **question: object) -> UnpricedReason:
    price = found(prices, **question)
    assert isinstance(price, Unpriced), price
    return price.reason


# Dates and hours


def test_a_price_holds_from_its_first_instant_until_just_before_the_next() -> None:
    at = book(
        row("2", validity=Validity(None, NEW_YEAR)),
        row("1", validity=Validity(NEW_YEAR, SUMMER)),
        row("3", validity=Validity(SUMMER, None)),
    )
    assert input_price(at, at=NEW_YEAR - MOMENT) == 2
    assert input_price(at, at=NEW_YEAR) == 1
    assert input_price(at, at=SUMMER - MOMENT) == 1
    assert input_price(at, at=SUMMER) == 3


def test_before_its_first_price_a_model_has_none() -> None:
    at = book(row("2", validity=Validity(NEW_YEAR, None)))
    assert reason(at, at=NEW_YEAR - MOMENT) is UnpricedReason.NO_PRICE_THEN


@pytest.mark.parametrize(
    ("clock", "expected"),
    [("16:29", 2), ("16:30", 1), ("23:59", 1), ("00:00", 1), ("00:29", 1), ("00:30", 2)],
)
def test_hours_may_run_past_midnight(clock: str, expected: int) -> None:
    night = DailyHours(time(16, 30), time(0, 30))
    at = book(row("2"), row("1", hours=night))
    hour, minute = map(int, clock.split(":"))
    assert input_price(at, at=SUMMER.replace(hour=hour, minute=minute)) == expected


def test_hours_hold_on_their_weekdays_only() -> None:
    peak = DailyHours(time(1), time(4), frozenset(range(5)))
    at = book(row("1"), row("2", hours=peak))
    friday = datetime(2026, 11, 20, 2, tzinfo=UTC)
    assert input_price(at, at=friday) == 2
    assert input_price(at, at=friday + timedelta(days=1)) == 1


def test_hours_count_by_the_day_on_which_they_begin() -> None:
    friday_night = DailyHours(time(22), time(2), frozenset({4}))
    at = book(row("1"), row("2", hours=friday_night))
    assert input_price(at, at=datetime(2026, 11, 21, 1, tzinfo=UTC)) == 2  # Saturday, 01:00
    assert input_price(at, at=datetime(2026, 11, 20, 1, tzinfo=UTC)) == 1  # Friday, 01:00


# Context steps


def test_a_step_is_decided_by_the_tokens_of_one_call() -> None:
    at = book(row("3", above={200_000: "6"}))
    assert input_price(at, input_tokens=0) == 3
    assert input_price(at, input_tokens=200_000) == 3
    assert input_price(at, input_tokens=200_001) == 6


# Tiers, speeds, regions


def test_an_unknown_tier_is_never_priced_as_the_standard_one() -> None:
    assert reason(book(row("2")), service_tier="zzz") is UnpricedReason.UNKNOWN_TIER
    assert reason(book(row("2")), service_tier="auto") is UnpricedReason.UNKNOWN_TIER


@pytest.mark.parametrize("name", ["default", "standard", "on_demand", "STANDARD", ""])
def test_every_name_of_the_standard_tier_is_the_standard_tier(name: str) -> None:
    assert input_price(book(row("2")), service_tier=name) == 2


def test_a_tiers_own_row_goes_before_a_factor() -> None:
    half = PriceFactor(name="batch", factor=Decimal("0.5"), source=SOURCE, service_tier="batch")
    at = book(row("2"), row("0.9", service_tier="batch"), factors={"openai": [half]})
    assert input_price(at, service_tier="batch") == Decimal("0.9")


def test_a_factor_multiplies_only_the_classes_it_names() -> None:
    half = PriceFactor(
        name="batch",
        factor=Decimal("0.5"),
        source=SOURCE,
        service_tier="batch",
        classes=frozenset({"output"}),
    )
    plain = PriceRow(
        provider="openai",
        model="gpt-x",
        steps=(Step(0, {"input": Decimal(2), "output": Decimal(8), "web_search": Decimal(10)}),),
        source=SOURCE,
    )
    price = found(book(plain, factors={"openai": [half]}), service_tier="batch")
    assert isinstance(price, ModelPrice)
    assert price.unit_prices == {"input": 2, "output": 4, "web_search": 10}
    assert price.factors == {"batch": Decimal("0.5")}


def test_a_factor_without_classes_leaves_fees_alone() -> None:
    half = PriceFactor(name="batch", factor=Decimal("0.5"), source=SOURCE, service_tier="batch")
    plain = PriceRow(
        provider="openai",
        model="gpt-x",
        steps=(Step(0, {"input": Decimal(2), "web_search": Decimal(10)}),),
        source=SOURCE,
    )
    price = found(book(plain, factors={"openai": [half]}), service_tier="batch")
    assert isinstance(price, ModelPrice)
    assert price.unit_prices == {"input": 1, "web_search": 10}


def test_a_factor_holds_from_its_first_day() -> None:
    half = PriceFactor(
        name="batch",
        factor=Decimal("0.5"),
        source=SOURCE,
        service_tier="batch",
        validity=Validity(NEW_YEAR, None),
    )
    at = book(row("2"), factors={"openai": [half]})
    assert reason(at, service_tier="batch", at=NEW_YEAR - MOMENT) is UnpricedReason.UNKNOWN_TIER
    assert input_price(at, service_tier="batch", at=NEW_YEAR) == 1


def test_a_factor_reaches_every_step_and_hour() -> None:
    half = PriceFactor(name="batch", factor=Decimal("0.5"), source=SOURCE, service_tier="batch")
    peak = row("4", above={200_000: "8"}, hours=DailyHours(time(1), time(4)))
    at = book(row("2", above={200_000: "6"}), peak, factors={"openai": [half]})
    assert input_price(at, service_tier="batch", input_tokens=200_001) == 3
    at_peak = SUMMER.replace(hour=2)
    assert input_price(at, service_tier="batch", at=at_peak, input_tokens=200_001) == 4


def test_an_unknown_speed_is_never_priced_as_the_standard_one() -> None:
    at = book(row("2"), row("12", speed="fast"))
    assert input_price(at, speed="fast") == 12
    assert input_price(at, speed="standard") == 2
    assert reason(at, speed="ludicrous") is UnpricedReason.UNKNOWN_SPEED


def test_a_region_multiplies_and_an_unlisted_one_does_not() -> None:
    us = PriceFactor(name="US", factor=Decimal("1.1"), source=SOURCE, regions=frozenset({"us"}))
    at = book(row("2"), factors={"openai": [us]})
    assert input_price(at, region="us") == Decimal("2.2")
    assert input_price(at, region="US") == Decimal("2.2")
    assert input_price(at, region="eu-west-1") == 2
    assert input_price(at) == 2


def test_a_price_names_its_region_only_where_the_region_matters() -> None:
    us = PriceFactor(name="US", factor=Decimal("1.1"), source=SOURCE, regions=frozenset({"us"}))
    at = book(row("2"), factors={"openai": [us]})
    here, there = found(at, region="us"), found(at, region="eu-west-1")
    assert isinstance(here, ModelPrice)
    assert isinstance(there, ModelPrice)
    assert (here.region, there.region) == ("us", None)


def test_a_star_is_every_region_but_the_global_one() -> None:
    dearer = PriceFactor(
        name="regional", factor=Decimal("1.1"), source=SOURCE, regions=frozenset({"*"})
    )
    at = book(row("2"), factors={"openai": [dearer]})
    assert input_price(at, region="europe-west1") == Decimal("2.2")
    assert input_price(at, region="global") == 2
    assert input_price(at) == 2


def test_batch_and_region_multiply_one_another() -> None:
    half = PriceFactor(name="batch", factor=Decimal("0.5"), source=SOURCE, service_tier="batch")
    us = PriceFactor(name="US", factor=Decimal("1.1"), source=SOURCE, regions=frozenset({"us"}))
    at = book(row("2"), factors={"openai": [half, us]})
    assert input_price(at, service_tier="batch", region="us") == Decimal("1.1")


# Layers, names, fees


def test_the_first_layer_wins_and_only_while_it_speaks() -> None:
    ours = Layer(rows={("openai", "gpt-x"): [row("1", validity=Validity(None, NEW_YEAR))]})
    theirs = Layer(rows={("openai", "gpt-x"): [row("2")]})
    at = PriceBook([ours, theirs])
    assert input_price(at, at=NEW_YEAR - MOMENT) == 1
    assert input_price(at, at=NEW_YEAR) == 2


def test_a_factor_of_the_first_layer_multiplies_a_price_of_the_second() -> None:
    half = PriceFactor(name="batch", factor=Decimal("0.5"), source=SOURCE, service_tier="batch")
    rows = {("openai", "gpt-x"): [row("2"), row("9", service_tier="batch")]}
    at = PriceBook([Layer(factors={"openai": [half]}), Layer(rows=rows)])
    assert input_price(at, service_tier="batch") == 1


def test_the_row_that_names_the_model_most_exactly_wins() -> None:
    assert input_price(book(row("1", rank=5), row("2", rank=9), row("3", rank=2))) == 2


def test_an_alias_leads_where_it_led_at_that_time() -> None:
    def alias(target: str, validity: Validity) -> Alias:
        return Alias(provider="openai", model=target, source=SOURCE, validity=validity)

    layer = Layer(
        rows={("openai", "gpt-x-1"): [row("1")], ("openai", "gpt-x-2"): [row("2")]},
        aliases={
            ("openai", "gpt-x"): [
                alias("gpt-x-1", Validity(None, NEW_YEAR)),
                alias("gpt-x-2", Validity(NEW_YEAR, None)),
            ]
        },
    )
    at = PriceBook([layer])
    assert input_price(at, at=NEW_YEAR - MOMENT) == 1
    assert input_price(at, at=NEW_YEAR) == 2


def test_aliases_in_a_circle_end() -> None:
    def to(target: str) -> list[Alias]:
        return [Alias(provider="openai", model=target, source=SOURCE)]

    at = PriceBook([Layer(aliases={("openai", "a"): to("b"), ("openai", "b"): to("a")})])
    assert reason(at, model="a") is UnpricedReason.UNKNOWN_MODEL


def test_an_alias_can_leave_a_fee_behind() -> None:
    other = Alias(
        provider="openai", model="gpt-x", source=SOURCE, without=frozenset({"web_search"})
    )
    plain = PriceRow(
        provider="openai",
        model="gpt-x",
        steps=(Step(0, {"input": Decimal(2), "web_search": Decimal(10)}),),
        source=SOURCE,
    )
    layer = Layer(
        rows={("openai", "gpt-x"): [plain]}, aliases={("openrouter", "openai/gpt-x"): [other]}
    )
    price = found(PriceBook([layer]), provider="openrouter", model="openai/gpt-x")
    assert isinstance(price, ModelPrice)
    assert price.unit_prices == {"input": 2}


def test_a_fee_is_added_unless_the_row_lists_its_own() -> None:
    fee = PriceFee(unit_prices={"web_search": Decimal(10), "images": Decimal(1)}, source=SOURCE)
    plain = PriceRow(
        provider="openai",
        model="gpt-x",
        steps=(Step(0, {"input": Decimal(2), "web_search": Decimal(25)}),),
        source=SOURCE,
    )
    price = found(book(plain, fees={"openai": [fee]}))
    assert isinstance(price, ModelPrice)
    assert price.unit_prices == {"input": 2, "web_search": 25, "images": 1}


def test_prices_that_vary_by_host_are_left_to_the_gateway() -> None:
    assert reason(book(row("1", varies_by_upstream=True))) is UnpricedReason.VARYING_UPSTREAM


def test_an_unknown_model_is_unknown() -> None:
    assert reason(book(row("1")), model="gpt-9") is UnpricedReason.UNKNOWN_MODEL


def test_the_version_names_every_layer() -> None:
    assert PriceBook([Layer(version="a"), Layer(version="b")]).version == "a + b"


def test_a_flood_of_made_up_names_does_not_fill_the_memory() -> None:
    at = book(row("1"))
    for n in range(20_100):
        found(at, model=f"made-up-{n}")
    assert len(at._timelines) <= 20_000
    assert input_price(at) == 1
