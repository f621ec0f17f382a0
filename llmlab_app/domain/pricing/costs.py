"""Usage × price = cost, line by line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from llmlab_app.domain.money import EXACT, PICO
from llmlab_app.domain.pricing.model_price import ModelPrice
from llmlab_app.domain.pricing.token_classes import TokenClass, quantities
from llmlab_app.domain.pricing.unpriced import Unpriced, UnpricedReason
from llmlab_app.domain.usage import TokenUsage

ZERO = Decimal(0)
_MILLION = Decimal(1_000_000)


class CostLine(NamedTuple):
    """One line of a receipt: quantity × unit price = cost, rounded half-even to 1e-12 dollars.

    ``token_class`` is a ``TokenClass`` or the name of a unit; the unit price is for a million.
    """

    token_class: str
    quantity: Decimal
    unit_price_per_million: Decimal
    cost: Decimal
    model: str


@dataclass(frozen=True, slots=True)
class CostBreakdown:
    """The lines of a receipt; ``total`` is their sum, exactly."""

    lines: tuple[CostLine, ...]
    total: Decimal


def cost_of(
    usage: TokenUsage, units: Mapping[str, Decimal], price: ModelPrice
) -> CostBreakdown | Unpriced:
    """Cost of ``usage`` and ``units`` at ``price``, in US dollars.

    Cached input is part of ``usage.input_tokens`` (OpenTelemetry GenAI) and is billed at its own
    price. Unpriced if anything consumed has no unit price, or if the price comes to $0 although
    nobody called the model free.
    """
    consumed = _consumed(usage, units, price)
    if isinstance(consumed, Unpriced):
        return consumed
    lines = tuple(_lines(consumed, price))
    total = ZERO
    for line in lines:
        total = EXACT.add(total, line.cost)
    if lines and not total and not price.is_free:
        return Unpriced(UnpricedReason.ZERO_PRICE, _zero_detail(price))
    return CostBreakdown(lines, total)


def _consumed(
    usage: TokenUsage, units: Mapping[str, Decimal], price: ModelPrice
) -> dict[str, int | Decimal] | Unpriced:
    """Quantity by the unit price it is billed at."""
    consumed: dict[str, int | Decimal] = {}
    billed_as = price.billed_as
    for token_class, tokens in quantities(usage):
        name = billed_as.get(token_class, token_class)
        consumed[name] = consumed.get(name, 0) + tokens
    for name, quantity in _fees(usage, price):
        consumed[name] = quantity
    for name, quantity in units.items():
        if quantity:
            consumed[name] = consumed.get(name, 0) + quantity
    missing = consumed.keys() - price.unit_prices.keys()
    if missing and not price.is_free:
        return _missing(min(missing), price)
    return consumed


def _fees(usage: TokenUsage, price: ModelPrice) -> Iterator[tuple[TokenClass, int]]:
    """Fees per piece: searches are billed each, or once a prompt where the price says so."""
    if usage.web_search_requests:
        if TokenClass.GROUNDED_PROMPT in price.unit_prices:
            yield TokenClass.GROUNDED_PROMPT, 1
        else:
            yield TokenClass.WEB_SEARCH, usage.web_search_requests
    if TokenClass.REQUEST in price.unit_prices:
        yield TokenClass.REQUEST, 1


def _lines(consumed: Mapping[str, int | Decimal], price: ModelPrice) -> Iterator[CostLine]:
    for name, quantity in consumed.items():
        unit_price = price.unit_prices.get(name, ZERO)
        amount = Decimal(quantity)
        cost = EXACT.divide(EXACT.multiply(amount, unit_price), _MILLION)
        yield CostLine(name, amount, unit_price, cost.quantize(PICO, context=EXACT), price.model)


def _missing(name: str, price: ModelPrice) -> Unpriced:
    return Unpriced(
        UnpricedReason.MISSING_UNIT_PRICE,
        f"{price.provider}/{price.model} has no price for {name!r} "
        f"({price.source}). Give it one in Settings → Prices.",
    )


def _zero_detail(price: ModelPrice) -> str:
    return (
        f"{price.source} lists {price.provider}/{price.model} at $0, and it is not marked free. "
        "Confirm that it is, or give it a price, in Settings → Prices."
    )
