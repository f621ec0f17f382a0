"""What was spent: the figures of the API, the dashboard and the terminal come from here alone."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.access import Principal, Scope
from llmlab_app.domain.calendar import (
    Period,
    Unit,
    comparison,
    first_day,
    hour_start,
    midnight,
)
from llmlab_app.domain.errors import InvalidInput
from llmlab_app.domain.events import Charge
from llmlab_app.domain.spend import (
    Breakdown,
    Dimension,
    PeriodSpend,
    Source,
    Spend,
    SpendRow,
    Summary,
)
from llmlab_app.storage import cost_queries
from llmlab_app.storage.cost_queries import CALLS, DAYS, HOURS, SpendTable
from llmlab_app.storage.database import transaction
from llmlab_app.storage.workspaces import zone_of

MAX_CALL_DAYS = 31
MAX_DIMENSIONS = 2


async def summary(
    principal: Principal, *, now: datetime, charge: Charge = Charge.METERED
) -> Summary:
    """Spend today, this week, this month and in all, over the projects of ``principal``."""
    principal.require(Scope.READ)
    async with transaction() as session:
        return await summary_in(session, principal, now=now, charge=charge)


async def summary_in(
    session: AsyncSession,
    principal: Principal,
    *,
    now: datetime,
    charge: Charge = Charge.METERED,
) -> Summary:
    """The same inside a transaction of the caller's, for figures that must agree with others."""
    zone = await zone_of(session, principal.workspace_id)
    return Summary(
        today=await _so_far(session, principal, Unit.DAY, now, zone, charge),
        week=await _so_far(session, principal, Unit.WEEK, now, zone, charge),
        month=await _so_far(session, principal, Unit.MONTH, now, zone, charge),
        all_time=await _all_time(session, principal, now, zone, charge),
        timezone=str(zone),
    )


async def _so_far(
    session: AsyncSession,
    principal: Principal,
    unit: Unit,
    now: datetime,
    zone: ZoneInfo,
    charge: Charge,
) -> PeriodSpend:
    periods = comparison(unit, now, zone)
    current = await _spend_in(session, principal, periods.current, zone, charge)
    previous = await _spend_in(session, principal, periods.previous, zone, charge)
    return PeriodSpend(current, first_day(unit, now.astimezone(zone).date()), previous.cost)


async def _spend_in(
    session: AsyncSession, principal: Principal, period: Period, zone: ZoneInfo, charge: Charge
) -> Spend:
    return await cost_queries.spend_in(
        session, projects=principal.project_ids, period=period, zone=zone, charge=charge
    )


async def _all_time(
    session: AsyncSession, principal: Principal, now: datetime, zone: ZoneInfo, charge: Charge
) -> PeriodSpend:
    today = now.astimezone(zone).date()
    first = await cost_queries.first_day_of_spend(session, principal.project_ids) or today
    ever = Period(midnight(first, zone), midnight(today + timedelta(days=2), zone))
    return PeriodSpend(await _spend_in(session, principal, ever, zone, charge), first, None)


async def period(
    principal: Principal,
    since: date | datetime | None,
    until: date | datetime | None,
    *,
    now: datetime,
) -> Period:
    """From ``since`` (in) to ``until`` (out); a date stands for its midnight in the workspace.

    Without ``since`` it begins at the midnight 29 days ago, without ``until`` it ends with
    tomorrow, so that clocks a little ahead are seen.

    Raises:
        InvalidInput: the range is empty.
    """
    zone = await workspace_zone(principal)
    today = now.astimezone(zone).date()
    found = Period(
        _instant(since or today - timedelta(days=29), zone),
        _instant(until or today + timedelta(days=2), zone),
    )
    if found.start >= found.end:
        raise InvalidInput("until must be later than since.", code="empty_range")
    return found


def _instant(at: date | datetime, zone: ZoneInfo) -> datetime:
    return at if isinstance(at, datetime) else midnight(at, zone)


async def spend_by(
    principal: Principal,
    dimensions: Sequence[str],
    *,
    period: Period,
    filters: Mapping[str, str] | None = None,
    charge: Charge = Charge.METERED,
) -> Breakdown:
    """Spend by up to two ``dimensions`` (``Dimension`` or ``tag:<key>``), dearest first.

    Whole days and hours are read from rollups; anything else from the calls themselves, at most
    31 days of them.

    Raises:
        InvalidInput: unknown dimension, too many, or too long a range for the calls.
    """
    principal.require(Scope.READ)
    filters = filters or {}
    _check(dimensions, filters)
    async with transaction() as session:
        zone = await zone_of(session, principal.workspace_id)
        table = _table(dimensions, filters, period, zone)
        rows = await cost_queries.spend_by(
            session,
            table,
            projects=principal.project_ids,
            dimensions=dimensions,
            period=period,
            zone=zone,
            charge=charge,
            filters=filters,
        )
    total = sum((row.spend for row in rows), Spend())
    return Breakdown(tuple(rows), total, Source.CALLS if table is CALLS else Source.ROLLUP)


def _check(dimensions: Sequence[str], filters: Mapping[str, str]) -> None:
    if len(dimensions) > MAX_DIMENSIONS:
        raise InvalidInput("Group by at most two dimensions.", code="too_many_dimensions")
    for name in (*dimensions, *filters):
        if not (name in CALLS.dimensions or name.removeprefix("tag:") not in ("", name)):
            known = ", ".join(Dimension)
            raise InvalidInput(
                f"{name!r} is no dimension. Use one of {known}, or tag:<key>.",
                code="unknown_dimension",
            )


def _table(
    dimensions: Sequence[str], filters: Mapping[str, str], period: Period, zone: ZoneInfo
) -> SpendTable:
    """The cheapest table that answers exactly."""
    needed = {*dimensions, *filters}
    if needed <= DAYS.dimensions.keys() and all(_is_midnight(at, zone) for at in _ends(period)):
        return DAYS
    if needed <= HOURS.dimensions.keys() and all(
        at == hour_start(at, zone) for at in _ends(period)
    ):
        return HOURS
    if period.end - period.start > timedelta(days=MAX_CALL_DAYS + 2):
        raise InvalidInput(
            f"This combination is computed from single calls, for at most {MAX_CALL_DAYS} days. "
            "Shorten the range, or use whole days and fewer dimensions.",
            code="range_too_long",
        )
    return CALLS


def _ends(period: Period) -> tuple[datetime, datetime]:
    return period.start, period.end


def _is_midnight(at: datetime, zone: ZoneInfo) -> bool:
    return at == midnight(at.astimezone(zone).date(), zone)


async def daily_spend(principal: Principal, *, days: int, now: datetime) -> list[SpendRow]:
    """Spend by day (ISO date) and model over the last ``days`` days, today included."""
    zone = await workspace_zone(principal)
    since = now.astimezone(zone).date() - timedelta(days=days - 1)
    ranged = await period(principal, since, None, now=now)
    found = await spend_by(principal, (Dimension.DAY, Dimension.MODEL), period=ranged)
    return sorted(found.rows, key=lambda row: (str(row.key["day"]), -row.spend.cost))


async def workspace_zone(principal: Principal) -> ZoneInfo:
    """The zone that this workspace's days are cut in."""
    async with transaction() as session:
        return await zone_of(session, principal.workspace_id)
