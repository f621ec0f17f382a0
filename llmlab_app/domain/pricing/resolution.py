"""How a question is answered from the layers of a price book at one instant.

Order, everywhere: an earlier layer before a later one; inside a layer the row that names the model
most exactly; a row for the very tier before a factor on the default tier. Aliases come first.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol, TypeVar

from llmlab_app.domain.money import EXACT
from llmlab_app.domain.pricing.model_price import ModelPrice
from llmlab_app.domain.pricing.rows import (
    Alias,
    DailyHours,
    PriceFactor,
    PriceLayer,
    PriceRow,
    Step,
    Validity,
)
from llmlab_app.domain.pricing.token_classes import TOKENS
from llmlab_app.domain.pricing.unpriced import Unpriced, UnpricedReason

_MAX_ALIASES = 4


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
class _Found:
    """A row, the rows that replace it for parts of the day, and the factors on all of them."""

    row: PriceRow
    scheduled: tuple[PriceRow, ...]
    factors: tuple[PriceFactor, ...] = ()

    def times(self, factor: PriceFactor) -> "_Found":
        return replace(self, factors=(*self.factors, factor))


class Resolver:
    """Answers one question at any instant."""

    def __init__(self, layers: Sequence[PriceLayer], question: Question) -> None:
        self._layers = layers
        self._asked = question

    def boundaries(self) -> set[datetime]:
        """Every instant at which the answer may change."""
        dated = (self._dated(provider, model) for provider, model in self._reachable())
        spans = (validity for validities in dated for validity in validities)
        return {instant for span in spans for instant in (span.start, span.end) if instant}

    def answer_at(self, at: datetime) -> StepPrices | Unpriced:
        """The prices in force at ``at``, or why there are none."""
        trail = self._trail_at(at)
        provider, model = self._asked.provider, self._asked.model
        if trail:
            provider, model = trail[-1].provider, trail[-1].model
        found = self._find(provider, model, self._asked.service_tier, self._asked.speed, at)
        if found is None:
            return self._refusal(provider, model, at)
        if found.row.varies_by_upstream:
            return self._varying(found.row)
        return self._step_prices(self._with_region(found, provider, model, at), trail)

    # Names

    def _reachable(self) -> list[tuple[str, str]]:
        names = [(self._asked.provider, self._asked.model)]
        for name in names:
            for layer in self._layers:
                targets = ((alias.provider, alias.model) for alias in layer.aliases_for(*name))
                names.extend(target for target in targets if target not in names)
        return names

    def _dated(self, provider: str, model: str) -> Iterator[Validity]:
        for layer in self._layers:
            yield from (alias.validity for alias in layer.aliases_for(provider, model))
            yield from (row.validity for row in layer.rows_for(provider, model))
            yield from (factor.validity for factor in layer.factors_for(provider, model))

    def _trail_at(self, at: datetime) -> tuple[Alias, ...]:
        """The aliases that lead from the name asked to the name that is priced."""
        name = (self._asked.provider, self._asked.model)
        trail: list[Alias] = []
        while len(trail) < _MAX_ALIASES and (alias := self._alias_at(name, at)):
            trail.append(alias)
            name = (alias.provider, alias.model)
        return tuple(trail)

    def _alias_at(self, name: tuple[str, str], at: datetime) -> Alias | None:
        """The alias in force, unless its layer or an earlier one names the model more exactly."""
        for layer in self._layers:
            row = _best(layer.rows_for(*name), at)
            alias = _best(layer.aliases_for(*name), at)
            if alias and (row is None or alias.rank >= row.rank):
                return alias
            if row:
                return None
        return None

    # Prices

    def _find(
        self, provider: str, model: str, tier: str, speed: str | None, at: datetime
    ) -> _Found | None:
        for layer in self._layers:
            rows = [
                row
                for row in layer.rows_for(provider, model)
                if row.service_tier == tier and row.speed == speed
            ]
            if row := _best(rows, at, lambda row: row.hours is None):
                return _Found(row, _scheduled(rows, row, at))
            factor = _best(
                layer.factors_for(provider, model), at, _applies(tier if not speed else None, speed)
            )
            if factor and (base := self._find(provider, model, *_plainer(tier, speed), at)):
                return base.times(factor)
        return None

    def _with_region(self, found: _Found, provider: str, model: str, at: datetime) -> _Found:
        region = self._asked.region
        for layer in self._layers:
            factor = _best(
                layer.factors_for(provider, model), at, lambda f: f.covers_region(region)
            )
            if factor:
                return found.times(factor)
        return found

    def _step_prices(self, found: _Found, trail: tuple[Alias, ...]) -> StepPrices:
        return StepPrices(
            tuple(step.above for step in found.row.steps),
            tuple(self._price(found, step, trail) for step in found.row.steps),
            tuple(
                (row.hours, self._step_prices(_Found(row, (), found.factors), trail))
                for row in found.scheduled
                if row.hours
            ),
        )

    def _price(self, found: _Found, step: Step, trail: tuple[Alias, ...]) -> ModelPrice:
        row = found.row
        validity = _common([part.validity for part in (row, *found.factors, *trail)])
        without = frozenset[str]().union(*(alias.without for alias in trail))
        regional = any(factor.regions for factor in found.factors)
        return ModelPrice(
            provider=row.provider,
            model=row.model,
            service_tier=self._asked.service_tier,
            speed=self._asked.speed,
            region=self._asked.region if regional else None,
            context_step=step.above,
            hours=str(row.hours) if row.hours else None,
            unit_prices=_multiplied(step.unit_prices, found.factors, without),
            factors={factor.name: factor.factor for factor in found.factors},
            effective_from=validity.start,
            effective_to=validity.end,
            source="; ".join(
                dict.fromkeys(part.source.text for part in (row, *found.factors, *trail))
            ),
            source_url=row.source.url,
            version=row.source.version,
            verified_on=row.source.verified_on,
            confidence=row.source.confidence,
            is_free=row.is_free,
            is_list=row.is_list,
        )

    # Refusals

    def _refusal(self, provider: str, model: str, at: datetime) -> Unpriced:
        name = f"{self._asked.provider}/{self._asked.model}"
        rows = [row for layer in self._layers for row in layer.rows_for(provider, model)]
        if not rows:
            return Unpriced(
                UnpricedReason.UNKNOWN_MODEL,
                f"No price for {name}. Map it to a known model, or give it a price, "
                "in Settings → Prices.",
            )
        if not _best(rows, at):
            return Unpriced(UnpricedReason.NO_PRICE_THEN, f"No price for {name} was in force then.")
        if self._asked.speed and self._find(provider, model, self._asked.service_tier, None, at):
            return Unpriced(
                UnpricedReason.UNKNOWN_SPEED,
                f"No price for {name} at speed {self._asked.speed!r} then.",
            )
        return Unpriced(
            UnpricedReason.UNKNOWN_TIER,
            f"No price for {name} at service tier {self._asked.service_tier!r} then. "
            "Send the tier that the provider's response names.",
        )

    def _varying(self, row: PriceRow) -> Unpriced:
        return Unpriced(
            UnpricedReason.VARYING_UPSTREAM,
            f"{self._asked.provider} chooses among hosts with different prices for "
            f"{self._asked.model}: record the cost it reports. ({row.source.text})",
        )


class _Dated(Protocol):
    @property
    def validity(self) -> Validity: ...
    @property
    def rank(self) -> int: ...


_D = TypeVar("_D", bound=_Dated)


def _best(
    candidates: Iterable[_D], at: datetime, passes: Callable[[_D], bool] = lambda _: True
) -> _D | None:
    """The candidate in force that names the model most exactly."""
    held = [c for c in candidates if c.validity.holds_at(at) and passes(c)]
    return max(held, key=lambda candidate: candidate.rank, default=None)


def _scheduled(rows: Sequence[PriceRow], base: PriceRow, at: datetime) -> tuple[PriceRow, ...]:
    held = (row for row in rows if row.hours and row.validity.holds_at(at))
    return tuple(row for row in held if row.rank >= base.rank)


def _applies(tier: str | None, speed: str | None) -> Callable[[PriceFactor], bool]:
    def applies(factor: PriceFactor) -> bool:
        return not factor.regions and factor.service_tier == tier and factor.speed == speed

    return applies


def _plainer(tier: str, speed: str | None) -> tuple[str, None]:
    """The situation that a factor for (tier, speed) multiplies."""
    return (tier if speed else "default"), None


def _multiplied(
    unit_prices: Mapping[str, Decimal], factors: Sequence[PriceFactor], without: frozenset[str]
) -> dict[str, Decimal]:
    prices = {name: price for name, price in unit_prices.items() if name not in without}
    for factor in factors:
        classes = TOKENS if factor.classes is None else factor.classes
        for name in prices.keys() & classes:
            prices[name] = EXACT.multiply(prices[name], factor.factor)
    return prices


def _common(validities: Sequence[Validity]) -> Validity:
    starts = [validity.start for validity in validities if validity.start]
    ends = [validity.end for validity in validities if validity.end]
    return Validity(max(starts, default=None), min(ends, default=None))
