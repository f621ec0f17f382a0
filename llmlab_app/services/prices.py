"""The price book of this process, and quotes from it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import structlog

from llmlab_app.adapters.newest_prices import newest_price_feed
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
from llmlab_app.settings import get_settings

_book: PriceBook | None = None
_log = structlog.get_logger(__name__)


def current_price_book() -> PriceBook:
    """The prices of this process: our overlay over the ``genai-prices`` data."""
    global _book
    if _book is None:
        _book = _read_prices(None)
    return _book


async def refresh_price_book(*, now: datetime) -> None:
    """Read all prices again and use them from now on.

    If any of them can't be read, nothing changes and the log says why.
    """
    global _book
    try:
        book = await asyncio.to_thread(_read_prices, get_settings().price_feed_url)
    except Exception as error:  # whatever a foreign file or server may be wrong with
        _log.warning("prices not refreshed", error=str(error)[:500], at=now)
        return
    if book.version != current_price_book().version:
        _book = book
        _log.info("prices refreshed", version=book.version, at=now)


def _read_prices(feed_url: str | None) -> PriceBook:
    feed = newest_price_feed(feed_url) if feed_url else bundled_price_feed()
    return PriceBook([bundled_price_overlay(), feed])


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
