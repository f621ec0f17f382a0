"""Thirty days of spend, stacked by model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from llmlab_app.dashboard import formatting
from llmlab_app.dashboard.views import geometry
from llmlab_app.dashboard.views.geometry import Bar, Tick
from llmlab_app.dashboard.views.series import (
    Palette,
    Series,
    all_series,
    costs_by_model,
    grouped,
)
from llmlab_app.domain.spend import Dimension, SpendRow
from llmlab_app.services.overview import TREND_DAYS

_LABEL_EVERY = 4
_PHONE_LABELS = (0, 12, 24)  # days back from today


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day; ``bars`` and ``amounts`` are in the order of the series.

    ``amounts`` are empty where nothing was spent. ``tip`` and ``css`` are CSS classes: the side
    of the tooltip, and ``today`` for the unfinished day.
    """

    label: str
    total: str
    left: str
    hit_left: str
    bars: list[Bar]
    amounts: list[str]
    tip: str
    css: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DateLabel:
    """A date under the chart; the class ``o`` leaves it out on phones."""

    text: str
    left: str
    css: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The whole chart, and the sentence that says what it shows."""

    caption: str = ""
    description: str = ""
    is_empty: bool = True
    axis_width: str = "36px"
    bar_width: str = "0%"
    hit_width: str = "0%"
    ticks: list[Tick] = field(default_factory=list[Tick])
    series: list[Series] = field(default_factory=list[Series])
    days: list[Day] = field(default_factory=list[Day])
    dates: list[DateLabel] = field(default_factory=list[DateLabel])


def trend(rows: Sequence[SpendRow], palette: Palette, *, today: date) -> Trend:
    """The last 30 days of ``rows`` (by day and model), today included."""
    dates = [today - timedelta(days=back) for back in reversed(range(TREND_DAYS))]
    by_day = _by_day(rows, since=dates[0])
    costs = costs_by_model([row for day in by_day.values() for row in day])
    series = all_series(palette, costs)
    stacks = [grouped(costs_by_model(by_day.get(day, [])), series) for day in dates]
    top, ticks = geometry.axis(max(sum(stack, Decimal(0)) for stack in stacks))
    total = formatting.total(sum(costs.values(), Decimal(0)))
    period = formatting.day_range(dates[0], dates[-1], today=today)
    bar_width, lefts = geometry.bar_columns(TREND_DAYS)
    hit_width, hit_lefts = geometry.slots(TREND_DAYS)
    return Trend(
        caption=f"{TREND_DAYS} days · {total}",
        description=f"Daily spend by model, {period}. Total {total}.",
        is_empty=not series,
        axis_width=f"calc({max(len(tick.label) for tick in ticks)}ch + 10px)",
        bar_width=bar_width,
        hit_width=hit_width,
        ticks=ticks,
        series=series,
        days=[
            Day(
                label=formatting.day(day, today=today),
                total=formatting.total(sum(stack, Decimal(0))),
                left=left,
                hit_left=hit_left,
                bars=geometry.stack(stack, top),
                amounts=[formatting.total(amount) if amount else "" for amount in stack],
                tip="tip left" if number >= TREND_DAYS // 2 else "tip",
                css="today" if day == today else "",
            )
            for number, (day, stack, left, hit_left) in enumerate(
                zip(dates, stacks, lefts, hit_lefts, strict=True)
            )
        ],
        dates=_date_labels(dates, today),
    )


def _by_day(rows: Sequence[SpendRow], *, since: date) -> Mapping[date, list[SpendRow]]:
    days: dict[date, list[SpendRow]] = {}
    for row in rows:
        day = date.fromisoformat(str(row.key[Dimension.DAY]))
        if day >= since:
            days.setdefault(day, []).append(row)
    return days


def _date_labels(dates: Sequence[date], today: date) -> list[DateLabel]:
    middles = geometry.middles(len(dates))
    return [
        DateLabel(
            text=formatting.day(day, today=today),
            left=left,
            css="" if back in _PHONE_LABELS else "o",
        )
        for day, left in zip(dates, middles, strict=True)
        if (back := (today - day).days) % _LABEL_EVERY == 0
    ]
