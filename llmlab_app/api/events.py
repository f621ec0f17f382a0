"""``/api/events``: report calls, list them, explain them."""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic_core import to_json

from llmlab_app.api import bodies
from llmlab_app.api.auth import principal
from llmlab_app.api.clock import now
from llmlab_app.api.openapi import body_of
from llmlab_app.api.ranges import Since, Until, period_of
from llmlab_app.api.render import call_json, money, receipt_json
from llmlab_app.api.schemas import BatchIn, EventIn
from llmlab_app.domain.access import Principal
from llmlab_app.domain.errors import InvalidInput, NotFound
from llmlab_app.services import calls, ingestion
from llmlab_app.services.ingestion import EventResult, Outcome

router = APIRouter(prefix="/api/events", tags=["events"])
Caller = Annotated[Principal, Depends(principal)]
Now = Annotated[datetime, Depends(now)]


@router.post("/track", openapi_extra=body_of(EventIn))
async def track(request: Request, caller: Caller, now: Now) -> Response:
    """Store one event; answers after the commit, with its cost."""
    event = bodies.parse_event(await request.body())
    [result] = await ingestion.track(caller, [event], now=now)
    if result.rejection is not None:
        raise InvalidInput(result.rejection.detail, code=result.rejection.code)
    return _json(
        {
            "id": str(result.id),
            "accepted": True,
            "duplicate": result.outcome is Outcome.DUPLICATE,
            "cost": money(result.cost),
            "cost_source": result.cost_source,
        }
    )


@router.post("/batch", openapi_extra=body_of(BatchIn))
async def batch(request: Request, caller: Caller, now: Now) -> Response:
    """Store 1 to 1,000 events; each is accepted, a duplicate or rejected by itself."""
    events = bodies.parse_batch(await request.body())
    results = await ingestion.track(caller, events, now=now)
    outcomes = [result.outcome for result in results]
    return _json(
        {
            "accepted": outcomes.count(Outcome.ACCEPTED),
            "duplicates": outcomes.count(Outcome.DUPLICATE),
            "rejected": [
                {"index": index, "code": each.rejection.code, "detail": each.rejection.detail}
                for index, each in enumerate(results)
                if each.rejection is not None
            ],
            "results": [_result(result) for result in results],
        }
    )


def _result(result: EventResult) -> dict[str, Any]:
    return {
        "id": None if result.id is None else str(result.id),
        "status": result.outcome,
        "cost": money(result.cost),
        "cost_source": None if result.outcome is Outcome.REJECTED else result.cost_source,
    }


@router.get("")
async def list_events(
    request: Request,
    caller: Caller,
    now: Now,
    limit: Annotated[int, Query(ge=1, le=calls.MAX_PAGE)] = 50,
    cursor: str | None = None,
    since: Since = None,
    until: Until = None,
) -> dict[str, Any]:
    """Calls, newest first. Filters: provider, model, feature, user, status, tag:<key> and more."""
    ranged = await period_of(caller, since, until, now) if since or until else None
    page = await calls.list_calls(
        caller,
        limit=limit,
        before=_id_of(cursor),
        period=ranged,
        filters=filters_of(request),
    )
    return {
        "data": [call_json(call) for call in page],
        "next_cursor": _cursor(page[-1].event.id) if len(page) == limit else None,
    }


@router.get("/{id}/receipt")
async def receipt(id: str, caller: Caller) -> dict[str, Any]:
    """How the cost of one call came to be: token class × quantity × dated unit price."""
    try:
        found = await calls.receipt(caller, UUID(id))
    except ValueError:
        raise NotFound("There is no call with this id.", code="unknown_event") from None
    return receipt_json(found)


NOT_FILTERS = frozenset({"limit", "cursor", "since", "until", "group_by", "format"})


def filters_of(request: Request) -> dict[str, str]:
    """The query parameters that restrict which calls count."""
    return {k: v for k, v in request.query_params.items() if k not in NOT_FILTERS}


def _cursor(id: UUID) -> str:
    return base64.urlsafe_b64encode(id.bytes).decode().rstrip("=")


def _id_of(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    try:
        return UUID(bytes=base64.urlsafe_b64decode(cursor + "=="))
    except (ValueError, binascii.Error):
        raise InvalidInput(
            "cursor must be a next_cursor of an earlier page.", code="invalid_cursor"
        ) from None


def _json(content: object) -> Response:
    return Response(to_json(content), media_type="application/json")
