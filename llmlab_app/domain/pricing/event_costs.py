"""Which figure is an event's cost: the computed one, the reported one, or none."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from llmlab_app.domain.events import (
    GATEWAYS,
    AdditionalUsage,
    Charge,
    CostSource,
    EventCost,
    UsageEvent,
)
from llmlab_app.domain.money import EXACT, rounded
from llmlab_app.domain.pricing.book import PriceBook
from llmlab_app.domain.pricing.costs import CostBreakdown, cost_of
from llmlab_app.domain.pricing.model_price import ModelPrice
from llmlab_app.domain.pricing.names import canonical_provider
from llmlab_app.domain.pricing.unpriced import Unpriced, UnpricedReason
from llmlab_app.domain.usage import TokenUsage


def price_event(book: PriceBook, event: UsageEvent) -> tuple[EventCost, ModelPrice | None]:
    """What ``event`` cost, and the price that reproduces it (None where none was used).

    The reported cost counts where the biller is a gateway, or where nothing else is known; else
    the effective cost computed at the price in force at ``occurred_at``. Unknown stays None.
    """
    if event.charge is Charge.UNBILLED:
        return _unpriced(event, Unpriced(UnpricedReason.UNBILLED, "Refused before any work.")), None
    if event.usage is None:
        return _unpriced(event, _without_usage(event)), None
    price = _price_in_force(book, event, event.usage)
    if isinstance(price, Unpriced):
        return _unpriced(event, price), None
    effective = _total(event, event.usage, price.agreed or price)
    if isinstance(effective, Unpriced):
        return _unpriced(event, effective), None
    listed = _total(event, event.usage, price) if price.agreed else effective
    return _priced(event, price, listed, effective), price


def receipt_of(
    usage: TokenUsage,
    units: Mapping[str, Decimal],
    additional_usage: Sequence[AdditionalUsage],
    price: ModelPrice,
) -> CostBreakdown | Unpriced:
    """The lines that add up to what a call cost at ``price``, the extra models' lines included.

    Deterministic: from a stored price it gives the stored cost again, however old.
    """
    first = cost_of(usage, units, price)
    if not additional_usage or isinstance(first, Unpriced):
        return first
    parts = [first]
    for extra, companion in zip(additional_usage, price.companions, strict=True):
        part = cost_of(extra.usage, {}, companion)
        if isinstance(part, Unpriced):
            return part
        parts.append(part)
    return _sum(parts)


def _price_in_force(book: PriceBook, event: UsageEvent, usage: TokenUsage) -> ModelPrice | Unpriced:
    price = _lookup(book, event, event.model, usage)
    if not event.additional_usage or isinstance(price, Unpriced):
        return price
    companions: list[ModelPrice] = []
    for extra in event.additional_usage:
        companion = _lookup(book, event, extra.model, extra.usage)
        if isinstance(companion, Unpriced):
            return companion
        companions.append(companion)
    return _with_companions(price, tuple(companions))


def _lookup(
    book: PriceBook, event: UsageEvent, model: str, usage: TokenUsage
) -> ModelPrice | Unpriced:
    return book.price_at(
        provider=event.provider,
        model=model,
        at=event.occurred_at,
        service_tier=event.service_tier,
        region=event.region,
        speed=event.speed,
        input_tokens=usage.input_tokens,
    )


def _with_companions(price: ModelPrice, companions: tuple[ModelPrice, ...]) -> ModelPrice:
    """One price for an event of several models, with what was agreed on any of them."""
    if any(part.agreed for part in (price, *companions)):
        agreed = tuple(companion.agreed or companion for companion in companions)
        price = replace(price, agreed=replace(price.agreed or price, companions=agreed))
    return replace(price, companions=companions)


def _total(event: UsageEvent, usage: TokenUsage, price: ModelPrice) -> Decimal | Unpriced:
    receipt = receipt_of(usage, event.units, event.additional_usage, price)
    return receipt if isinstance(receipt, Unpriced) else receipt.total


def _priced(
    event: UsageEvent, price: ModelPrice, listed: Decimal | Unpriced, effective: Decimal
) -> EventCost:
    all_listed = price.is_list and all(companion.is_list for companion in price.companions)
    reported = _reported(event)
    paid_as_reported = reported is not None and canonical_provider(event.provider) in GATEWAYS
    return EventCost(
        list_cost=listed if all_listed and isinstance(listed, Decimal) else None,
        effective_cost=effective,
        reported_cost=reported,
        cost=reported if paid_as_reported else effective,
        source=CostSource.REPORTED if paid_as_reported else CostSource.COMPUTED,
        price_id=price.price_id,
    )


def _unpriced(event: UsageEvent, why: Unpriced) -> EventCost:
    reported = _reported(event)
    return EventCost(
        list_cost=None,
        effective_cost=None,
        reported_cost=reported,
        cost=reported,
        source=CostSource.UNPRICED if reported is None else CostSource.REPORTED,
        unpriced_reason=why.reason,
    )


def _without_usage(event: UsageEvent) -> Unpriced:
    if event.total_tokens:
        return Unpriced(
            UnpricedReason.TOTAL_ONLY, "Input and output have different prices: send both counts."
        )
    return Unpriced(UnpricedReason.NO_USAGE, "The call reported no usage.")


def _reported(event: UsageEvent) -> Decimal | None:
    return None if event.reported_cost is None else rounded(event.reported_cost)


def _sum(parts: Sequence[CostBreakdown]) -> CostBreakdown:
    total = Decimal(0)
    for part in parts:
        total = EXACT.add(total, part.total)
    return CostBreakdown(tuple(line for part in parts for line in part.lines), total)
