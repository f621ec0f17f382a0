"""Advice on spending less: what is recommended, how its figures came to be, why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from llmlab_app.domain.calendar import Period

WINDOW_DAYS = 30
MIN_CALLS = 10
"""With fewer calls nobody can say anything about a segment."""
MAX_RECOMMENDATIONS = 5
MAX_UNVERIFIED_CONFIDENCE = 0.5


class Rule(StrEnum):
    """What kind of change is recommended."""

    CHEAPER_MODEL = "cheaper_model"


class EvidenceStatus(StrEnum):
    """How well it is known that the change loses nothing."""

    UNVERIFIED = "unverified candidate"
    """Quality has not been tested on these calls."""


class RecommendationStatus(StrEnum):
    """What became of a recommendation; the next run replaces the open ones."""

    OPEN = "open"


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model at one provider."""

    provider: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Calls that are alike enough to be changed together.

    ``feature`` is None for several small features together and "" for calls without one.
    """

    project_id: UUID
    incumbent: ModelName
    operation: str
    feature: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingRange:
    """The saving lies in it with a probability of ``level``; US dollars a month."""

    low: Decimal
    high: Decimal
    level: Decimal
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What speaks for the change, who says so, and what nobody has tested yet."""

    status: EvidenceStatus
    text: str
    source: str
    source_url: str
    checked_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthGroup:
    """The segment's calls whose answers have about the same length; US dollars in the window."""

    shortest_output_tokens: int
    longest_output_tokens: int
    calls: int
    current_cost: Decimal
    counterfactual_cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """One change to one segment.

    ``current_cost`` is what the segment's ``calls`` of the ``window`` cost, and
    ``counterfactual_cost`` what the same calls would have cost after the change, each priced
    when it happened, in US dollars. ``confidence`` is P(the saving is at least 0.8 of the stated
    one, and quality holds); ``score`` only orders recommendations.
    """

    rule: Rule
    title: str
    segment: Segment
    candidate: ModelName
    calls: int
    window: Period
    current_cost: Decimal
    counterfactual_cost: Decimal
    saving_range: SavingRange
    confidence: float
    score: float
    evidence: Evidence
    how_computed: tuple[str, ...]
    cautions: tuple[str, ...]
    by_output_length: tuple[LengthGroup, ...]

    @property
    def expected_saving(self) -> Decimal:
        """US dollars at the traffic of the window: a month's, where it is 30 days long."""
        return self.current_cost - self.counterfactual_cost


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRecommendation:
    """A recommendation as it is kept."""

    id: UUID
    status: RecommendationStatus
    created_at: datetime
    recommendation: Recommendation


class Outcome(StrEnum):
    """What became of looking for a cheaper way to do one model's calls; the best one last."""

    TOO_FEW_CALLS = "too_few_calls"
    NOT_COMPUTED = "not_computed"
    NOT_LISTED = "not_listed"
    FAILING = "failing"
    UNSUITABLE = "unsuitable"
    NOT_CHEAPER = "not_cheaper"
    TOO_SMALL = "too_small"
    ADVISED = "advised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found for one model's calls in one project; ``cost`` in US dollars."""

    project_id: UUID
    incumbent: ModelName
    operation: str
    calls: int
    cost: Decimal
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One run over a workspace: what it looked at and what it found."""

    computed_at: datetime
    window: Period
    findings: tuple[Finding, ...]


def reason_for_none(findings: Sequence[Finding]) -> str:
    """Why there is no recommendation, in words for a person; the dearest three models are named."""
    calls = sum(finding.calls for finding in findings)
    if calls < MIN_CALLS:
        return (
            f"Advice needs at least {MIN_CALLS} metered calls in the last {WINDOW_DAYS} days; "
            f"there {'is' if calls == 1 else 'are'} {calls or 'none yet'}."
        )
    dearest = sorted(findings, key=lambda finding: (-finding.cost, -finding.calls))
    named = " ".join(f"{each.incumbent.model}: {each.detail}" for each in dearest[:3])
    more = len(dearest) - 3
    others = f" {more} more model{'s' if more > 1 else ''} alike." if more > 0 else ""
    return f"Nothing worth changing. {named}{others}"
