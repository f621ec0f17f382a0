"""This month's spend by model: a donut and its table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from llmlab_app.dashboard import formatting
from llmlab_app.dashboard.views.geometry import Arc, donut
from llmlab_app.dashboard.views.series import Palette, all_series, costs_by_model, grouped
from llmlab_app.domain.spend import Dimension, SpendRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A model's part of the month."""

    name: str
    slot: str
    cost: str
    share: str
    arc: Arc


@dataclass(frozen=True, slots=True, kw_only=True)
class ByModel:
    """The month's total and its slices, dearest first."""

    total: str = ""
    period: str = ""
    slices: list[Slice] = field(default_factory=list[Slice])


def by_model(rows: Sequence[SpendRow], palette: Palette, *, today: date) -> ByModel:
    """The part of ``rows`` (by day and model) that lies in the month of ``today``."""
    first = today.replace(day=1)
    month = [row for row in rows if str(row.key[Dimension.DAY]) >= first.isoformat()]
    costs = costs_by_model(month)
    series = all_series(palette, costs)
    amounts = grouped(costs, series)
    return ByModel(
        total=formatting.total(sum(amounts, Decimal(0))),
        period=formatting.day_range(first, today, today=today),
        slices=[
            Slice(
                name=each.name,
                slot=each.slot,
                cost=formatting.total(amount),
                share=share,
                arc=arc,
            )
            for each, amount, share, arc in zip(
                series, amounts, formatting.shares(amounts), donut(amounts), strict=True
            )
        ],
    )
