"""Which model has which colour: by all-time spend, so that it is the same on every page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from llmlab_app.domain.spend import Dimension, SpendRow

COLOURS = 8
OTHER_SLOT = "s0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A model and its colour slot, ``s1`` to ``s8``, or ``s0`` for all others together."""

    name: str
    slot: str


@dataclass(frozen=True, slots=True)
class Palette:
    """The colour slots of the models that were spent most on, ever."""

    slots: Mapping[str, str]

    @classmethod
    def of(cls, models: Iterable[SpendRow]) -> "Palette":
        """A slot for each of the first models; ``models`` come dearest first."""
        names = [str(row.key[Dimension.MODEL]) for row in models if row.spend.cost]
        return cls({name: f"s{n}" for n, name in enumerate(names[:COLOURS], start=1)})

    def split(self, costs: Mapping[str, Decimal]) -> tuple[list[Series], str | None]:
        """The models of ``costs`` with a colour, dearest first, and the name of the rest, if any.

        Models that cost nothing are left out.
        """
        spent = sorted((name for name in costs if costs[name]), key=lambda name: -costs[name])
        coloured = [Series(name=n, slot=self.slots[n]) for n in spent if n in self.slots]
        others = len(spent) - len(coloured)
        return coloured, f"Other ({others})" if others else None


def costs_by_model(rows: Sequence[SpendRow]) -> dict[str, Decimal]:
    """The cost of each model in ``rows``, whatever else they are grouped by."""
    costs: dict[str, Decimal] = {}
    for row in rows:
        name = str(row.key[Dimension.MODEL])
        costs[name] = costs.get(name, Decimal(0)) + row.spend.cost
    return costs


def grouped(costs: Mapping[str, Decimal], series: Sequence[Series]) -> list[Decimal]:
    """``costs`` in the order of ``series``; what is in none of them goes to Other, the last."""
    named = [costs.get(each.name, Decimal(0)) for each in series if each.slot != OTHER_SLOT]
    if len(named) == len(series):
        return named
    return [*named, sum(costs.values(), Decimal(0)) - sum(named, Decimal(0))]


def all_series(palette: Palette, costs: Mapping[str, Decimal]) -> list[Series]:
    """Every series a chart of ``costs`` needs, Other last."""
    coloured, other = palette.split(costs)
    return coloured if other is None else [*coloured, Series(name=other, slot=OTHER_SLOT)]
