"""What the Overview page needs, read in one snapshot so that its figures agree to the cent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.access import Principal, Scope
from llmlab_app.domain.calendar import Period, Unit, first_day, midnight
from llmlab_app.domain.events import Charge
from llmlab_app.domain.spend import Dimension, SpendRow, Summary
from llmlab_app.services.cost_reports import summary_in
from llmlab_app.storage import cost_queries
from llmlab_app.storage.cost_queries import DAYS, HOURS, SpendTable
from llmlab_app.storage.database import snapshot
from llmlab_app.storage.workspaces import zone_of

TREND_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewReport:
    """Recent spend; ``now`` is the local time that it was read at."""

    now: datetime
    summary: Summary
    hours: Sequence[SpendRow]
    """By hour, since the beginning of last week."""
    days: Sequence[SpendRow]
    """By day and model, since the beginning of last month and for 30 days at least."""
    untagged: Sequence[SpendRow]
    """This month's calls without a feature, by model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendHistory:
    """Everything ever spent, for what moves slowly: the order of models, the long line."""

    models: Sequence[SpendRow]
    """By model, dearest first."""
    days: Sequence[SpendRow]
    """By day."""


async def overview(principal: Principal, *, now: datetime) -> OverviewReport:
    """Recent spend in the projects of ``principal``, metered calls only."""
    principal.require(Scope.READ)
    async with snapshot() as session:
        zone = await zone_of(session, principal.workspace_id)
        today = now.astimezone(zone).date()
        last_week = first_day(Unit.WEEK, today) - timedelta(days=7)
        month = first_day(Unit.MONTH, today)
        last_month = first_day(Unit.MONTH, month - timedelta(days=1))
        trend = today - timedelta(days=TREND_DAYS - 1)
        spend = _SpendSince(session, principal, zone, today)
        return OverviewReport(
            now=now.astimezone(zone),
            summary=await summary_in(session, principal, now=now),
            hours=await spend.by(HOURS, last_week, Dimension.HOUR),
            days=await spend.by(DAYS, min(trend, last_month), Dimension.DAY, Dimension.MODEL),
            untagged=await spend.by(DAYS, month, Dimension.MODEL, feature=""),
        )


async def spend_history(principal: Principal, *, now: datetime) -> SpendHistory:
    """All metered spend in the projects of ``principal``, by model and by day."""
    principal.require(Scope.READ)
    async with snapshot() as session:
        zone = await zone_of(session, principal.workspace_id)
        today = now.astimezone(zone).date()
        first = await cost_queries.first_day_of_spend(session, principal.project_ids) or today
        spend = _SpendSince(session, principal, zone, today)
        return SpendHistory(
            models=await spend.by(DAYS, first, Dimension.MODEL),
            days=await spend.by(DAYS, first, Dimension.DAY),
        )


@dataclass(frozen=True, slots=True)
class _SpendSince:
    """Metered spend in one session, from a local day to the end of tomorrow.

    Tomorrow, because the clocks of callers may be a little ahead.
    """

    session: AsyncSession
    principal: Principal
    zone: ZoneInfo
    today: date

    async def by(
        self, table: SpendTable, since: date, *dimensions: Dimension, **filters: str
    ) -> list[SpendRow]:
        until = midnight(self.today + timedelta(days=2), self.zone)
        return await cost_queries.spend_by(
            self.session,
            table,
            projects=self.principal.project_ids,
            dimensions=dimensions,
            period=Period(midnight(since, self.zone), until),
            zone=self.zone,
            charge=Charge.METERED,
            filters=filters,
        )
