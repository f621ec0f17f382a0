"""The price book of this process, and quotes from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache

from llmlab_app.adapters.price_feed import bundled_price_feed
from llmlab_app.adapters.price_overlay import bundled_price_overlay
from llmlab_app.domain.access import Principal, Scope
from llmlab_app.domain.events import CostSource
from llmlab_app.domain.normalise import UNKNOWN_PROVIDER
from llmlab_app.domain.pricing import (
    CostBreakdown,
    ModelPrice,
    PriceBook,
    Unpriced,
    cost_of,
    infer_provider,
)
from llmlab_app.domain.usage import TokenUsage


@cache
def current_price_book() -> PriceBook:
    """Our overlay over the ``genai-prices`` data that is installed."""
    return PriceBook([bundled_price_overlay(), bundled_price_feed()])


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a call costs, or why that is unknown."""

    provider: str
    price: ModelPrice | None = None
    breakdown: CostBreakdown | None = None
    cost_source: CostSource = CostSource.UNPRICED
    unpriced_reason: str | None = None
    detail: str | None = None


def price_of(
    principal: Principal,
    *,
    provider: str | None,
    model: str,
    at: datetime,
    service_tier: str | None = None,
    region: str | None = None,
    speed: str | None = None,
    input_tokens: int = 0,
) -> Quote:
    """The price in force at ``at`` for a call of ``input_tokens``."""
    principal.require(Scope.READ)
    biller = provider or infer_provider(model) or UNKNOWN_PROVIDER
    found = current_price_book().price_at(
        provider=biller,
        model=model,
        at=at,
        service_tier=service_tier or "default",
        region=region,
        speed=speed,
        input_tokens=input_tokens,
    )
    if isinstance(found, Unpriced):
        return _unpriced(biller, found)
    return Quote(provider=biller, price=found)


def quote(
    principal: Principal,
    *,
    provider: str | None,
    model: str,
    at: datetime,
    usage: TokenUsage,
    units: Mapping[str, Decimal],
    service_tier: str | None = None,
    region: str | None = None,
    speed: str | None = None,
) -> Quote:
    """The receipt of a call of ``usage`` and ``units`` at ``at``."""
    found = price_of(
        principal,
        provider=provider,
        model=model,
        at=at,
        service_tier=service_tier,
        region=region,
        speed=speed,
        input_tokens=usage.input_tokens,
    )
    if found.price is None:
        return found
    breakdown = cost_of(usage, units, found.price)
    if isinstance(breakdown, Unpriced):
        return _unpriced(found.provider, breakdown)
    return Quote(
        provider=found.provider,
        price=found.price,
        breakdown=breakdown,
        cost_source=CostSource.COMPUTED,
    )


def _unpriced(provider: str, why: Unpriced) -> Quote:
    return Quote(provider=provider, unpriced_reason=why.reason, detail=why.detail)
