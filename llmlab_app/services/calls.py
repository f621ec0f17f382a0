"""Single calls and their receipts."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from llmlab_app.domain.access import Principal, Scope
from llmlab_app.domain.calendar import Period
from llmlab_app.domain.errors import InvalidInput, NotFound
from llmlab_app.domain.events import CostSource, EventCost, UsageEvent
from llmlab_app.domain.money import EXACT
from llmlab_app.domain.pricing import CostBreakdown, ModelPrice, Unpriced, receipt_of
from llmlab_app.storage import event_queries
from llmlab_app.storage.database import transaction
from llmlab_app.storage.event_rows import StoredEvent
from llmlab_app.storage.prices import price_used

MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class Call:
    """One call and its money."""

    event: UsageEvent
    cost: EventCost


@dataclass(frozen=True, slots=True)
class Receipt:
    """A call, the price it was computed with and its lines, which add up to the stored cost.

    ``price`` and ``breakdown`` are None where nothing was computed: a reported or unpriced cost.
    """

    call: Call
    price: ModelPrice | None
    breakdown: CostBreakdown | None

    @property
    def discount(self) -> Decimal | None:
        """How much less than the list price is paid; None if either is unknown."""
        listed, effective = self.call.cost.list_cost, self.call.cost.effective_cost
        if listed is None or effective is None:
            return None
        return EXACT.subtract(listed, effective)


async def list_calls(
    principal: Principal,
    *,
    limit: int = 50,
    before: UUID | None = None,
    period: Period | None = None,
    filters: Mapping[str, str] | None = None,
) -> list[Call]:
    """A page of calls, newest first, beginning after the call ``before``.

    Raises:
        InvalidInput: ``limit`` out of 1..200, or an unknown filter.
    """
    principal.require(Scope.READ)
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInput(f"limit must be 1 to {MAX_PAGE}.", code="invalid_limit")
    check_filters(filters or {})
    async with transaction() as session:
        found = await event_queries.newest_calls(
            session,
            projects=principal.project_ids,
            limit=limit,
            before=before,
            period=period,
            filters=filters,
        )
    return [_call(stored) for stored in found]


async def latest_calls(principal: Principal, *, limit: int, now: datetime) -> list[Call]:
    """The live feed: what arrived last comes first, so that late and long calls appear too."""
    principal.require(Scope.READ)
    async with transaction() as session:
        projects = principal.project_ids
        arrived = await event_queries.just_received(
            session, projects=projects, limit=limit, now=now
        )
        if len(arrived) < limit:
            arrived += await event_queries.newest_calls(session, projects=projects, limit=limit)
    distinct = {stored.event.id: stored for stored in reversed(arrived)}
    newest = sorted(
        distinct.values(), key=lambda each: (each.event.received_at, each.event.id), reverse=True
    )
    return [_call(stored) for stored in newest[:limit]]


async def receipt(principal: Principal, id: UUID) -> Receipt:
    """How the cost of one call came to be, from the price stored with it.

    Raises:
        NotFound: no such call in the caller's projects.
    """
    principal.require(Scope.READ)
    async with transaction() as session:
        stored = await event_queries.call_by_id(session, projects=principal.project_ids, id=id)
        if stored is None:
            raise NotFound("There is no call with this id in your projects.", code="unknown_event")
        price = await price_used(session, stored.cost.price_id)
    return Receipt(_call(stored), price, _breakdown(stored, price))


def _breakdown(stored: StoredEvent, price: ModelPrice | None) -> CostBreakdown | None:
    event = stored.event
    if price is None or event.usage is None or stored.cost.source is CostSource.UNPRICED:
        return None
    found = receipt_of(event.usage, event.units, event.additional_usage, price.agreed or price)
    return None if isinstance(found, Unpriced) else found


async def every_call(
    principal: Principal, *, period: Period, filters: Mapping[str, str]
) -> AsyncIterator[Call]:
    """All calls of a period, oldest first, however many."""
    principal.require(Scope.READ)
    check_filters(filters)
    async with transaction() as session:
        async for stored in event_queries.every_call(
            session, projects=principal.project_ids, period=period, filters=filters
        ):
            yield _call(stored)


def check_filters(filters: Mapping[str, str]) -> None:
    """Pass if every filter is known.

    Raises:
        InvalidInput: naming the ones that are.
    """
    for name in filters:
        if name not in event_queries.FILTERS and not name.startswith("tag:"):
            known = ", ".join(event_queries.FILTERS)
            raise InvalidInput(
                f"{name!r} is no filter. Use one of {known}, or tag:<key>.", code="unknown_filter"
            )


def _call(stored: StoredEvent) -> Call:
    return Call(stored.event, stored.cost)
