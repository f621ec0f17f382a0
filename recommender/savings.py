"""How sure a saving is: an 80 % range around it, and the chance that most of it comes true.

The stated saving is exact (``repricing``); the range is about next month. Four things move it, and
each is drawn a few thousand times: which calls happened to be seen (a bootstrap), how the mix of
calls drifts from week to week, how long the candidate's answers are, and how its tokenizer counts.
A range may reach below zero: then the "cheaper" model may well cost more.

A bootstrap alone would be dishonest: its "80 %" range covers 47 % of the next weeks at 10 calls
and 15 % at 500, because it knows nothing of drift (docs/explanation/advice.md).
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from recommender.repricing import Ints

LEVEL = 0.8
DRAWS = 2000
MIN_DAYS = 5
"""With calls on fewer days, single calls are resampled instead of whole days."""
MAX_CLUSTERS = 200

# 80 % of workloads drift less than this from week to week, as a difference of the saving share's
# logit: measured on ServeGen (Apache-2.0), 108 clients, two weeks (docs/explanation/advice.md).
DRIFT_EVEN_PRICES = 0.02
DRIFT_UNEVEN_PRICES = 0.16
EVEN_PRICES = 0.01
"""Relative spread of the price ratio over the calls below which the mix of tokens can't matter."""

# Standard deviations of log(tokens at the candidate / tokens at the incumbent): assumptions, wide
# on purpose, to be replaced by replays.
OUTPUT_LENGTH_SD = 0.5
THINKING_OUTPUT_LENGTH_SD = 0.7
TOKENIZER_SD = 0.1

METHOD = (
    f"{DRAWS} draws: the days resampled (single calls where there are fewer than {MIN_DAYS} days), "
    "week-to-week drift as measured on public workloads, and the unknown length of the "
    "candidate's answers and count of its tokenizer, assumed wide because nothing was replayed."
)

Floats = NDArray[np.float64]
_Z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
_MOST_OF_IT = 0.8


@dataclass(frozen=True, slots=True)
class ShareRange:
    """The saving as shares of the current cost, and P(it is at least 0.8 of the stated one)."""

    low: float
    high: float
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknowns:
    """How far the candidate's token counts may differ, as standard deviations of their logarithm.

    ``output_share`` is the output's share of the counterfactual cost.
    """

    output_share: float
    output_length_sd: float
    tokenizer_sd: float


def saving_range(
    current: Ints,
    counterfactual: Ints,
    day: Ints,
    unknowns: Unknowns,
    rng: np.random.Generator,
) -> ShareRange:
    """The 80 % range of the saving's share of ``current``.

    Args:
        current: What each call cost, in pico-dollars.
        counterfactual: What each would have cost; less than ``current`` in sum.
        day: A number for the day of each call: what is resampled together.
        unknowns: What isn't known about the candidate's token counts.
        rng: Makes the draws.
    """
    stated = 1 - counterfactual.sum(dtype=float) / current.sum(dtype=float)
    shares = _drifted(
        _resampled(current, counterfactual, day, rng), _drift_sd(current, counterfactual), rng
    )
    tokens = np.exp(rng.normal(0, unknowns.tokenizer_sd, DRAWS))
    length = np.exp(rng.normal(0, unknowns.output_length_sd, DRAWS))
    share_of_output = unknowns.output_share
    shares = 1 - (1 - shares) * tokens * (1 - share_of_output + share_of_output * length)
    return ShareRange(
        low=float(np.quantile(shares, (1 - LEVEL) / 2)),
        high=float(np.quantile(shares, (1 + LEVEL) / 2)),
        probability=np.count_nonzero(shares >= _MOST_OF_IT * stated) / DRAWS,
    )


def _resampled(current: Ints, counterfactual: Ints, day: Ints, rng: np.random.Generator) -> Floats:
    """The saving's share in bootstrap resamples of the clusters of calls."""
    cluster, count = _clusters(day)
    paid, would_pay = (
        np.bincount(cluster, amounts.astype(float), count) for amounts in (current, counterfactual)
    )
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=DRAWS)
    return 1 - (drawn @ would_pay) / np.maximum(drawn @ paid, 1.0)


def _clusters(day: Ints) -> tuple[NDArray[np.intp], int]:
    """Days; where there are few, single calls, or blocks of calls where those are very many."""
    days, number = np.unique(day, return_inverse=True)
    if len(days) >= MIN_DAYS:
        return number, len(days)
    count = min(len(day), MAX_CLUSTERS)
    return np.arange(len(day)) % count, count


def _drift_sd(current: Ints, counterfactual: Ints) -> float:
    """Standard deviation of the logit's drift.

    Where the candidate is cheaper by one ratio for every kind of token, the mix of tokens may
    drift as it likes and the share stays.
    """
    paid = current > 0
    ratio = counterfactual[paid] / current[paid]
    even = ratio.max() - ratio.min() <= EVEN_PRICES * ratio.max()
    return (DRIFT_EVEN_PRICES if even else DRIFT_UNEVEN_PRICES) / _Z


def _drifted(shares: Floats, sd: float, rng: np.random.Generator) -> Floats:
    """``shares`` moved on the logit scale; a resample without a saving has no logit and stays."""
    odds = shares / np.where(shares < 1, 1 - shares, np.inf)
    moved = odds * np.exp(rng.normal(0, sd, DRAWS))
    return np.where(shares > 0, moved / (1 + moved), shares)
