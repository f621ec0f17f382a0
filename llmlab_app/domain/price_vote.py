"""Compare price lists: where two others agree against ours, propose; where they don't, report.

Nothing is changed here: a person reads the proposal, opens the provider's page and writes a row.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

Name: TypeAlias = tuple[str, str]
"""Provider and model, in canonical names."""
UnitPrices: TypeAlias = Mapping[str, Decimal]
"""US dollars per million by token class."""
PriceTable: TypeAlias = Mapping[Name, UnitPrices]

COMPARED = ("input", "cache_read", "cache_write", "output")
"""Token classes that every list has."""


class Verdict(StrEnum):
    """What to do about a difference."""

    PROPOSAL = "proposal"
    """At least two lists agree on a price that isn't ours."""
    DISAGREEMENT = "disagreement"
    """Lists differ from ours and from one another, or only one speaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceDifference:
    """One unit price on which a list and ours differ; ``ours`` is None where we have none.

    ``proposed`` is what at least two lists agree on, None in a disagreement.
    """

    provider: str
    model: str
    token_class: str
    ours: Decimal | None
    others: Mapping[str, Decimal]
    proposed: Decimal | None

    @property
    def verdict(self) -> Verdict:
        """What to do about it."""
        return Verdict.DISAGREEMENT if self.proposed is None else Verdict.PROPOSAL


def compare(ours: PriceTable, others: Mapping[str, PriceTable]) -> list[PriceDifference]:
    """Every difference between ``ours`` and the lists in ``others``, by provider and model.

    A list that says nothing about a price has no vote, and $0 is no vote either: lists write it
    where they know nothing. Our own price counts as right where two lists agree with it.
    """
    names = sorted({name for table in others.values() for name in table})
    return [found for name in names for found in _differences(name, ours, others)]


def _differences(
    name: Name, ours: PriceTable, others: Mapping[str, PriceTable]
) -> Iterator[PriceDifference]:
    for token_class in COMPARED:
        votes = dict(_votes(name, token_class, others))
        mine = ours.get(name, {}).get(token_class)
        agreed = _agreed(votes)
        if not votes or agreed == mine or set(votes.values()) == {mine}:
            continue
        yield PriceDifference(
            provider=name[0],
            model=name[1],
            token_class=token_class,
            ours=mine,
            others=votes,
            proposed=agreed,
        )


def _votes(
    name: Name, token_class: str, others: Mapping[str, PriceTable]
) -> Iterator[tuple[str, Decimal]]:
    for source, table in others.items():
        price = table.get(name, {}).get(token_class)
        if price:
            yield source, price


def _agreed(votes: Mapping[str, Decimal]) -> Decimal | None:
    """The price that at least two lists name, if there is just one such."""
    sources: dict[Decimal, int] = defaultdict(int)
    for price in votes.values():
        sources[price] += 1
    agreed = [price for price, count in sources.items() if count > 1]
    return agreed[0] if len(agreed) == 1 else None
