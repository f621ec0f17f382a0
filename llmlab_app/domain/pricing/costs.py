"""Usage × price = cost, line by line."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from llmlab_app.domain.money import EXACT, rounded
from llmlab_app.domain.pricing.model_price import ModelPrice
from llmlab_app.domain.pricing.token_classes import TokenClass, quantities
from llmlab_app.domain.pricing.unpriced import Unpriced, UnpricedReason
from llmlab_app.domain.usage import TokenUsage

ZERO = Decimal(0)
_REQUEST = TokenClass.REQUEST


class CostLine(NamedTuple):
    """One line of a receipt: quantity × unit price = cost, rounded half-even to 1e-12 dollars.

    ``token_class`` is a ``TokenClass`` or the name of a unit; the unit price is for a million.
    """

    token_class: str
    quantity: Decimal
    unit_price_per_million: Decimal
    cost: Decimal
    model: str


class CostBreakdown(NamedTuple):
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
    per_unit, unit_prices, model = price.per_unit, price.unit_prices, price.model
    lines: list[CostLine] = []
    total = ZERO
    for name, quantity in consumed.items():
        if name not in per_unit and not price.is_free:
            return _missing(name, price)
        amount = Decimal(quantity)
        cost = rounded(EXACT.multiply(amount, per_unit.get(name, ZERO)))
        lines.append(CostLine(name, amount, unit_prices.get(name, ZERO), cost, model))
        total = EXACT.add(total, cost)
    if lines and not total and not price.is_free:
        return _zero(price)
    return CostBreakdown(tuple(lines), total)


def _consumed(
    usage: TokenUsage, units: Mapping[str, Decimal], price: ModelPrice
) -> dict[str, int | Decimal]:
    """Quantity by the unit price it is billed at; nothing that is zero."""
    consumed: dict[str, int | Decimal] = {}
    billed_as = price.billed_as
    for token_class, tokens in quantities(usage):
        if tokens:
            name = billed_as.get(token_class, token_class)
            consumed[name] = consumed.get(name, 0) + tokens
    if usage.web_search_requests:
        name, searches = _searches(usage, price)
        consumed[name] = searches
    if _REQUEST in price.unit_prices:
        consumed[_REQUEST] = 1
    for name, quantity in units.items():
        if quantity:
            consumed[name] = consumed.get(name, 0) + quantity
    return consumed


def _searches(usage: TokenUsage, price: ModelPrice) -> tuple[TokenClass, int]:
    """Searches are billed each, or once a prompt where the price says so."""
    if TokenClass.GROUNDED_PROMPT in price.unit_prices:
        return TokenClass.GROUNDED_PROMPT, 1
    return TokenClass.WEB_SEARCH, usage.web_search_requests


def _missing(name: str, price: ModelPrice) -> Unpriced:
    return Unpriced(
        UnpricedReason.MISSING_UNIT_PRICE,
        f"{price.provider}/{price.model} has no price for '{name}' "
        f"({price.source}). Give it one in Settings → Prices.",
    )


def _zero(price: ModelPrice) -> Unpriced:
    return Unpriced(
        UnpricedReason.ZERO_PRICE,
        f"{price.source} lists {price.provider}/{price.model} at $0, and it is not marked free. "
        "Confirm that it is, or give it a price, in Settings → Prices.",
    )
