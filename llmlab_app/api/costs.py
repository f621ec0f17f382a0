"""``/api/costs``: what was spent, in all and by whatever you ask."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from llmlab_app.api.auth import principal
from llmlab_app.api.clock import now
from llmlab_app.api.events import filters_of
from llmlab_app.api.ranges import Since, Until, period_of
from llmlab_app.api.render import breakdown_json, summary_json
from llmlab_app.domain.access import Principal
from llmlab_app.domain.events import Charge
from llmlab_app.services import cost_reports

router = APIRouter(prefix="/api/costs", tags=["costs"])
Caller = Annotated[Principal, Depends(principal)]
Now = Annotated[datetime, Depends(now)]


@router.get("/summary")
async def summary(caller: Caller, now: Now, charge: Charge = Charge.METERED) -> dict[str, Any]:
    """Today, this week, this month and all time, each beside the period before it."""
    return summary_json(await cost_reports.summary(caller, now=now, charge=charge))


@router.get("")
async def costs(
    request: Request,
    caller: Caller,
    now: Now,
    group_by: Annotated[list[str], Query(max_length=2)] = [],  # noqa: B006  # FastAPI copies it
    since: Since = None,
    until: Until = None,
    charge: Charge = Charge.METERED,
) -> dict[str, Any]:
    """Spend by provider, model, feature, project, user, day, hour or tag:<key>, dearest first."""
    ranged = await period_of(caller, since, until, now)
    filters = {name: value for name, value in filters_of(request).items() if name != "charge"}
    return breakdown_json(
        await cost_reports.spend_by(caller, group_by, period=ranged, filters=filters, charge=charge)
    )
