"""How a question is answered from the layers of a price book at one instant.

Order, everywhere: an earlier layer before a later one; inside a layer the row that names the model
most exactly; a row for the very tier before a factor on the default tier. Aliases come first.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol, TypeVar

from llmlab_app.domain.pricing.composition import Found, Question, StepPrices, compose
from llmlab_app.domain.pricing.names import canonical_model
from llmlab_app.domain.pricing.rows import (
    Alias,
    PriceFactor,
    PriceFee,
    PriceLayer,
    PriceRow,
    Validity,
)
from llmlab_app.domain.pricing.unpriced import Unpriced, UnpricedReason

_MAX_ALIASES = 4
_Name = tuple[str, str]


class Resolver:
    """Answers one question at any instant."""

    def __init__(self, layers: Sequence[PriceLayer], question: Question) -> None:
        self._layers = layers
        self._asked = question
        self._name = (question.provider, question.model)

    def boundaries(self) -> set[datetime]:
        """Every instant at which the answer may change."""
        spans = (validity for name in self._reachable() for validity in self._validities(*name))
        return {instant for span in spans for instant in (span.start, span.end) if instant}

    def answer_at(self, at: datetime) -> StepPrices | Unpriced:
        """The prices in force at ``at``, or why there are none."""
        trail = self._trail_at(at)
        name = _target(trail[-1]) if trail else self._name
        found = self._find(name, self._asked.service_tier, self._asked.speed, at)
        if found is None:
            return self._refusal(name, at)
        if found.row.varies_by_upstream:
            return self._varying(found.row)
        found = replace(self._with_region(found, name, at), fees=self._fees(name, at), trail=trail)
        return compose(self._asked, found)

    # Names

    def _reachable(self) -> set[_Name]:
        reached, edge = {self._name}, {self._name}
        for _ in range(_MAX_ALIASES):
            edge = {
                _target(alias)
                for name in edge
                for layer in self._layers
                for alias in layer.aliases_for(*name)
            } - reached
            reached |= edge
        return reached

    def _validities(self, provider: str, model: str) -> Iterator[Validity]:
        for layer in self._layers:
            yield from (alias.validity for alias in layer.aliases_for(provider, model))
            yield from (row.validity for row in layer.rows_for(provider, model))
            yield from (factor.validity for factor in layer.factors_for(provider, model))
            yield from (fee.validity for fee in layer.fees_for(provider, model))

    def _trail_at(self, at: datetime) -> tuple[Alias, ...]:
        """The aliases that lead from the name asked to the name that is priced."""
        name = self._name
        trail: list[Alias] = []
        while len(trail) < _MAX_ALIASES and (alias := self._alias_at(name, at)):
            trail.append(alias)
            name = _target(alias)
        return tuple(trail)

    def _alias_at(self, name: _Name, at: datetime) -> Alias | None:
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

    def _find(self, name: _Name, tier: str, speed: str | None, at: datetime) -> Found | None:
        for layer in self._layers:
            rows = [
                row
                for row in layer.rows_for(*name)
                if row.service_tier == tier and row.speed == speed
            ]
            if row := _best(rows, at, lambda row: row.hours is None):
                return Found(row, _scheduled(rows, row, at))
            condition = _applies(None if speed else tier, speed)
            factor = _best(layer.factors_for(*name), at, condition)
            if factor and (base := self._find(name, *_plainer(tier, speed), at)):
                return base.times(factor)
        return None

    def _with_region(self, found: Found, name: _Name, at: datetime) -> Found:
        def covers(factor: PriceFactor) -> bool:
            return factor.covers_region(self._asked.region)

        for layer in self._layers:
            if factor := _best(layer.factors_for(*name), at, covers):
                return found.times(factor)
        return found

    def _fees(self, name: _Name, at: datetime) -> tuple[PriceFee, ...]:
        best = (_best(layer.fees_for(*name), at) for layer in self._layers)
        return tuple(fee for fee in best if fee)

    # Refusals

    def _refusal(self, name: _Name, at: datetime) -> Unpriced:
        asked = "/".join(self._name)
        rows = [row for layer in self._layers for row in layer.rows_for(*name)]
        if not rows:
            return Unpriced(
                UnpricedReason.UNKNOWN_MODEL,
                f"No price for {asked}. Map it to a known model, or give it a price, "
                "in Settings → Prices.",
            )
        if not _best(rows, at):
            detail = f"No price for {asked} was in force then."
            return Unpriced(UnpricedReason.NO_PRICE_THEN, detail)
        if self._asked.speed and self._find(name, self._asked.service_tier, None, at):
            detail = f"No price for {asked} at speed {self._asked.speed!r} then."
            return Unpriced(UnpricedReason.UNKNOWN_SPEED, detail)
        return Unpriced(
            UnpricedReason.UNKNOWN_TIER,
            f"No price for {asked} at service tier {self._asked.service_tier!r} then. "
            "Send the tier that the provider's response names.",
        )

    def _varying(self, row: PriceRow) -> Unpriced:
        return Unpriced(
            UnpricedReason.VARYING_UPSTREAM,
            f"{self._asked.provider} chooses among hosts with different prices for "
            f"{self._asked.model}: record the cost it reports. ({row.source.text})",
        )


def _target(alias: Alias) -> _Name:
    """Where an alias leads, as the provider there spells it."""
    return alias.provider, canonical_model(alias.provider, alias.model)


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
