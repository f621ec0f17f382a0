"""What a workspace pays instead of the list price: its own prices, discounts and mapped models.

An override replaces the unit prices it names and leaves the others at list price. A discount takes
a share off the list price. Where several match, the one that names the model most exactly counts,
an override before a discount; they never add up, so that a receipt names one agreement.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from llmlab_app.domain.money import EXACT
from llmlab_app.domain.pricing.composition import Question, StepPrices
from llmlab_app.domain.pricing.model_price import ModelPrice
from llmlab_app.domain.pricing.patterns import matches, rank
from llmlab_app.domain.pricing.rows import (
    ALWAYS,
    Alias,
    PriceFactor,
    PriceFee,
    PriceRow,
    Source,
    Validity,
)
from llmlab_app.domain.pricing.unpriced import Unpriced

ANY = "*"
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceScope:
    """Whom and what an agreement is about: a model, a prefix (``gpt-5*``), a provider, or all."""

    provider: str = ANY
    model: str = ANY
    service_tier: str | None = None

    def covers(self, asked: Question) -> bool:
        """Whether a call asked about falls under it."""
        return (
            self.provider in (ANY, asked.provider)
            and matches(self.model, asked.model)
            and self.service_tier in (None, asked.service_tier)
        )

    @property
    def exactness(self) -> tuple[int, bool, bool]:
        """Orders scopes that cover the same call: model before provider before tier."""
        return rank(self.model), self.provider != ANY, self.service_tier is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceOverride:
    """Unit prices agreed with the provider, in US dollars per million."""

    scope: PriceScope
    unit_prices: Mapping[str, Decimal]
    validity: Validity = ALWAYS
    note: str = "own price"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """A share off the list price; ``classes`` None takes it off everything, fees included."""

    scope: PriceScope
    percent: Decimal
    classes: frozenset[str] | None = None
    validity: Validity = ALWAYS
    note: str = "discount"


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedModel:
    """A name that the price lists do not know, priced as a model that they do."""

    provider: str
    model: str
    target_provider: str
    target_model: str
    validity: Validity = ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Everything a workspace has agreed or mapped; ``version`` changes with any of it.

    Also the first layer of that workspace's price book, where its mapped models are aliases.
    """

    version: str
    overrides: tuple[PriceOverride, ...] = ()
    discounts: tuple[Discount, ...] = ()
    mapped: tuple[MappedModel, ...] = ()

    def rows_for(self, provider: str, model: str) -> Sequence[PriceRow]:
        """None: an agreed price does not become a list price."""
        return ()

    def factors_for(self, provider: str, model: str) -> Sequence[PriceFactor]:
        """None."""
        return ()

    def fees_for(self, provider: str, model: str) -> Sequence[PriceFee]:
        """None."""
        return ()

    def aliases_for(self, provider: str, model: str) -> Sequence[Alias]:
        """The models that ``model`` was mapped to."""
        return [
            Alias(
                provider=mapped.target_provider,
                model=mapped.target_model,
                source=Source(text=f"mapped from {provider}/{model}"),
                validity=mapped.validity,
                rank=rank(mapped.model),
            )
            for mapped in self.mapped
            if mapped.provider == provider and matches(mapped.model, model)
        ]

    def boundaries(self, asked: Question) -> set[datetime]:
        """Every instant at which what was agreed for ``asked`` may change."""
        agreements = (*self.overrides, *self.discounts)
        spans = [a.validity for a in agreements if a.scope.covers(asked)]
        return {instant for span in spans for instant in (span.start, span.end) if instant}

    def applied(
        self, asked: Question, answer: StepPrices | Unpriced, at: datetime
    ) -> StepPrices | Unpriced:
        """``answer`` with what is paid instead; an override prices even what has no list price."""
        override = _best(self.overrides, asked, at)
        if override and isinstance(answer, Unpriced):
            return StepPrices((0,), (_own_price(asked, override),))
        if isinstance(answer, Unpriced):
            return answer
        if override:
            return _agreed(answer, lambda price: _overridden(price, override))
        if discount := _best(self.discounts, asked, at):
            return _agreed(answer, lambda price: _discounted(price, discount))
        return answer


_A = TypeVar("_A", PriceOverride, Discount)


def _best(agreements: Sequence[_A], asked: Question, at: datetime) -> _A | None:
    held = [a for a in agreements if a.validity.holds_at(at) and a.scope.covers(asked)]
    return max(held, key=lambda agreement: agreement.scope.exactness, default=None)


def _agreed(answer: StepPrices, agree: Callable[[ModelPrice], ModelPrice]) -> StepPrices:
    return StepPrices(
        answer.above,
        tuple(replace(price, agreed=agree(price)) for price in answer.prices),
        tuple((hours, _agreed(prices, agree)) for hours, prices in answer.scheduled),
    )


def _overridden(price: ModelPrice, override: PriceOverride) -> ModelPrice:
    return replace(
        price,
        unit_prices={**price.unit_prices, **override.unit_prices},
        source=override.note,
        source_url="",
        is_list=False,
        is_free=_is_all_zero(override.unit_prices),
    )


def _discounted(price: ModelPrice, discount: Discount) -> ModelPrice:
    share = EXACT.divide(EXACT.subtract(_HUNDRED, discount.percent), _HUNDRED)
    return replace(
        price,
        unit_prices=dict(_times(price.unit_prices, share, discount.classes)),
        factors={**price.factors, discount.note: share},
        is_list=False,
        is_free=price.is_free or share == 0,
    )


def _times(
    unit_prices: Mapping[str, Decimal], share: Decimal, classes: frozenset[str] | None
) -> Iterator[tuple[str, Decimal]]:
    for name, amount in unit_prices.items():
        named = classes is None or name in classes
        yield name, EXACT.multiply(amount, share) if named else amount


def _own_price(asked: Question, override: PriceOverride) -> ModelPrice:
    return ModelPrice(
        provider=asked.provider,
        model=asked.model,
        service_tier=asked.service_tier,
        speed=asked.speed,
        unit_prices=override.unit_prices,
        effective_from=override.validity.start,
        effective_to=override.validity.end,
        source=override.note,
        is_list=False,
        is_free=_is_all_zero(override.unit_prices),
    )


def _is_all_zero(unit_prices: Mapping[str, Decimal]) -> bool:
    return not any(unit_prices.values())
