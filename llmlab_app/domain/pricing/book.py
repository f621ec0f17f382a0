"""The price book: which price was in force for a call, found in about a microsecond.

A look-up that was never asked before walks the layers once and leaves a *timeline*: the instants
at which the answer changes, and the answer between them. Later look-ups only search it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TypeAlias

from llmlab_app.domain.pricing.composition import Question, StepPrices
from llmlab_app.domain.pricing.model_price import ModelPrice
from llmlab_app.domain.pricing.names import canonical_model, canonical_provider, canonical_tier
from llmlab_app.domain.pricing.resolution import Resolver
from llmlab_app.domain.pricing.rows import PriceLayer
from llmlab_app.domain.pricing.terms import Terms
from llmlab_app.domain.pricing.unpriced import Unpriced

_MAX_TIMELINES = 20_000
"""Look-ups kept; model names come from outside, so they must not fill the memory."""

_Key: TypeAlias = tuple[str, str, str, str | None, str | None]


@dataclass(frozen=True, slots=True)
class _Timeline:
    """``answers[i]`` holds from ``starts[i]`` to ``starts[i + 1]``."""

    starts: tuple[datetime, ...]
    answers: tuple[StepPrices | Unpriced, ...]


class PriceBook:
    """Layers of prices, the first of which to answer wins. Immutable; safe to share."""

    def __init__(self, layers: Sequence[PriceLayer], terms: Terms | None = None) -> None:
        self._layers = tuple(layers)
        self._terms = terms
        self._timelines: dict[_Key, _Timeline] = {}

    def with_terms(self, terms: Terms) -> "PriceBook":
        """The book of one workspace: the same list prices, and what it pays instead."""
        return PriceBook((terms, *self._layers), terms)

    @cached_property
    def version(self) -> str:
        """Changes whenever any price could have changed."""
        return " + ".join(layer.version for layer in self._layers)

    def price_at(
        self,
        *,
        provider: str,
        model: str,
        at: datetime,
        service_tier: str = "default",
        region: str | None = None,
        speed: str | None = None,
        input_tokens: int = 0,
    ) -> ModelPrice | Unpriced:
        """The price in force at ``at`` (an aware instant) for a call of ``input_tokens``."""
        key = (provider, model, service_tier, region, speed)
        timeline = self._timelines.get(key) or self._compile(key)
        answer = timeline.answers[bisect_right(timeline.starts, at) - 1]
        return answer if isinstance(answer, Unpriced) else answer.price_for(at, input_tokens)

    def _compile(self, key: _Key) -> _Timeline:
        timeline = _timeline(self._layers, self._terms, _question(key))
        if len(self._timelines) >= _MAX_TIMELINES:
            self._timelines.clear()
        self._timelines[key] = timeline
        return timeline


_DAWN = datetime.min.replace(tzinfo=UTC)


def _question(key: _Key) -> Question:
    provider, model, service_tier, region, speed = key
    biller = canonical_provider(provider)
    return Question(
        provider=biller,
        model=canonical_model(biller, model),
        service_tier=canonical_tier(service_tier),
        region=region.lower() if region else None,
        speed=None if speed in (None, "", "standard", "default") else speed.lower(),
    )


def _timeline(layers: Sequence[PriceLayer], terms: Terms | None, question: Question) -> _Timeline:
    resolver = Resolver(layers, question)
    instants = resolver.boundaries()
    if terms:
        instants |= terms.boundaries(question)
    starts = (_DAWN, *sorted(instants))
    answers = (resolver.answer_at(start) for start in starts)
    if terms:
        pairs = zip(starts, answers, strict=True)
        answers = (terms.applied(question, answer, start) for start, answer in pairs)
    return _Timeline(starts, tuple(answers))
