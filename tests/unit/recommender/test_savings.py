"""The range around a saving: what widens it, and that it is the same again for the same numbers."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.repricing import Ints
from recommender.savings import ShareRange, Unknowns, saving_range

KNOWN = Unknowns(output_share=0.5, output_length_sd=0.0, tokenizer_sd=0.0)
UNSURE = replace(KNOWN, output_length_sd=0.5, tokenizer_sd=0.1)


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def costs(calls: int = 300, days: int = 30) -> tuple[Ints, Ints, Ints]:
    """What calls cost, would cost at about a tenth with another mix, and their days."""
    random = np.random.default_rng(1)
    tokens_in, tokens_out = random.lognormal(7, 1, calls), random.lognormal(5, 1, calls)
    current = (tokens_in * 2_500_000 + tokens_out * 10_000_000).astype(np.int64)
    other = (tokens_in * 150_000 + tokens_out * 1_500_000).astype(np.int64)
    return current, other, np.arange(calls) % days


def width(found: ShareRange) -> float:
    return found.high - found.low


def test_the_stated_share_lies_in_its_range() -> None:
    current, other, day = costs()
    found = saving_range(current, other, day, UNSURE, rng())
    assert found.low < 1 - other.sum() / current.sum() < found.high < 1


def test_unknown_answer_lengths_and_tokenizers_widen_the_range() -> None:
    current, other, day = costs()
    known, unsure = (saving_range(current, other, day, u, rng()) for u in (KNOWN, UNSURE))
    assert width(known) < width(unsure)
    assert unsure.probability < known.probability == 1


def test_a_saving_at_every_price_alike_is_nearly_certain() -> None:
    current, _, day = costs()
    found = saving_range(current, current // 10, day, KNOWN, rng())
    assert found.low == pytest.approx(0.9, abs=0.005)
    assert found.high == pytest.approx(0.9, abs=0.005)


def test_drift_keeps_the_range_open_however_many_calls_were_seen() -> None:
    current, other, day = costs(calls=50_000)
    uneven = saving_range(current, other, day, KNOWN, rng())
    even = saving_range(current, current // 10, day, KNOWN, rng())
    assert width(uneven) > 4 * width(even)


def test_a_small_saving_with_answers_of_unknown_length_may_be_a_loss() -> None:
    current, _, day = costs()
    found = saving_range(current, (current * 0.9).astype(np.int64), day, UNSURE, rng())
    assert found.low < 0 < found.high
    assert found.probability < 0.6


@pytest.mark.parametrize("days", [1, 4, 5, 30])
def test_any_number_of_days_gives_a_range(days: int) -> None:
    current, other, day = costs(calls=12, days=days)
    found = saving_range(current, other, day, UNSURE, rng())
    assert -1 < found.low < found.high < 1


def test_the_same_random_numbers_give_the_same_range() -> None:
    current, other, day = costs()
    first, again = (saving_range(current, other, day, UNSURE, rng()) for _ in range(2))
    assert first == again
