"""``/api/prices/overrides``, ``discounts``, ``mappings``: what a workspace pays and calls things.

Terms are dated and never edited: a new one about the same calls closes the one before it.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, Field

from llmlab_app.api import bodies
from llmlab_app.api.auth import principal
from llmlab_app.api.clock import now
from llmlab_app.api.openapi import body_of
from llmlab_app.api.ranges import instant_of
from llmlab_app.api.render import term_json
from llmlab_app.api.schemas import Label, Name, Strict, Tier, Word
from llmlab_app.domain.access import Principal
from llmlab_app.domain.price_terms import Agreement, TermKind, model_pattern, scope
from llmlab_app.domain.pricing import Discount, MappedModel, PriceOverride, canonical_provider
from llmlab_app.services import price_terms
from llmlab_app.services.price_terms import AddedTerm

router = APIRouter(prefix="/api/prices", tags=["prices"])
Caller = Annotated[Principal, Depends(principal)]
Now = Annotated[datetime, Depends(now)]
Instant = Annotated[AwareDatetime | None, Field(strict=False)]
UnitPrice = Annotated[Decimal, Field(ge=0, le=10**9, max_digits=40, allow_inf_nan=False)]
Percent = Annotated[Decimal, Field(gt=0, le=100, max_digits=12, allow_inf_nan=False)]
End = Annotated[
    str | None, Query(description="A day (2026-11-01) or an instant (RFC 3339), not included")
]


class _TermIn(Strict):
    """When a term holds: from now, if nothing else is said, until further notice."""

    effective_from: Instant = None
    effective_to: Instant = None


class _ScopeIn(_TermIn):
    """The calls that it is about: a model, a prefix (`gpt-5*`), a provider, a tier, or all."""

    provider: Word | None = None
    model: Name | None = None
    service_tier: Tier | None = None
    note: Label = ""


class OverrideIn(_ScopeIn):
    """Prices of your own, in US dollars per million; what is not named stays at list price."""

    unit_prices_per_million: Annotated[dict[Word, UnitPrice], Field(min_length=1, max_length=64)]


class DiscountIn(_ScopeIn):
    """A share off the list price; without `token_classes` off everything, fees included."""

    percent: Percent
    token_classes: Annotated[list[Word] | None, Field(min_length=1, max_length=64)] = None


class MappingIn(_TermIn):
    """A name that no price list knows, priced as a model that one does; since ever by default."""

    provider: Word
    model: Name
    target_provider: Word | None = None
    target_model: Name


@router.get("/overrides")
async def list_overrides(caller: Caller) -> dict[str, Any]:
    """The workspace's own prices, newest first; closed ones too."""
    return await _list(caller, TermKind.OVERRIDE)


@router.post("/overrides", status_code=201, openapi_extra=body_of(OverrideIn))
async def add_override(request: Request, caller: Caller, now: Now) -> dict[str, Any]:
    """Replace list prices by prices of your own."""
    body = await bodies.read(request, OverrideIn)
    override = PriceOverride(
        scope=scope(body.provider, body.model, body.service_tier),
        unit_prices=body.unit_prices_per_million,
        note=body.note,
    )
    return await _add(caller, override, body, now)


@router.delete("/overrides/{term_id}", status_code=204)
async def close_override(term_id: UUID, caller: Caller, now: Now, until: End = None) -> None:
    """End an own price at `until`, else now; at or before its start it never held."""
    await _close(caller, TermKind.OVERRIDE, term_id, until, now)


@router.get("/discounts")
async def list_discounts(caller: Caller) -> dict[str, Any]:
    """The workspace's discounts, newest first; closed ones too."""
    return await _list(caller, TermKind.DISCOUNT)


@router.post("/discounts", status_code=201, openapi_extra=body_of(DiscountIn))
async def add_discount(request: Request, caller: Caller, now: Now) -> dict[str, Any]:
    """Take a share off list prices; of several discounts the most exact one counts."""
    body = await bodies.read(request, DiscountIn)
    discount = Discount(
        scope=scope(body.provider, body.model, body.service_tier),
        percent=body.percent,
        classes=None if body.token_classes is None else frozenset(body.token_classes),
        note=body.note,
    )
    return await _add(caller, discount, body, now)


@router.delete("/discounts/{term_id}", status_code=204)
async def close_discount(term_id: UUID, caller: Caller, now: Now, until: End = None) -> None:
    """End a discount at `until`, else now; at or before its start it never held."""
    await _close(caller, TermKind.DISCOUNT, term_id, until, now)


@router.get("/mappings")
async def list_mappings(caller: Caller) -> dict[str, Any]:
    """The models that the workspace has mapped, newest first; closed ones too."""
    return await _list(caller, TermKind.MAPPING)


@router.post("/mappings", status_code=201, openapi_extra=body_of(MappingIn))
async def add_mapping(request: Request, caller: Caller, now: Now) -> dict[str, Any]:
    """Price an unknown name as a known model, from the next call on; then re-price the others."""
    body = await bodies.read(request, MappingIn)
    provider = canonical_provider(body.provider)
    mapping = MappedModel(
        provider=provider,
        model=model_pattern(provider, body.model),
        target_provider=canonical_provider(body.target_provider or provider),
        target_model=body.target_model,
    )
    return await _add(caller, mapping, body, now)


@router.delete("/mappings/{term_id}", status_code=204)
async def close_mapping(term_id: UUID, caller: Caller, now: Now, until: End = None) -> None:
    """End a mapping at `until`, else now; at or before its start it never held."""
    await _close(caller, TermKind.MAPPING, term_id, until, now)


async def _list(caller: Principal, kind: TermKind) -> dict[str, Any]:
    return {"data": [term_json(term) for term in await price_terms.list_terms(caller, kind)]}


async def _add(
    caller: Principal, agreement: Agreement, dates: _TermIn, now: datetime
) -> dict[str, Any]:
    added: AddedTerm = await price_terms.add_term(
        caller,
        agreement,
        effective_from=dates.effective_from,
        effective_to=dates.effective_to,
        now=now,
    )
    return {**term_json(added.term), "closed": [str(term.id) for term in added.closed]}


async def _close(
    caller: Principal, kind: TermKind, term_id: UUID, until: str | None, now: datetime
) -> None:
    end = await instant_of(caller, until)
    await price_terms.close_term(caller, kind, term_id, until=end, now=now)
