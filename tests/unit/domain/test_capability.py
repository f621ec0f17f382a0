"""Who may stand in for whom."""

from datetime import date
from decimal import Decimal

import pytest

from llmlab_app.domain.capability import (
    CapabilityTable,
    Citation,
    ModelFacts,
    Replacement,
    Scale,
    ScaleKind,
    Thinking,
)

PAGE = Citation(text="a page", url="https://example.org", checked_on=date(2026, 11, 1))


def facts(model: str, *operations: str) -> ModelFacts:
    return ModelFacts(
        provider="p",
        model=model,
        operations=frozenset(operations or ("chat",)),
        context_tokens=1_000,
        thinking=Thinking.NEVER,
    )


def scale(**scores: float) -> Scale:
    return Scale(
        name="Score",
        kind=ScaleKind.ELO,
        operations=frozenset({"chat"}),
        max_gap=60,
        scores={"p": scores},
        citation=PAGE,
    )


def succeeds(by: str, *models: str) -> Replacement:
    return Replacement(provider="p", models=frozenset(models), by=by, citation=PAGE)


def table(
    *known: ModelFacts, replacements: tuple[Replacement, ...] = (), scales: tuple[Scale, ...] = ()
) -> CapabilityTable:
    return CapabilityTable(
        facts={(each.provider, each.model): each for each in known},
        replacements=replacements,
        scales=scales,
        tokenizers={("p", "old"): "a", ("p", "new"): "b", ("p", "alike"): "a"},
        token_factors={("b", "a"): Decimal("1.3")},
    )


def names(of: CapabilityTable, model: str, operation: str = "chat") -> list[str]:
    return [each.facts.model for each in of.candidates("p", model, operation)]


@pytest.mark.parametrize("version", ["old", "old-2024-08-06", "old-20240806", "old-latest", "OLD"])
def test_a_version_counts_as_its_model(version: str) -> None:
    known = table(facts("new"), replacements=(succeeds("new", "old"),))
    assert names(known, version) == ["new"]


def test_a_version_that_is_listed_itself_goes_before_its_model() -> None:
    known = table(
        facts("new"),
        facts("newer"),
        replacements=(succeeds("new", "old"), succeeds("newer", "old-2024-05-13")),
    )
    assert names(known, "old-2024-05-13") == ["newer"]


def test_scores_decide_up_to_the_largest_gap_and_upwards_without_limit() -> None:
    known = table(
        *map(facts, ("near", "far", "above")),
        scales=(scale(old=1400, near=1340, far=1339, above=1500),),
    )
    assert sorted(names(known, "old")) == ["above", "near"]


def test_scores_of_different_scales_are_never_compared() -> None:
    known = table(facts("new"), scales=(scale(old=1400), scale(new=1400)))
    assert names(known, "old") == []


def test_a_model_without_facts_is_never_proposed() -> None:
    known = table(replacements=(succeeds("new", "old"),), scales=(scale(old=1400, new=1400),))
    assert names(known, "old") == []


def test_only_models_of_the_same_operation_and_provider_stand_in() -> None:
    known = table(facts("new", "embeddings"), replacements=(succeeds("new", "old"),))
    assert names(known, "old", "embeddings") == ["new"]
    assert names(known, "old", "chat") == []
    assert known.candidates("q", "old", "embeddings") == []


def test_nothing_stands_in_for_itself() -> None:
    known = table(facts("old"), scales=(scale(old=1400),))
    assert names(known, "old-latest") == []


def test_before_anybody_tried_a_candidate_is_at_most_as_likely_as_not() -> None:
    known = scale()
    assert known.prior(-300) == known.prior(0) == 0.5
    assert known.prior(60) == 0.5
    assert known.prior(200) == pytest.approx(0.39, abs=0.01)


def test_tokens_are_compared_where_both_tokenizers_are_known() -> None:
    known = table(
        facts("new"),
        facts("alike"),
        facts("secret"),
        replacements=(
            succeeds("new", "old"),
            succeeds("alike", "old"),
            succeeds("secret", "old"),
        ),
    )
    new, alike, secret = known.candidates("p", "old", "chat")
    assert (new.token_factor, new.same_tokenizer) == (Decimal("1.3"), False)
    assert (alike.token_factor, alike.same_tokenizer) == (Decimal(1), True)
    assert (secret.token_factor, secret.same_tokenizer) == (Decimal(1), False)
