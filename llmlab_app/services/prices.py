"""The list prices of this process, what each workspace pays instead, and quotes from both."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

import structlog

from llmlab_app.adapters.newest_prices import newest_price_feed
from llmlab_app.adapters.price_feed import bundled_price_feed
from llmlab_app.adapters.price_overlay import bundled_price_overlay
from llmlab_app.domain.access import Principal, Scope
from llmlab_app.domain.events import CostSource
from llmlab_app.domain.money import plain
from llmlab_app.domain.normalise import UNKNOWN_PROVIDER
from llmlab_app.domain.price_terms import PriceTerm
from llmlab_app.domain.pricing import (
    CostBreakdown,
    Discount,
    MappedModel,
    ModelPrice,
    PriceBook,
    PriceOverride,
    Terms,
    Unpriced,
    cost_of,
    infer_provider,
)
from llmlab_app.domain.usage import TokenUsage
from llmlab_app.services.short_memory import ShortMemory
from llmlab_app.settings import get_settings
from llmlab_app.storage import price_terms
from llmlab_app.storage.database import snapshot

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


# What a workspace pays


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspacePrices:
    """The price book of one workspace: ``listed`` with its own terms as of ``version``."""

    workspace_id: UUID
    version: int
    listed: PriceBook
    book: PriceBook


async def prices_in_force(workspace_id: UUID, now: datetime) -> WorkspacePrices:
    """The prices of a workspace, at most two seconds old: good to read, to be checked to write."""
    found = await _remembered.get(workspace_id, now)
    assert found is not None  # a look-up gives prices or raises
    return found


async def newest_prices(workspace_id: UUID) -> WorkspacePrices:
    """The prices of a workspace as they are now; whoever asks next gets them too."""
    _remembered.forget_all()
    return await _look_up(workspace_id)


async def _look_up(workspace_id: UUID) -> WorkspacePrices:
    held, listed = _held.get(workspace_id), current_price_book()
    async with snapshot() as session:
        version = await price_terms.price_version(session, workspace_id)
        if held and (held.version, held.listed) == (version, listed):
            return held  # with every look-up that was compiled in it
        terms = await price_terms.terms_of(session, workspace_id) if version else ()
    own = _terms(terms, version)
    book = listed.with_terms(own) if own else listed
    found = WorkspacePrices(workspace_id=workspace_id, version=version, listed=listed, book=book)
    if len(_held) >= _MAX_HELD:
        _held.clear()
    _held[workspace_id] = found
    return found


_MAX_HELD = 1_000
_held: dict[UUID, WorkspacePrices] = {}
_remembered = ShortMemory(_look_up, lifetime=timedelta(seconds=2), size=_MAX_HELD)


def _terms(terms: tuple[PriceTerm, ...], version: int) -> Terms | None:
    agreements = [term.agreement for term in terms if not term.is_withdrawn]
    if not agreements:
        return None
    return Terms(
        version=f"own prices {version}",
        overrides=tuple(_labelled(each) for each in agreements if isinstance(each, PriceOverride)),
        discounts=tuple(_labelled(each) for each in agreements if isinstance(each, Discount)),
        mapped=tuple(each for each in agreements if isinstance(each, MappedModel)),
    )


_A = TypeVar("_A", PriceOverride, Discount)


def _labelled(agreement: _A) -> _A:
    """The same with a note that explains itself on a receipt."""
    label = "own price"
    if isinstance(agreement, Discount):
        label = f"discount of {plain(agreement.percent)} %"
    return replace(agreement, note=f"{label}: {agreement.note}" if agreement.note else label)


# Quotes


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a call costs, or why that is unknown; the lines are at ``price.agreed`` if it is set."""

    provider: str
    price: ModelPrice | None = None
    breakdown: CostBreakdown | None = None
    cost_source: CostSource = CostSource.UNPRICED
    unpriced_reason: str | None = None
    detail: str | None = None


async def version(principal: Principal, now: datetime) -> str:
    """Names all prices that the caller's calls are priced with; changes with any of them."""
    principal.require(Scope.READ)
    return (await prices_in_force(principal.workspace_id, now)).book.version


async def price_of(
    principal: Principal,
    *,
    provider: str | None,
    model: str,
    at: datetime,
    now: datetime,
    service_tier: str | None = None,
    region: str | None = None,
    speed: str | None = None,
    input_tokens: int = 0,
) -> Quote:
    """The price in force at ``at`` for a call of ``input_tokens``, and what the caller pays."""
    principal.require(Scope.READ)
    biller = provider or infer_provider(model) or UNKNOWN_PROVIDER
    prices = await prices_in_force(principal.workspace_id, now)
    found = prices.book.price_at(
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


async def quote(
    principal: Principal,
    *,
    provider: str | None,
    model: str,
    at: datetime,
    now: datetime,
    usage: TokenUsage,
    units: Mapping[str, Decimal],
    service_tier: str | None = None,
    region: str | None = None,
    speed: str | None = None,
) -> Quote:
    """The receipt of a call of ``usage`` and ``units`` at ``at``."""
    found = await price_of(
        principal,
        provider=provider,
        model=model,
        at=at,
        now=now,
        service_tier=service_tier,
        region=region,
        speed=speed,
        input_tokens=usage.input_tokens,
    )
    if found.price is None:
        return found
    breakdown = cost_of(usage, units, found.price.agreed or found.price)
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
