"""Advice: frame the last 30 days → analyse them beside the event loop → save → show the best."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.adapters.capability_file import bundled_capability_table
from llmlab_app.domain.access import Principal, Scope
from llmlab_app.domain.advice import (
    MAX_RECOMMENDATIONS,
    WINDOW_DAYS,
    Analysis,
    SavedRecommendation,
    reason_for_none,
)
from llmlab_app.domain.calendar import Period, midnight
from llmlab_app.services.prices import WorkspacePrices, newest_prices
from llmlab_app.storage import recommendations as stored
from llmlab_app.storage.database import copy_transaction, snapshot, transaction
from llmlab_app.storage.projects import projects_of
from llmlab_app.storage.usage_frames import calls_by_day, metered_calls
from llmlab_app.storage.workspaces import zone_of

if TYPE_CHECKING:
    from recommender.advice import Advice

MAX_CALLS = 2_000_000
"""Calls analysed at once (about 1 GB); of a busier workspace the newest whole days that fit."""

_one_at_a_time = asyncio.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceReport:
    """The best recommendations, or the reason why there is none.

    ``expected_saving`` is what all of them together would save, in US dollars a month.
    ``computed_at`` and ``window`` are None before the first analysis.
    """

    recommendations: tuple[SavedRecommendation, ...]
    expected_saving: Decimal
    reason: str | None
    computed_at: datetime | None
    window: Period | None


async def recommend(*, now: datetime) -> int:
    """Renew the advice of every workspace where it is due, and say of how many.

    Doing it again changes nothing: advice is due when it is a week old, or missing.
    """
    async with transaction() as session:
        due = await stored.workspaces_due(session, now=now)
    for workspace_id in due:
        await _renew(workspace_id, now)
    return len(due)


async def refresh(principal: Principal, *, now: datetime) -> AdviceReport:
    """Renew the advice of the caller's workspace now.

    Raises:
        NotAllowed: it needs ``admin`` and a key of the whole workspace, whose advice it replaces.
    """
    principal.require(Scope.ADMIN)
    principal.require_workspace()
    await _renew(principal.workspace_id, now)
    return await list_recommendations(principal)


async def list_recommendations(principal: Principal) -> AdviceReport:
    """The best open recommendations for the caller's projects, by falling score."""
    principal.require(Scope.READ)
    async with snapshot() as session:
        analysis = await stored.newest_analysis(session, principal.workspace_id)
        found = await stored.open_recommendations(
            session, workspace_id=principal.workspace_id, projects=principal.project_ids
        )
    best = sorted(found, key=lambda each: -each.recommendation.score)[:MAX_RECOMMENDATIONS]
    return AdviceReport(
        recommendations=tuple(best),
        expected_saving=sum((each.recommendation.expected_saving for each in best), Decimal(0)),
        reason=None if best else _reason(analysis, principal.project_ids),
        computed_at=analysis.computed_at if analysis else None,
        window=analysis.window if analysis else None,
    )


def _reason(analysis: Analysis | None, projects: Sequence[UUID]) -> str:
    if analysis is None:
        return (
            "Nothing has been analysed yet. It happens by itself within the hour, or now with "
            "POST /api/recommendations/refresh."
        )
    return reason_for_none([each for each in analysis.findings if each.project_id in projects])


async def _renew(workspace_id: UUID, now: datetime) -> None:
    """Analyse a workspace and put the result in place of its open advice."""
    async with _one_at_a_time:
        window, csv = await _calls(workspace_id, now)
        prices = await newest_prices(workspace_id)
        advice = await asyncio.to_thread(_analyse, csv, window, prices)
    analysis = Analysis(computed_at=now, window=window, findings=advice.findings)
    async with transaction() as session:
        await stored.replace_open(session, workspace_id, analysis, advice.recommendations)


async def _calls(workspace_id: UUID, now: datetime) -> tuple[Period, BytesIO]:
    """The window, and the metered calls in it as CSV; archived projects need no advice."""
    async with transaction() as session:
        all_projects = await projects_of(session, workspace_id)
        projects = [project.id for project in all_projects if project.archived_at is None]
        window = await _window(session, workspace_id, projects, now)
    async with copy_transaction() as connection:
        return window, await metered_calls(connection, projects=projects, period=window)


async def _window(
    session: AsyncSession, workspace_id: UUID, projects: Sequence[UUID], now: datetime
) -> Period:
    """The last 30 days, or as many of them as hold no more than ``MAX_CALLS``."""
    start = now - timedelta(days=WINDOW_DAYS)
    zone = await zone_of(session, workspace_id)
    since = start.astimezone(zone).date()
    total = 0
    for day, calls in await calls_by_day(session, projects=projects, since=since):
        total += calls
        if total > MAX_CALLS:
            return Period(min(max(start, midnight(day + timedelta(days=1), zone)), now), now)
    return Period(start, now)


def _analyse(csv: BytesIO, window: Period, prices: WorkspacePrices) -> "Advice":
    """The CPU work: runs in a thread, a few seconds for a million calls."""
    # Imported here because pandas costs time and memory that only the analysing process should pay.
    import numpy as np

    from recommender.advice import Knowledge, advise
    from recommender.features import read_usage

    knowledge = Knowledge(
        book=prices.book,
        table=bundled_capability_table(),
        window=window,
        # The same calls give the same ranges again on the same day.
        rng=np.random.default_rng([prices.workspace_id.int, window.end.toordinal()]),
    )
    return advise(read_usage(csv), knowledge)
