"""From a usage frame to advice: segment → propose → keep what doesn't overlap → say why not more.

Pure: prices, capabilities, the window and the random numbers are handed in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import pandas as pd

from llmlab_app.domain.advice import (
    MIN_CALLS,
    Finding,
    ModelName,
    Outcome,
    Recommendation,
    Segment,
)
from llmlab_app.domain.calendar import Period
from llmlab_app.domain.capability import CapabilityTable
from llmlab_app.domain.money import from_pico
from llmlab_app.domain.pricing import PriceBook
from recommender.cheaper_model import Refusal, SegmentCalls, propose
from recommender.features import SMALL_FEATURES, with_segments
from recommender.proposals import Proposal, without_overlap
from recommender.repricing import exact_sum

MAX_MODELS = MAX_SEGMENTS = 200
"""The dearest are examined; a cheaper one can't be among the best recommendations."""
MAX_FAILED_SHARE = 0.2
MODEL_KEY = ["project_id", "provider", "model", "operation"]
_BEST_LAST = list(Outcome)


@dataclass(frozen=True, slots=True)
class Advice:
    """Recommendations by falling score, and what was found for every model."""

    recommendations: tuple[Recommendation, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What advice rests on beside the calls."""

    book: PriceBook
    table: CapabilityTable
    window: Period
    rng: np.random.Generator


def advise(frame: pd.DataFrame, knowledge: Knowledge) -> Advice:
    """What to change in the calls of ``frame`` (a usage frame), and why not more."""
    frame = frame.reset_index(drop=True)
    repriceable = with_segments(frame[frame["is_repriceable"]], min_calls=MIN_CALLS)
    dearest = _dearest(repriceable, ["segment"], MAX_SEGMENTS)
    proposals: list[Proposal] = []
    findings: list[Finding] = []
    for calls, mine in _by_model(frame, repriceable):
        segments = mine[mine["segment"].isin(dearest)]
        results = list(_examine(calls, mine, segments, knowledge))
        proposals += [result for result in results if isinstance(result, Proposal)]
        findings.append(_finding(calls, results))
    return Advice(without_overlap(proposals, calls=len(frame)), tuple(findings))


def _by_model(
    frame: pd.DataFrame, repriceable: pd.DataFrame
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """All calls of one model in one project, and those of them that can be repriced."""
    rows = frame.groupby(MODEL_KEY, observed=True).indices
    mine = repriceable.groupby(MODEL_KEY, observed=True).indices
    for key in _dearest(frame, MODEL_KEY, MAX_MODELS):
        yield frame.iloc[rows[key]], repriceable.iloc[mine.get(key, [])]


def _dearest(calls: pd.DataFrame, key: list[str], at_most: int) -> pd.Index:
    """Keys of the groups that cost most; float, for int64 pico-dollars end at $9.2 million."""
    cost = calls.assign(cost=calls["cost"].astype("float64"))
    return cost.groupby(key, observed=True)["cost"].sum().nlargest(at_most).index


def _examine(
    calls: pd.DataFrame, mine: pd.DataFrame, segments: pd.DataFrame, knowledge: Knowledge
) -> Iterator[Proposal | Refusal]:
    """Every proposal for one model's calls, or the reasons against."""
    if refusal := _no_basis(calls, mine):
        yield refusal
        return
    _, provider, model, operation = _key(calls)
    candidates = knowledge.table.candidates(provider, model, operation)
    if not candidates:
        yield Refusal(
            Outcome.NOT_LISTED, f"no comparable model of {provider} is in our capability table."
        )
    for _, of_segment in segments.groupby("segment"):
        if len(of_segment) < MIN_CALLS:
            continue
        segment = SegmentCalls(
            segment=_segment(of_segment), calls=of_segment, left_out=len(calls) - len(mine)
        )
        for candidate in candidates:
            yield propose(
                segment,
                candidate,
                book=knowledge.book,
                window=knowledge.window,
                rng=knowledge.rng,
            )


def _no_basis(calls: pd.DataFrame, repriceable: pd.DataFrame) -> Refusal | None:
    """Why nothing can be said about one model's calls, if so."""
    if len(calls) < MIN_CALLS:
        many = "only one call" if len(calls) == 1 else f"only {len(calls)} calls"
        return Refusal(Outcome.TOO_FEW_CALLS, f"{many}.")
    failed = float(calls["failed"].mean())
    if failed > MAX_FAILED_SHARE:
        return Refusal(Outcome.FAILING, f"{failed:.0%} of its calls fail; mend those first.")
    if len(repriceable) < MIN_CALLS:
        return Refusal(
            Outcome.NOT_COMPUTED,
            "its calls carry no token counts, or no cost that we computed, to compare with.",
        )
    return None


def _finding(calls: pd.DataFrame, results: Sequence[Proposal | Refusal]) -> Finding:
    project_id, provider, model, operation = _key(calls)
    refusals = [result for result in results if isinstance(result, Refusal)]
    outcome, detail = Outcome.ADVISED, "has advice."
    if len(refusals) == len(results):
        best = max(refusals, key=lambda each: _BEST_LAST.index(each.outcome), default=_TOO_THIN)
        outcome, detail = best.outcome, best.detail
    return Finding(
        project_id=UUID(project_id),
        incumbent=ModelName(provider, model),
        operation=operation,
        calls=len(calls),
        cost=from_pico(exact_sum(calls["cost"].to_numpy(np.int64))),
        outcome=outcome,
        detail=detail,
    )


_TOO_THIN = Refusal(Outcome.TOO_SMALL, f"no feature of it has {MIN_CALLS} calls that matter.")


def _segment(calls: pd.DataFrame) -> Segment:
    project_id, provider, model, operation = _key(calls)
    feature = str(calls["feature"].iloc[0])
    return Segment(
        project_id=UUID(project_id),
        incumbent=ModelName(provider, model),
        operation=operation,
        feature=None if feature == SMALL_FEATURES else feature,
    )


def _key(calls: pd.DataFrame) -> tuple[str, str, str, str]:
    first = calls.iloc[0]
    return (
        str(first["project_id"]),
        str(first["provider"]),
        str(first["model"]),
        str(first["operation"]),
    )
