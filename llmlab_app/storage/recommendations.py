"""Advice and the analysis that it came from."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.advice import (
    MIN_CALLS,
    Analysis,
    Finding,
    Recommendation,
    RecommendationStatus,
    SavedRecommendation,
)
from llmlab_app.domain.calendar import Period
from llmlab_app.storage.tables import AnalysisRow, RecommendationRow, WorkspaceRow

_recommendation = TypeAdapter(Recommendation)
_findings = TypeAdapter(tuple[Finding, ...])


async def workspaces_due(session: AsyncSession, *, now: datetime) -> list[UUID]:
    """Workspaces whose advice is a week old, or an hour while they have hardly any calls."""
    found = await session.exec(
        select(WorkspaceRow.id)
        .join(AnalysisRow, isouter=True)
        .where(
            or_(
                col(AnalysisRow.computed_at).is_(None),
                col(AnalysisRow.computed_at) <= now - timedelta(days=7),
                (col(AnalysisRow.calls) < MIN_CALLS)
                & (col(AnalysisRow.computed_at) <= now - timedelta(hours=1)),
            )
        )
        .order_by(col(WorkspaceRow.created_at))
    )
    return list(found)


async def replace_open(
    session: AsyncSession,
    workspace_id: UUID,
    analysis: Analysis,
    recommendations: Sequence[Recommendation],
) -> None:
    """Keep ``analysis`` as the newest, and its ``recommendations`` instead of the open ones."""
    # Two runs at once would both delete, then both insert: the second waits here.
    await session.exec(
        select(WorkspaceRow.id)
        .where(col(WorkspaceRow.id) == workspace_id)
        .with_for_update(key_share=True)
    )
    await session.exec(
        delete(RecommendationRow).where(
            col(RecommendationRow.workspace_id) == workspace_id,
            col(RecommendationRow.status) == RecommendationStatus.OPEN,
        )
    )
    await session.exec(_upsert(workspace_id, analysis))
    session.add_all(
        RecommendationRow(
            workspace_id=workspace_id,
            project_id=each.segment.project_id,
            rule=each.rule,
            status=RecommendationStatus.OPEN,
            expected_saving=each.expected_saving,
            content=_recommendation.dump_python(each, mode="json"),
            created_at=analysis.computed_at,
        )
        for each in recommendations
    )


def _upsert(workspace_id: UUID, analysis: Analysis) -> Any:
    values = {
        "computed_at": analysis.computed_at,
        "window_start": analysis.window.start,
        "window_end": analysis.window.end,
        "calls": sum(finding.calls for finding in analysis.findings),
        "findings": _findings.dump_python(analysis.findings, mode="json"),
    }
    return (
        insert(AnalysisRow)
        .values(workspace_id=workspace_id, **values)
        .on_conflict_do_update(index_elements=["workspace_id"], set_=values)
    )


async def newest_analysis(session: AsyncSession, workspace_id: UUID) -> Analysis | None:
    """The newest analysis of a workspace; None before the first."""
    row = await session.get(AnalysisRow, workspace_id)
    if row is None:
        return None
    return Analysis(
        computed_at=row.computed_at,
        window=Period(row.window_start, row.window_end),
        findings=_findings.validate_python(row.findings),
    )


async def open_recommendations(
    session: AsyncSession, *, workspace_id: UUID, projects: Sequence[UUID]
) -> list[SavedRecommendation]:
    """Open recommendations for ``projects`` of a workspace, in no particular order."""
    found = await session.exec(
        select(RecommendationRow).where(
            col(RecommendationRow.workspace_id) == workspace_id,
            col(RecommendationRow.project_id).in_(projects),
            col(RecommendationRow.status) == RecommendationStatus.OPEN,
        )
    )
    return [
        SavedRecommendation(
            id=row.id,
            status=RecommendationStatus(row.status),
            created_at=row.created_at,
            recommendation=_recommendation.validate_python(row.content),
        )
        for row in found
    ]
