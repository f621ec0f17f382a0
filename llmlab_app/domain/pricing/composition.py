"""How a found row, its factors, fees and aliases become the prices of a receipt."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from llmlab_app.domain.money import EXACT
from llmlab_app.domain.pricing.model_price import ModelPrice
from llmlab_app.domain.pricing.rows import (
    Alias,
    DailyHours,
    PriceFactor,
    PriceFee,
    PriceRow,
    Step,
    Validity,
)
from llmlab_app.domain.pricing.token_classes import TOKENS


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, in canonical names."""

    provider: str
    model: str
    service_tier: str
    region: str | None
    speed: str | None


@dataclass(frozen=True, slots=True)
class StepPrices:
    """The answer between two instants: a price per context step, and perhaps per part of the day.

    ``above[i]`` is the number of input tokens above which ``prices[i]`` holds.
    """

    above: tuple[int, ...]
    prices: tuple[ModelPrice, ...]
    scheduled: "tuple[tuple[DailyHours, StepPrices], ...]" = ()

    def price_for(self, at: datetime, input_tokens: int) -> ModelPrice:
        """The price of a whole call of ``input_tokens`` at ``at``."""
        for hours, prices in self.scheduled:
            if hours.holds_at(at):
                return prices.price_for(at, input_tokens)
        if len(self.prices) == 1:
            return self.prices[0]
        return self.prices[max(bisect_left(self.above, input_tokens) - 1, 0)]


@dataclass(frozen=True, slots=True)
class Found:
    """A row, the rows that replace it for parts of the day, and what is applied to all of them."""

    row: PriceRow
    scheduled: tuple[PriceRow, ...]
    factors: tuple[PriceFactor, ...] = ()
    fees: tuple[PriceFee, ...] = ()
    trail: tuple[Alias, ...] = ()

    def times(self, factor: PriceFactor) -> "Found":
        """The same, multiplied by one factor more."""
        return replace(self, factors=(*self.factors, factor))


def compose(asked: Question, found: Found) -> StepPrices:
    """The prices of ``found``, step by step and for every part of the day."""
    return StepPrices(
        tuple(step.above for step in found.row.steps),
        tuple(_price(asked, found, step) for step in found.row.steps),
        tuple(
            (row.hours, compose(asked, replace(found, row=row, scheduled=())))
            for row in found.scheduled
            if row.hours
        ),
    )


def _price(asked: Question, found: Found, step: Step) -> ModelPrice:
    row = found.row
    parts = (row, *found.factors, *found.trail)
    validity = _common([part.validity for part in parts])
    regional = any(factor.regions for factor in found.factors)
    return ModelPrice(
        provider=row.provider,
        model=row.model,
        service_tier=asked.service_tier,
        speed=asked.speed,
        region=asked.region if regional else None,
        context_step=step.above,
        hours=str(row.hours) if row.hours else None,
        unit_prices=_unit_prices(found, step),
        factors={factor.name: factor.factor for factor in found.factors},
        effective_from=validity.start,
        effective_to=validity.end,
        source="; ".join(dict.fromkeys(part.source.text for part in parts)),
        source_url=row.source.url,
        version=row.source.version,
        verified_on=row.source.verified_on,
        confidence=row.source.confidence,
        is_free=row.is_free,
        is_list=row.is_list,
    )


def _unit_prices(found: Found, step: Step) -> Mapping[str, Decimal]:
    prices: dict[str, Decimal] = {}
    for fee in reversed(found.fees):  # the first layer's fee wins, and the row before any fee
        prices.update(fee.unit_prices)
    prices.update(step.unit_prices)
    for factor in found.factors:
        classes = TOKENS if factor.classes is None else factor.classes
        for name in prices.keys() & classes:
            prices[name] = EXACT.multiply(prices[name], factor.factor)
    without = frozenset[str]().union(*(alias.without for alias in found.trail))
    return {name: price for name, price in prices.items() if name not in without}


def _common(validities: Sequence[Validity]) -> Validity:
    starts = [validity.start for validity in validities if validity.start]
    ends = [validity.end for validity in validities if validity.end]
    return Validity(max(starts, default=None), min(ends, default=None))
