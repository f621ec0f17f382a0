"""Days, ISO weeks and months as people in one zone live them. Periods are half-open."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Unit(StrEnum):
    """A calendar period that spend is compared over."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` (in) to ``end`` (out), both UTC instants."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Comparison:
    """A period so far, and the period before it cut at the same elapsed local time."""

    current: Period
    previous: Period


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant ``day`` begins in ``zone``: its first moment, where clocks skip midnight."""
    first = datetime.combine(day, time(), zone).astimezone(UTC)
    if first.astimezone(zone).date() == day:
        return first
    # Clocks went back over midnight: the first 00:00 never was, the second begins the day.
    return datetime.combine(day, time(fold=1), zone).astimezone(UTC)


def hour_start(at: datetime, zone: ZoneInfo) -> datetime:
    """The instant the local hour of ``at`` began, as PostgreSQL's ``date_trunc`` has it."""
    local = at.astimezone(zone)
    return at - timedelta(
        minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )


def first_day(unit: Unit, day: date) -> date:
    """The first day of the period of ``day``; weeks begin on Monday (ISO 8601)."""
    match unit:
        case Unit.DAY:
            return day
        case Unit.WEEK:
            return day - timedelta(days=day.weekday())
        case Unit.MONTH:
            return day.replace(day=1)


def following(unit: Unit, first: date) -> date:
    """The first day of the period after the one that begins on ``first``."""
    match unit:
        case Unit.DAY:
            return first + timedelta(days=1)
        case Unit.WEEK:
            return first + timedelta(days=7)
        case Unit.MONTH:
            return date(first.year + first.month // 12, first.month % 12 + 1, 1)


class Grain(StrEnum):
    """How fine a stretch of time must be read."""

    DAYS = "days"
    HOURS = "hours"
    CALLS = "calls"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a period that one grain covers exactly."""

    grain: Grain
    period: Period


def stretches(period: Period, zone: ZoneInfo) -> list[Stretch]:
    """``period`` as whole days, then the whole hours and the calls around them; nothing twice."""
    head_day, tail_day = _days_inside(period, zone)
    if head_day <= tail_day:
        inner = Period(midnight(head_day, zone), midnight(tail_day, zone))
    else:
        inner = Period(period.end, period.end)
    parts = [
        *_hours_inside(Period(period.start, inner.start), zone),
        Stretch(Grain.DAYS, inner),
        *_hours_inside(Period(inner.end, period.end), zone),
    ]
    return [part for part in parts if part.period.start < part.period.end]


def _days_inside(period: Period, zone: ZoneInfo) -> tuple[date, date]:
    first = period.start.astimezone(zone).date()
    if midnight(first, zone) < period.start:
        first += timedelta(days=1)
    return first, period.end.astimezone(zone).date()


def _hours_inside(period: Period, zone: ZoneInfo) -> list[Stretch]:
    first = hour_start(period.start, zone)
    if first < period.start:
        first = hour_start(period.start + timedelta(hours=1), zone)
    last = hour_start(period.end, zone)
    if first > last:
        return [Stretch(Grain.CALLS, period)]
    return [
        Stretch(Grain.CALLS, Period(period.start, first)),
        Stretch(Grain.HOURS, Period(first, last)),
        Stretch(Grain.CALLS, Period(last, period.end)),
    ]


def comparison(unit: Unit, now: datetime, zone: ZoneInfo) -> Comparison:
    """The whole period that ``now`` lies in, and the one before it up to the same local time.

    In a shorter month before, the cut stays inside that month: 31 March 14:32 compares with all
    of February.
    """
    local = now.astimezone(zone)
    first = first_day(unit, local.date())
    before = first_day(unit, first - timedelta(days=1))
    current = Period(midnight(first, zone), midnight(following(unit, first), zone))
    elapsed_days = (local.date() - first).days
    same_time = datetime.combine(before + timedelta(days=elapsed_days), local.time(), zone)
    cut = min(same_time.astimezone(UTC), current.start)
    return Comparison(current, Period(midnight(before, zone), cut))
