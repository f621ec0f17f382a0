"""The rule: the same calls on a cheaper model of the same provider.

What it saves is arithmetic; whether the answers are as good is unknown, and every recommendation
says so. Other providers are left out here: another contract, tokenizer and way of caching would
make the arithmetic a guess.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd

from llmlab_app.domain.advice import (
    MAX_UNVERIFIED_CONFIDENCE,
    WINDOW_DAYS,
    Evidence,
    EvidenceStatus,
    LengthGroup,
    ModelName,
    Outcome,
    Recommendation,
    Rule,
    SavingRange,
    Segment,
)
from llmlab_app.domain.calendar import Period
from llmlab_app.domain.capability import Candidate, Thinking
from llmlab_app.domain.money import from_pico, plain
from llmlab_app.domain.pricing import PriceBook, Unpriced
from recommender.proposals import Proposal
from recommender.repricing import Counterfactual, Ints, exact_sum, reprice
from recommender.savings import (
    LEVEL,
    METHOD,
    OUTPUT_LENGTH_SD,
    THINKING_OUTPUT_LENGTH_SD,
    TOKENIZER_SD,
    ShareRange,
    Unknowns,
    saving_range,
)

MIN_SAVING = Decimal("0.01")
MIN_SHARE = Decimal("0.01")
"""Savings below a cent a month, or below 1 % of the segment, are not worth a change."""

EASE = 1.0
"""One changed setting; code and workflow changes score lower."""

_MEDIA = [
    "input_audio_tokens",
    "input_image_tokens",
    "input_video_tokens",
    "output_audio_tokens",
    "output_image_tokens",
]
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentCalls:
    """The calls of one segment: rows of the usage frame, all repriceable, indexed by row number.

    ``left_out`` is how many more calls of the segment's model could not be repriced.
    """

    segment: Segment
    calls: pd.DataFrame
    left_out: int

    @property
    def thinks(self) -> bool:
        """Whether the incumbent writes reasoning tokens."""
        return bool(self.calls["reasoning_tokens"].any())


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a candidate isn't proposed for a segment."""

    outcome: Outcome
    detail: str


def propose(
    segment: SegmentCalls,
    candidate: Candidate,
    *,
    book: PriceBook,
    window: Period,
    rng: np.random.Generator,
) -> Proposal | Refusal:
    """The segment's calls on the candidate, if it can do them and is cheaper."""
    if unsuitable := _unsuitable(segment, candidate):
        return Refusal(Outcome.UNSUITABLE, f"{candidate.facts.model} {unsuitable}.")
    counterfactual = reprice(
        segment.calls,
        book,
        provider=candidate.facts.provider,
        model=candidate.facts.model,
        token_factor=candidate.token_factor,
    )
    if isinstance(counterfactual, Unpriced):
        return Refusal(Outcome.UNSUITABLE, counterfactual.detail)
    case = _Case(segment, candidate, counterfactual)
    if case.saving <= 0:
        return Refusal(Outcome.NOT_CHEAPER, f"{candidate.facts.model} would not be cheaper.")
    if case.saving < max(MIN_SAVING, MIN_SHARE * case.current_cost):
        saving = _dollars(case.saving)
        return Refusal(
            Outcome.TOO_SMALL, f"{candidate.facts.model} would save {saving} a month, too little."
        )
    return _proposal(case, window, case.share_range(rng))


def _unsuitable(segment: SegmentCalls, candidate: Candidate) -> str | None:
    """What the calls need and the candidate can't do."""
    facts, calls = candidate.facts, segment.calls
    if bool(calls[_MEDIA].to_numpy().any()):
        return "is not compared on audio, images or video"
    longest = int((calls["input_tokens"].astype("int64") + calls["output_tokens"]).max())
    if longest * candidate.token_factor > facts.context_tokens:
        return f"has too short a context for the longest of these calls ({longest:,} tokens)"
    if facts.thinking is Thinking.ALWAYS and not segment.thinks:
        return "always writes reasoning tokens, which these calls don't pay for"
    if facts.thinking is Thinking.NEVER and segment.thinks:
        return "does not reason, and these calls do"
    return None


@dataclass(frozen=True, slots=True)
class _Case:
    """A segment beside its counterfactual."""

    segment: SegmentCalls
    candidate: Candidate
    counterfactual: Counterfactual

    @property
    def current(self) -> Ints:
        return self.segment.calls["cost"].to_numpy(np.int64)

    @property
    def current_cost(self) -> Decimal:
        return from_pico(exact_sum(self.current))

    @property
    def counterfactual_cost(self) -> Decimal:
        return from_pico(exact_sum(self.counterfactual.cost))

    @property
    def saving(self) -> Decimal:
        return self.current_cost - self.counterfactual_cost

    def share_range(self, rng: np.random.Generator) -> ShareRange:
        output = exact_sum(self.counterfactual.output_cost)
        unknowns = Unknowns(
            output_share=output / max(exact_sum(self.counterfactual.cost), 1),
            output_length_sd=self._output_length_sd,
            tokenizer_sd=0.0 if self.candidate.same_tokenizer else TOKENIZER_SD,
        )
        days = self._instants // _DAY_MS
        return saving_range(self.current, self.counterfactual.cost, days, unknowns, rng)

    @property
    def _instants(self) -> Ints:
        """Milliseconds since 1970."""
        instants = self.segment.calls["occurred_at"].to_numpy("datetime64[ms]")
        return instants.astype(np.int64)

    @property
    def _output_length_sd(self) -> float:
        return THINKING_OUTPUT_LENGTH_SD if self.segment.thinks else OUTPUT_LENGTH_SD


def _proposal(case: _Case, window: Period, share: ShareRange) -> Proposal | Refusal:
    facts, segment = case.candidate.facts, case.segment.segment
    low, high = (_estimate(case.current_cost, bound) for bound in (share.low, share.high))
    if low <= 0:
        return Refusal(
            Outcome.NOT_CHEAPER,
            f"{facts.model} could save {_dollars(case.saving)} a month, but may as well cost more, "
            "depending on the length of its answers.",
        )
    recommendation = Recommendation(
        rule=Rule.CHEAPER_MODEL,
        title=f"Try {facts.model} for {_calls_of(segment)}, now on {segment.incumbent.model}",
        segment=segment,
        candidate=ModelName(facts.provider, facts.model),
        calls=len(case.segment.calls),
        window=window,
        current_cost=case.current_cost,
        counterfactual_cost=case.counterfactual_cost,
        saving_range=SavingRange(low=low, high=high, level=Decimal(str(LEVEL)), method=METHOD),
        confidence=min(MAX_UNVERIFIED_CONFIDENCE, share.probability * case.candidate.prior),
        score=float(low) * case.candidate.prior * EASE,
        evidence=_evidence(case.candidate),
        how_computed=_how_computed(case, window),
        cautions=tuple(_cautions(case)),
        by_output_length=tuple(_by_output_length(case)),
    )
    return Proposal(recommendation, case.segment.calls.index.to_numpy())


def _estimate(cost: Decimal, share: float) -> Decimal:
    """An estimate needs no pico-dollars: six decimals."""
    return (cost * Decimal(share)).quantize(Decimal("1e-6"))


def _evidence(candidate: Candidate) -> Evidence:
    citation = candidate.citation
    return Evidence(
        status=EvidenceStatus.UNVERIFIED,
        text=f"Quality has not been tested on your calls. {candidate.reason}",
        source=citation.text,
        source_url=citation.url,
        checked_on=citation.checked_on,
    )


def _how_computed(case: _Case, window: Period) -> tuple[str, ...]:
    days = round((window.end - window.start).total_seconds() / 86_400)
    model, factor = case.candidate.facts.model, case.candidate.token_factor
    tokens = "the same tokens"
    if factor != 1:
        tokens = f"{plain(factor)} times the tokens, as its tokenizer counts,"
    return (
        f"{len(case.segment.calls):,} calls in {days} days cost {_dollars(case.current_cost)} on "
        f"{case.segment.segment.incumbent.model}.",
        f"The same calls with {tokens} at {model}'s price when each was made, "
        f"at the same service tier, cost {_dollars(case.counterfactual_cost)}.",
        f"The difference, {_dollars(case.saving)}, is the saving "
        + ("a month at this traffic." if days >= WINDOW_DAYS else f"of these {days} days."),
    )


def _cautions(case: _Case) -> Iterator[str]:
    facts, calls = case.candidate.facts, case.segment.calls
    if case.segment.segment.operation == "embeddings":
        yield (
            "Vectors of two models can't be compared: every stored text must be embedded anew, "
            "once. That cost is not subtracted."
        )
    if facts.thinking is Thinking.OPTIONAL and not case.segment.thinks:
        yield f"Keep reasoning off at {facts.model}: these calls pay for no reasoning tokens."
    if calls["cache_read_tokens"].any():
        yield (
            "Cached input is assumed to be cached as often as now; "
            f"writing to the cache may cost extra at {facts.model}."
        )
    if case.segment.left_out:
        yield (
            f"{case.segment.left_out:,} more calls of {case.segment.segment.incumbent.model} are "
            "not counted: they carry no token counts or no computed cost."
        )


def _by_output_length(case: _Case) -> Iterator[LengthGroup]:
    calls = case.segment.calls
    third, output = calls["output_third"].to_numpy(), calls["output_tokens"].to_numpy()
    for number in np.unique(third):
        here = third == number
        yield LengthGroup(
            shortest_output_tokens=int(output[here].min()),
            longest_output_tokens=int(output[here].max()),
            calls=int(here.sum()),
            current_cost=from_pico(exact_sum(case.current[here])),
            counterfactual_cost=from_pico(exact_sum(case.counterfactual.cost[here])),
        )


def _calls_of(segment: Segment) -> str:
    if segment.feature is None:
        return "the small features"
    return segment.feature or "calls without a feature"


def _dollars(amount: Decimal) -> str:
    """For a sentence: cents, or two digits that aren't 0."""
    if abs(amount) >= Decimal("0.01"):
        return f"${amount:,.2f}"
    return f"${plain(Decimal(f'{amount:.1e}'))}"
