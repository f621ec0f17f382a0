"""A change that was worked out, and the choice of those that don't overlap."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmlab_app.domain.advice import Recommendation


@dataclass(frozen=True, slots=True)
class Proposal:
    """A recommendation and the rows of the usage frame that it would change."""

    recommendation: Recommendation
    rows: NDArray[np.intp]


def without_overlap(proposals: Sequence[Proposal], *, calls: int) -> tuple[Recommendation, ...]:
    """The best proposals of which no two change the same call, by falling score.

    So the savings that are shown add up to what all of them together would save, never to more.
    ``calls`` is the number of rows of the frame.
    """
    taken = np.zeros(calls, bool)
    chosen: list[Recommendation] = []
    for proposal in sorted(proposals, key=lambda each: -each.recommendation.score):
        if not taken[proposal.rows].any():
            taken[proposal.rows] = True
            chosen.append(proposal.recommendation)
    return tuple(chosen)
