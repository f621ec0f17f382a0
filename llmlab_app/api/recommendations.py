"""``/api/recommendations``: how to spend less, with the evidence."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from llmlab_app.api.auth import principal
from llmlab_app.api.clock import now
from llmlab_app.api.render import instant, money
from llmlab_app.domain.access import Principal
from llmlab_app.domain.advice import LengthGroup, SavedRecommendation
from llmlab_app.domain.calendar import Period
from llmlab_app.domain.money import CURRENCY
from llmlab_app.services import recommendations
from llmlab_app.services.recommendations import AdviceReport

router = APIRouter(prefix="/api/recommendations", tags=["recommendations"])
Caller = Annotated[Principal, Depends(principal)]
Now = Annotated[datetime, Depends(now)]


@router.get("")
async def list_recommendations(caller: Caller) -> dict[str, Any]:
    """The best open recommendations, or the reason why there is none."""
    return _report_json(await recommendations.list_recommendations(caller))


@router.post("/refresh")
async def refresh(caller: Caller, now: Now) -> dict[str, Any]:
    """Analyse the last 30 days of the whole workspace now and replace its open recommendations."""
    return _report_json(await recommendations.refresh(caller, now=now))


def _report_json(report: AdviceReport) -> dict[str, Any]:
    return {
        "data": [_recommendation_json(each) for each in report.recommendations],
        "expected_saving": money(report.expected_saving),
        "currency": CURRENCY,
        "reason": report.reason,
        "computed_at": instant(report.computed_at),
        "window": _window_json(report.window) if report.window else None,
    }


def _window_json(window: Period) -> dict[str, Any]:
    return {"start": instant(window.start), "end": instant(window.end)}


def _recommendation_json(saved: SavedRecommendation) -> dict[str, Any]:
    found = saved.recommendation
    segment, evidence, saving_range = found.segment, found.evidence, found.saving_range
    return {
        "id": str(saved.id),
        "status": saved.status,
        "created_at": instant(saved.created_at),
        "rule": found.rule,
        "title": found.title,
        "segment": {
            "project_id": str(segment.project_id),
            "provider": segment.incumbent.provider,
            "model": segment.incumbent.model,
            "operation": segment.operation,
            "feature": segment.feature,
        },
        "candidate": {"provider": found.candidate.provider, "model": found.candidate.model},
        "calls": found.calls,
        "window": _window_json(found.window),
        "current_cost": money(found.current_cost),
        "counterfactual_cost": money(found.counterfactual_cost),
        "expected_saving": money(found.expected_saving),
        "expected_saving_range": {
            "low": money(saving_range.low),
            "high": money(saving_range.high),
            "level": money(saving_range.level),
            "method": saving_range.method,
        },
        "confidence": round(found.confidence, 3),
        "evidence": {
            "status": evidence.status,
            "text": evidence.text,
            "source": evidence.source,
            "source_url": evidence.source_url,
            "checked_on": evidence.checked_on.isoformat(),
        },
        "how_computed": list(found.how_computed),
        "cautions": list(found.cautions),
        "by_output_length": [_length_json(group) for group in found.by_output_length],
    }


def _length_json(group: LengthGroup) -> dict[str, Any]:
    return {
        "shortest_output_tokens": group.shortest_output_tokens,
        "longest_output_tokens": group.longest_output_tokens,
        "calls": group.calls,
        "current_cost": money(group.current_cost),
        "counterfactual_cost": money(group.counterfactual_cost),
    }
