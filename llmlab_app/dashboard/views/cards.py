"""The four figures that everything begins with, each beside the period before it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from llmlab_app.dashboard import formatting
from llmlab_app.dashboard.views.geometry import Point, Spark, sparkline
from llmlab_app.domain.calendar import Period, Unit, comparison, first_day, following, midnight
from llmlab_app.domain.spend import Dimension, PeriodSpend, SpendRow
from llmlab_app.services.overview import OverviewReport, SpendHistory

LABELS = ("Today", "This week", "This month", "All-time")
_MOST_POINTS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class StatCard:
    """One figure, how it compares, and its cumulative line. ``arrow`` is up, down or empty."""

    label: str
    figure: str
    arrow: str
    change: str
    versus: str
    spark: Spark


@dataclass(frozen=True, slots=True)
class _Bucket:
    """What was spent between two instants."""

    start: datetime
    end: datetime
    cost: Decimal


def stat_cards(report: OverviewReport, history: SpendHistory) -> list[StatCard]:
    """Today, this week, this month and all-time, drawn to the minute."""
    report = replace(report, now=report.now.replace(second=0, microsecond=0))
    zone = ZoneInfo(report.summary.timezone)
    hours = _hours(report.hours)
    days = _days(report.days, zone)
    return [
        _compared(Unit.DAY, report, hours, zone),
        _compared(Unit.WEEK, report, hours, zone),
        _compared(Unit.MONTH, report, days, zone),
        _all_time(report, _days(history.days, zone), zone),
    ]


def _compared(
    unit: Unit, report: OverviewReport, buckets: Sequence[_Bucket], zone: ZoneInfo
) -> StatCard:
    label, spent = {
        Unit.DAY: ("Today", report.summary.today),
        Unit.WEEK: ("This week", report.summary.week),
        Unit.MONTH: ("This month", report.summary.month),
    }[unit]
    arrow, change, versus = _comparison_words(unit, label, spent, report.now)
    periods = comparison(unit, report.now.astimezone(UTC), zone)
    before = Period(periods.previous.start, periods.current.start)
    return StatCard(
        label=label,
        figure=formatting.total(spent.spend.cost),
        arrow=arrow,
        change=change,
        versus=versus,
        spark=sparkline(
            _cumulative(buckets, periods.current, report.now, spent.spend.cost),
            _cumulative(buckets, before, before.end, None),
        ),
    )


def _comparison_words(
    unit: Unit, label: str, spent: PeriodSpend, now: datetime
) -> tuple[str, str, str]:
    """Arrow, change and what it is compared with; words where there is nothing to compare."""
    current, previous = spent.spend.cost, spent.previous_cost
    if not previous:
        return "", "", f"New {label.lower()}" if current else "No spend yet"
    versus = f"vs {_previous_name(unit, now)}"
    if current == previous:
        return "", "No change", versus
    change = formatting.percent(abs(current - previous) / previous)
    return "up" if current > previous else "down", change, versus


def _previous_name(unit: Unit, now: datetime) -> str:
    """The period before, cut where this one is: ``yesterday by 14:32``, ``1–19 Oct``."""
    today = now.date()
    first = first_day(unit, today)
    if unit is Unit.DAY:
        return f"yesterday by {formatting.clock(now)}"
    if unit is Unit.WEEK:
        days = formatting.DAYS[: (today - first).days + 1]
        return f"{days[0]}–{days[-1]} last week" if len(days) > 1 else "Mon last week"
    before = first_day(unit, first - timedelta(days=1))
    cut = min(before + (today - first), first - timedelta(days=1))
    return formatting.day_range(before, cut, today=today)


def _all_time(report: OverviewReport, days: Sequence[_Bucket], zone: ZoneInfo) -> StatCard:
    spent = report.summary.all_time
    first, today = spent.first_day, report.now.date()
    elapsed = (today - first).days
    since = f"since {first.day} {formatting.MONTHS[first.month - 1]} {first.year}"
    ever = Period(midnight(first, zone), report.now.astimezone(UTC))
    return StatCard(
        label="All-time",
        figure=formatting.total(spent.spend.cost),
        arrow="",
        change="",
        versus=f"{formatting.plural(elapsed, 'day')}, {since}" if elapsed else "Since today",
        spark=sparkline(_cumulative(days, ever, report.now, spent.spend.cost), []),
    )


def _cumulative(
    buckets: Sequence[_Bucket], period: Period, until: datetime, total: Decimal | None
) -> list[Point]:
    """The money spent in ``period`` as it grew until ``until``; ends at ``total`` if given."""
    length = (period.end - period.start).total_seconds() or 1.0
    spent = Decimal(0)
    points: list[Point] = [(0.0, spent)]
    for bucket in buckets:
        if period.start <= bucket.start and bucket.end <= min(until, period.end):
            start = (bucket.start - period.start).total_seconds() / length
            if start > points[-1][0]:
                points.append((start, spent))
            spent += bucket.cost
            points.append(((bucket.end - period.start).total_seconds() / length, spent))
    end = min(1.0, (until - period.start).total_seconds() / length)
    return [*_thinned(points), (end, spent if total is None else total)]


def _thinned(points: list[Point]) -> list[Point]:
    step = -(-len(points) // _MOST_POINTS)
    return points[::step]


def _hours(rows: Sequence[SpendRow]) -> list[_Bucket]:
    starts = [(datetime.fromisoformat(str(row.key[Dimension.HOUR])), row) for row in rows]
    return [
        _Bucket(start, start + timedelta(hours=1), row.spend.cost)
        for start, row in sorted(starts, key=lambda pair: pair[0])
    ]


def _days(rows: Sequence[SpendRow], zone: ZoneInfo) -> list[_Bucket]:
    costs: dict[date, Decimal] = {}
    for row in rows:
        day = date.fromisoformat(str(row.key[Dimension.DAY]))
        costs[day] = costs.get(day, Decimal(0)) + row.spend.cost
    return [
        _Bucket(midnight(day, zone), midnight(following(Unit.DAY, day), zone), costs[day])
        for day in sorted(costs)
    ]
