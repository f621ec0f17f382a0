"""Which model may stand in for which, and who says so.

Facts with a source: a vendor names a successor, or both models were scored on one scale. Neither
says that two models answer alike; only trying the candidate on one's own calls does.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from llmlab_app.domain.pricing.names import canonical_model, canonical_provider

MAX_PRIOR = 0.5
"""The most that is believed before anybody tried: as likely as not."""

SHARE_OF_TIES = 0.3
"""How often people call two answers equal; an assumption (docs/explanation/advice.md)."""

_VERSION = re.compile(r"[-@](?:\d{8}|\d{4}-\d{2}-\d{2}|\d{3,4}|latest|preview)$")
ONE = Decimal(1)


class Thinking(StrEnum):
    """Whether a model writes reasoning tokens."""

    NEVER = "never"
    OPTIONAL = "optional"
    ALWAYS = "always"


class ScaleKind(StrEnum):
    """What a difference on a scale means."""

    ELO = "elo"
    POINTS = "points"


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Where a fact stands, and when it was read there."""

    text: str
    url: str
    checked_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What must be known of a model before it is proposed."""

    provider: str
    model: str
    operations: frozenset[str]
    context_tokens: int
    thinking: Thinking


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """The vendor names ``by`` as the successor of ``models``."""

    provider: str
    models: frozenset[str]
    by: str
    citation: Citation


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Scores by provider and model that may be compared with one another, and with no others."""

    name: str
    kind: ScaleKind
    operations: frozenset[str]
    max_gap: float
    scores: Mapping[str, Mapping[str, float]]
    citation: Citation

    def prior(self, gap: float) -> float:
        """P(the candidate's answer is no worse) for one that scores ``gap`` points lower.

        On an Elo scale the expected share of preferences plus half of the ties, else ``MAX_PRIOR``.
        """
        if self.kind is ScaleKind.POINTS:
            return MAX_PRIOR
        return min(MAX_PRIOR, 1 / (1 + 10 ** (gap / 400)) + SHARE_OF_TIES / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model that may stand in, why, and how its tokens compare with the incumbent's.

    ``token_factor`` is how many tokens it counts for one of the incumbent's; ``same_tokenizer``
    says that this is known to be exact.
    """

    facts: ModelFacts
    prior: float
    reason: str
    citation: Citation
    token_factor: Decimal
    same_tokenizer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilityTable:
    """Everything that is known, by provider and bare model name."""

    facts: Mapping[tuple[str, str], ModelFacts]
    replacements: tuple[Replacement, ...]
    scales: tuple[Scale, ...]
    tokenizers: Mapping[tuple[str, str], str]
    token_factors: Mapping[tuple[str, str], Decimal]
    """By the candidate's tokenizer and the incumbent's."""

    def candidates(self, provider: str, model: str, operation: str) -> list[Candidate]:
        """What may stand in for ``model`` at the same provider; the vendor's own word first.

        A version of a model (``-2024-08-06``, ``-latest``) counts as the model where the version
        itself isn't listed.
        """
        biller = canonical_provider(provider)
        names = _names(biller, model)
        found: dict[str, Candidate] = {}
        for name, candidate in (
            *self._named(biller, names, operation),
            *self._scored(biller, names, operation),
        ):
            if name not in names:
                found.setdefault(name, candidate)
        return list(found.values())

    def _named(
        self, provider: str, names: tuple[str, ...], operation: str
    ) -> Iterator[tuple[str, Candidate]]:
        for replacement in self._replacements_of(provider, names):
            facts = self.facts.get((provider, replacement.by))
            if facts and operation in facts.operations:
                yield (
                    facts.model,
                    self._candidate(facts, names, MAX_PRIOR, "", replacement.citation),
                )

    def _replacements_of(self, provider: str, names: tuple[str, ...]) -> Iterator[Replacement]:
        """Those of the most exact name that has any."""
        for name in names:
            of_name = [r for r in self.replacements if r.provider == provider and name in r.models]
            if of_name:
                yield from of_name
                return

    def _scored(
        self, provider: str, names: tuple[str, ...], operation: str
    ) -> Iterator[tuple[str, Candidate]]:
        for scale in self.scales:
            scores = scale.scores.get(provider, {})
            own = next((scores[name] for name in names if name in scores), None)
            if own is None or operation not in scale.operations:
                continue
            for name, score in scores.items():
                facts = self.facts.get((provider, name))
                gap = own - score
                if facts and operation in facts.operations and gap <= scale.max_gap:
                    reason = f"{scale.name} {score:g} against {own:g}. "
                    prior = scale.prior(gap)
                    yield name, self._candidate(facts, names, prior, reason, scale.citation)

    def _candidate(
        self,
        facts: ModelFacts,
        names: tuple[str, ...],
        prior: float,
        reason: str,
        citation: Citation,
    ) -> Candidate:
        theirs = self.tokenizers.get((facts.provider, facts.model))
        known = (self.tokenizers.get((facts.provider, name)) for name in names)
        ours = next((tokenizer for tokenizer in known if tokenizer), None)
        return Candidate(
            facts=facts,
            prior=prior,
            reason=f"{reason}{citation.text}.",
            citation=citation,
            token_factor=self.token_factors.get((theirs or "", ours or ""), ONE),
            same_tokenizer=theirs is not None and theirs == ours,
        )


def _names(provider: str, model: str) -> tuple[str, ...]:
    """The names a model may be listed under, the most exact one first."""
    names = [canonical_model(provider, model)]
    while (shorter := _VERSION.sub("", names[-1])) != names[-1]:
        names.append(shorter)
    return tuple(names)
