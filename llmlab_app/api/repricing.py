"""``/api/prices/unpriced``, ``drift``, ``reprice``: find missing and doubtful costs, mend them."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from llmlab_app.api import bodies
from llmlab_app.api.auth import principal
from llmlab_app.api.clock import now
from llmlab_app.api.openapi import body_of
from llmlab_app.api.ranges import Since, Until, period_of
from llmlab_app.api.render import instant, money
from llmlab_app.api.schemas import Label, Name, Strict, Word
from llmlab_app.domain.access import Principal
from llmlab_app.domain.calendar import Period
from llmlab_app.domain.identity import CLOCK_TOLERANCE, EARLIEST
from llmlab_app.domain.money import CURRENCY
from llmlab_app.domain.price_gaps import PriceDrift, UnpricedCalls
from llmlab_app.domain.pricing import UnpricedReason
from llmlab_app.domain.repricing import MonthChange, month_name
from llmlab_app.services import price_gaps, repricing

router = APIRouter(prefix="/api/prices", tags=["prices"])
Caller = Annotated[Principal, Depends(principal)]
Now = Annotated[datetime, Depends(now)]


class RepriceIn(Strict):
    """Which calls to price again; `months` (`2026-08`) are the closed months that may change."""

    dry_run: bool = True
    since: Word | None = None
    until: Word | None = None
    filters: Annotated[dict[Name, Label], Field(max_length=16)] = Field(
        default_factory=dict[str, str]
    )
    months: Annotated[list[Word], Field(max_length=120)] = Field(default_factory=list[str])


@router.get("/unpriced")
async def unpriced(
    caller: Caller, now: Now, since: Since = None, until: Until = None
) -> dict[str, Any]:
    """Calls without a cost, by model and reason, most first; without a range those of all time."""
    ranged = await period_of(caller, since, until, now) if since or until else None
    found = await price_gaps.unpriced(caller, period=ranged)
    return {"data": [_unpriced_json(each) for each in found]}


@router.get("/drift")
async def drift(
    caller: Caller, now: Now, since: Since = None, until: Until = None
) -> dict[str, Any]:
    """Reported beside computed cost by model, widest apart first; 31 days at most."""
    ranged = await period_of(caller, since, until, now)
    found = await price_gaps.drift(caller, period=ranged)
    return {"data": [_drift_json(each) for each in found], "currency": CURRENCY}


@router.post("/reprice", openapi_extra=body_of(RepriceIn))
async def reprice(request: Request, caller: Caller, now: Now) -> dict[str, Any]:
    """Say month by month what today's price book would change; with `dry_run` false change it.

    Months before the previous one are closed, and change only if `months` names them.
    """
    body = await bodies.read(request, RepriceIn)
    act = repricing.preview if body.dry_run else repricing.reprice
    found = await act(
        caller,
        period=await _period(caller, body, now),
        filters=body.filters,
        ticked=body.months,
        now=now,
    )
    return {
        "dry_run": body.dry_run,
        "examined": found.examined,
        "amended": found.amended,
        "price_version": found.price_version,
        "currency": CURRENCY,
        "months": [_month_json(each) for each in found.months],
    }


async def _period(caller: Principal, body: RepriceIn, now: datetime) -> Period:
    """The range asked for; an end that is left out is the end of all time."""
    ever = Period(EARLIEST, now + CLOCK_TOLERANCE * 2)
    if body.since is None and body.until is None:
        return ever
    since = body.since or instant(ever.start)
    return await period_of(caller, since, body.until or instant(ever.end), now)


def _unpriced_json(group: UnpricedCalls) -> dict[str, Any]:
    return {
        "provider": group.provider,
        "model": group.model,
        "reason": group.reason,
        "mappable": group.reason == UnpricedReason.UNKNOWN_MODEL,
        "calls": group.calls,
        "first_seen": instant(group.first_seen),
        "last_seen": instant(group.last_seen),
        "input_tokens": group.input_tokens,
        "output_tokens": group.output_tokens,
    }


def _drift_json(each: PriceDrift) -> dict[str, Any]:
    return {
        "provider": each.provider,
        "model": each.model,
        "calls": each.calls,
        "reported_cost": money(each.reported_cost),
        "computed_cost": money(each.computed_cost),
        "difference": money(each.difference),
        "ratio": money(each.ratio),
    }


def _month_json(change: MonthChange) -> dict[str, Any]:
    return {
        "month": month_name(change.month),
        "events": change.events,
        "old_cost": money(change.old_cost),
        "new_cost": money(change.new_cost),
        "difference": money(change.difference),
        "unpriced_before": change.unpriced_before,
        "unpriced_after": change.unpriced_after,
        "closed": change.is_closed,
        "may_change": change.may_change,
    }
