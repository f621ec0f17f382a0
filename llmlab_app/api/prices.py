"""``/api/prices``: what a call would cost, and why."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, Field

from llmlab_app.api import bodies
from llmlab_app.api.auth import principal
from llmlab_app.api.clock import now
from llmlab_app.api.openapi import body_of
from llmlab_app.api.render import line_json, money, price_json
from llmlab_app.api.schemas import Name, Strict, Tier, Units, UsageIn, Word, usage_of
from llmlab_app.domain.access import Principal
from llmlab_app.domain.money import CURRENCY
from llmlab_app.services import prices

router = APIRouter(prefix="/api/prices", tags=["prices"])
Caller = Annotated[Principal, Depends(principal)]
Now = Annotated[datetime, Depends(now)]


class QuoteIn(Strict):
    """A call to price: ``at`` defaults to now, ``provider`` is inferred where the model tells."""

    model: Name
    provider: Word | None = None
    at: Annotated[AwareDatetime | None, Field(strict=False)] = None
    usage: UsageIn
    units: Units = Field(default_factory=dict[str, Decimal])
    service_tier: Tier | None = None
    region: Word | None = None
    speed: Tier | None = None


@router.post("/quote", openapi_extra=body_of(QuoteIn))
async def quote(request: Request, caller: Caller, now: Now) -> dict[str, Any]:
    """The receipt of a call that needn't have happened; an unknown model is unpriced, never $0."""
    asked = await bodies.read(request, QuoteIn)
    found = await prices.quote(
        caller,
        provider=asked.provider,
        model=asked.model,
        at=asked.at or now,
        now=now,
        usage=usage_of(asked.usage),
        units=asked.units,
        service_tier=asked.service_tier,
        region=asked.region,
        speed=asked.speed,
    )
    lines = found.breakdown.lines if found.breakdown else ()
    return {
        "provider": found.provider,
        "model": asked.model,
        "cost": money(found.breakdown.total if found.breakdown else None),
        "currency": CURRENCY,
        "cost_source": found.cost_source,
        "unpriced_reason": found.unpriced_reason,
        "detail": found.detail,
        "lines": [line_json(line) for line in lines],
        **price_json(found.price),
    }


@router.get("")
async def price_book(
    caller: Caller, model: Name, now: Now, provider: str | None = None
) -> dict[str, Any]:
    """The price of one model in force now, and the version of the price book."""
    found = await prices.price_of(caller, provider=provider, model=model, at=now, now=now)
    return {
        "version": await prices.version(caller, now),
        "model": model,
        "provider": found.provider,
        "unpriced_reason": found.unpriced_reason,
        "unit_prices_per_million": {
            name: money(price)
            for name, price in (found.price.unit_prices if found.price else {}).items()
        },
        **price_json(found.price),
    }
