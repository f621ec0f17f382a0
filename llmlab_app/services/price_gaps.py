"""What the price book doesn't know, and where the providers' own figures say otherwise."""

from datetime import timedelta

from llmlab_app.domain.access import Principal, Scope
from llmlab_app.domain.calendar import Period
from llmlab_app.domain.errors import InvalidInput
from llmlab_app.domain.price_gaps import PriceDrift, UnpricedCalls
from llmlab_app.storage import price_gaps
from llmlab_app.storage.database import transaction

MAX_GROUPS = 500
MAX_DRIFT_DAYS = 31


async def unpriced(principal: Principal, *, period: Period | None) -> list[UnpricedCalls]:
    """Calls without a cost in the caller's projects, by model and reason; None: of all time."""
    principal.require(Scope.READ)
    async with transaction() as session:
        return await price_gaps.unpriced_calls(
            session, projects=principal.project_ids, period=period, limit=MAX_GROUPS
        )


async def drift(principal: Principal, *, period: Period) -> list[PriceDrift]:
    """Reported beside computed cost, by model, of the calls where both are known.

    Raises:
        InvalidInput: more than 31 days: it is computed from single calls.
    """
    principal.require(Scope.READ)
    if period.end - period.start > timedelta(days=MAX_DRIFT_DAYS + 2):
        raise InvalidInput(
            f"This is computed from single calls, for at most {MAX_DRIFT_DAYS} days. "
            "Shorten the range.",
            code="range_too_long",
        )
    async with transaction() as session:
        return await price_gaps.drift(
            session, projects=principal.project_ids, period=period, limit=MAX_GROUPS
        )
