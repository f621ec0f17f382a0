"""Advice from a frame: what is proposed, what is refused and why, and that nothing overlaps."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from llmlab_app.domain.advice import Outcome, Recommendation, reason_for_none
from llmlab_app.domain.calendar import Period
from llmlab_app.domain.capability import (
    CapabilityTable,
    Citation,
    ModelFacts,
    Replacement,
    Thinking,
)
from llmlab_app.domain.money import from_pico, to_pico
from llmlab_app.domain.pricing import PriceBook
from llmlab_app.domain.usage import TokenUsage
from recommender.advice import Advice, Knowledge, advise
from recommender.repricing import Counterfactual, reprice
from tests.unit.recommender.frames import NOON, book, call, frame, row, step

WINDOW = Period(NOON - timedelta(days=30), NOON)
PAGE = Citation(text="a page", url="https://example.org", checked_on=date(2026, 11, 1))
FACTS = ModelFacts(
    provider="p",
    model="gpt-b",
    operations=frozenset({"chat"}),
    context_tokens=10_000,
    thinking=Thinking.OPTIONAL,
)
USAGE = TokenUsage(input_tokens=1_000, output_tokens=100)


def table(*facts: ModelFacts) -> CapabilityTable:
    """``gpt-a`` is succeeded by each of ``facts``."""
    return CapabilityTable(
        facts={(each.provider, each.model): each for each in facts},
        replacements=tuple(
            Replacement(provider="p", models=frozenset({"gpt-a"}), by=each.model, citation=PAGE)
            for each in facts
        ),
        scales=(),
        tokenizers={},
        token_factors={},
    )


def prices(**of_output: str) -> PriceBook:
    """Models by output price, each with a tenth of it for input."""
    return book(
        *(
            row(name.replace("_", "-"), step(input=str(Decimal(price) / 10), output=price))
            for name, price in of_output.items()
        )
    )


CHEAPER = prices(gpt_a="1000", gpt_b="100")
COST = to_pico(Decimal("0.2"))  # of USAGE at gpt-a


def calls(number: int = 12, usage: TokenUsage = USAGE, **columns: Any) -> list[dict[str, Any]]:
    return [
        call(usage, cost=COST, **columns) | {"occurred_at": int(NOON.timestamp() * 1000) - n}
        for n in range(number)
    ]


def advice(
    rows: list[dict[str, Any]],
    *facts: ModelFacts,
    at: PriceBook = CHEAPER,
    given: CapabilityTable | None = None,
) -> Advice:
    knowledge = Knowledge(
        book=at,
        table=given or table(*(facts or (FACTS,))),
        window=WINDOW,
        rng=np.random.default_rng(3),
    )
    return advise(frame(rows), knowledge)


def refusal(found: Advice) -> tuple[Outcome, str]:
    assert found.recommendations == ()
    (finding,) = found.findings
    return finding.outcome, finding.detail


def test_a_cheaper_successor_is_proposed_with_its_exact_saving() -> None:
    (found,) = advice(calls(12)).recommendations
    assert found.title == "Try gpt-b for f, now on gpt-a"
    assert found.current_cost == Decimal("2.4")
    assert found.counterfactual_cost == Decimal("0.24")
    assert found.expected_saving == Decimal("2.16")
    assert found.calls == 12
    assert 0 < found.confidence <= 0.5
    assert found.how_computed == (
        "12 calls in 30 days cost $2.40 on gpt-a.",
        "The same calls with the same tokens at gpt-b's price when each was made, at the same "
        "service tier, cost $0.24.",
        "The difference, $2.16, is the saving a month at this traffic.",
    )


def test_savings_that_are_shown_are_those_of_all_changes_together() -> None:
    rows = [*calls(12, feature="a"), *calls(30, feature="b"), *calls(4, feature="c")]
    found = advice(rows)
    assert [each.segment.feature for each in found.recommendations] == ["b", "a"]
    together = frame([*calls(30, feature="b"), *calls(12, feature="a")])
    joint = reprice(together, CHEAPER, provider="p", model="gpt-b")
    assert isinstance(joint, Counterfactual)
    total = from_pico(int(together["cost"].sum()) - int(joint.cost.sum()))
    assert sum(each.expected_saving for each in found.recommendations) == total


def test_of_two_candidates_for_the_same_calls_one_is_proposed() -> None:
    at = prices(gpt_a="1000", gpt_b="100", gpt_c="50")
    found = advice(calls(), FACTS, replace(FACTS, model="gpt-c"), at=at)
    assert [each.candidate.model for each in found.recommendations] == ["gpt-c"]


def test_small_features_are_proposed_together() -> None:
    found = advice([*calls(6, feature="a"), *calls(7, feature="b")])
    (one,) = found.recommendations
    assert one.segment.feature is None
    assert one.calls == 13


@pytest.mark.parametrize(
    ("usage", "facts", "why"),
    [
        (
            TokenUsage(input_tokens=9_950, output_tokens=100),
            FACTS,
            "gpt-b has too short a context for the longest of these calls (10,050 tokens).",
        ),
        (
            USAGE,
            replace(FACTS, thinking=Thinking.ALWAYS),
            "gpt-b always writes reasoning tokens, which these calls don't pay for.",
        ),
        (
            replace(USAGE, reasoning_tokens=10),
            replace(FACTS, thinking=Thinking.NEVER),
            "gpt-b does not reason, and these calls do.",
        ),
        (
            replace(USAGE, input_image_tokens=10),
            FACTS,
            "gpt-b is not compared on audio, images or video.",
        ),
        (
            replace(USAGE, web_search_requests=1),
            FACTS,
            "p/gpt-b has no price for 'web_search'.",
        ),
    ],
)
def test_a_candidate_that_cannot_do_the_calls_is_refused(
    usage: TokenUsage, facts: ModelFacts, why: str
) -> None:
    assert refusal(advice(calls(usage=usage), facts)) == (Outcome.UNSUITABLE, why)


def test_a_tier_that_the_candidate_lacks_is_refused() -> None:
    outcome, _ = refusal(advice(calls(service_tier="batch")))
    assert outcome is Outcome.UNSUITABLE


def test_a_dearer_candidate_is_refused() -> None:
    found = advice(calls(), at=prices(gpt_a="1000", gpt_b="1000"))
    assert refusal(found) == (Outcome.NOT_CHEAPER, "gpt-b would not be cheaper.")


def test_a_candidate_that_may_as_well_cost_more_is_refused() -> None:
    outcome, detail = refusal(advice(calls(), at=prices(gpt_a="1000", gpt_b="950")))
    assert outcome is Outcome.NOT_CHEAPER
    assert "may as well cost more" in detail


def test_a_saving_too_small_to_matter_is_named_not_shown() -> None:
    rows = [each | {"cost": 100_000_000} for each in calls(usage=TokenUsage(output_tokens=1))]
    assert refusal(advice(rows, at=prices(gpt_b="10"))) == (
        Outcome.TOO_SMALL,
        "gpt-b would save $0.0011 a month, too little.",
    )


def test_a_model_that_nobody_compared_gets_no_advice() -> None:
    outcome, detail = refusal(advice(calls(model="mystery")))
    assert outcome is Outcome.NOT_LISTED
    assert detail == "no comparable model of p is in our capability table."


def test_embeddings_never_become_chat() -> None:
    outcome, _ = refusal(advice(calls(operation="embeddings")))
    assert outcome is Outcome.NOT_LISTED


def test_failing_calls_are_to_be_mended_first() -> None:
    rows = [*calls(10), *calls(5, failed=True, is_repriceable=False)]
    assert refusal(advice(rows)) == (
        Outcome.FAILING,
        "33% of its calls fail; mend those first.",
    )


def test_ten_calls_are_enough_and_nine_are_not() -> None:
    assert advice(calls(10)).recommendations
    assert refusal(advice(calls(9))) == (Outcome.TOO_FEW_CALLS, "only 9 calls.")


def test_calls_without_a_computed_cost_cannot_be_compared() -> None:
    outcome, _ = refusal(advice(calls(is_repriceable=False)))
    assert outcome is Outcome.NOT_COMPUTED


def test_projects_are_never_mixed() -> None:
    other = "00000000-0000-0000-0000-000000000002"
    found = advice([*calls(12), *calls(15, project_id=other)])
    assert [each.calls for each in found.recommendations] == [15, 12]
    assert len(found.findings) == 2


def test_a_tokenizer_that_counts_more_can_eat_the_whole_saving() -> None:
    dearer = replace(
        table(FACTS),
        tokenizers={("p", "gpt-a"): "old", ("p", "gpt-b"): "new"},
        token_factors={("new", "old"): Decimal("1.3")},
    )
    found = advice(calls(), at=prices(gpt_a="1000", gpt_b="800"), given=dearer)
    assert refusal(found) == (Outcome.NOT_CHEAPER, "gpt-b would not be cheaper.")


def test_the_reason_for_no_advice_names_the_dearest_models() -> None:
    found = advice([*calls(12, model="mystery"), *calls(11, model="riddle"), *calls(3)])
    assert reason_for_none(found.findings) == (
        "Nothing worth changing. "
        "mystery: no comparable model of p is in our capability table. "
        "riddle: no comparable model of p is in our capability table. "
        "gpt-a: only 3 calls."
    )


def test_without_calls_the_reason_says_how_many_are_needed() -> None:
    assert reason_for_none(()) == (
        "Advice needs at least 10 metered calls in the last 30 days; there are none yet."
    )


def test_millions_of_dollars_are_summed_exactly() -> None:
    # Twenty events of $1,000,000 overflow int64 pico-dollars twice over.
    rows = [each | {"cost": 10**18} for each in [*calls(20), *calls(12, feature="g")]]
    found = advice(rows)
    assert [each.current_cost for each in found.recommendations] == [20_000_000, 12_000_000]
    assert found.findings[0].cost == 32_000_000


def test_thirds_add_up_to_the_recommendation() -> None:
    rows = [each | {"output_tokens": number} for number, each in enumerate(calls(300))]
    (found,) = advice(rows).recommendations
    assert_adds_up(found)
    assert [group.shortest_output_tokens for group in found.by_output_length] == [0, 100, 200]


def assert_adds_up(found: Recommendation) -> None:
    groups = found.by_output_length
    assert sum(group.calls for group in groups) == found.calls
    assert sum(group.current_cost for group in groups) == found.current_cost
    assert sum(group.counterfactual_cost for group in groups) == found.counterfactual_cost
