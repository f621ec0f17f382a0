from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlab_app.domain.calendar import (
    Grain,
    Period,
    Unit,
    comparison,
    hour_start,
    midnight,
    stretches,
)

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "America/Santiago",
    "Pacific/Apia",
    "Africa/Cairo",
    "Asia/Beirut",
]
zones = st.sampled_from(ZONES).map(ZoneInfo)
instants = st.integers(1_262_304_000, 1_893_456_000).map(lambda s: datetime.fromtimestamp(s, UTC))


@given(zone=zones, day=st.dates(date(2010, 1, 1), date(2030, 1, 1)))
def test_midnight_is_the_first_moment_of_its_day(zone: ZoneInfo, day: date) -> None:
    at = midnight(day, zone)
    before = at - timedelta(microseconds=1)
    skipped = (day - timedelta(days=1)) if day == date(2011, 12, 30) else None
    if str(zone) == "Pacific/Apia" and skipped:
        return  # Samoa had no 30 December 2011
    assert at.astimezone(zone).date() == day
    assert before.astimezone(zone).date() < day


@given(zone=zones, at=instants)
def test_an_hour_starts_within_the_hour_and_is_its_own_start(zone: ZoneInfo, at: datetime) -> None:
    start = hour_start(at, zone)
    assert timedelta(0) <= at - start < timedelta(hours=1)
    assert hour_start(start, zone) == start


@given(zone=zones, at=instants, length=st.timedeltas(timedelta(0), timedelta(days=80)))
def test_stretches_partition_a_period(zone: ZoneInfo, at: datetime, length: timedelta) -> None:
    parts = stretches(Period(at, at + length), zone)
    ends = [at, *(part.period.end for part in parts)]
    assert [part.period.start for part in parts] == ends[:-1]
    assert ends[-1] == at + length
    for part in parts:
        assert part.period.start < part.period.end
        if part.grain is Grain.DAYS:
            for end in (part.period.start, part.period.end):
                assert end == midnight(end.astimezone(zone).date(), zone)
        if part.grain is Grain.HOURS:
            assert part.period.start == hour_start(part.period.start, zone)
            assert part.period.end == hour_start(part.period.end, zone)
        if part.grain is Grain.CALLS:
            assert part.period.end - part.period.start < timedelta(hours=25)


@given(zone=zones, at=instants, unit=st.sampled_from(list(Unit)))
def test_the_period_before_ends_where_this_one_starts_or_earlier(
    zone: ZoneInfo, at: datetime, unit: Unit
) -> None:
    periods = comparison(unit, at, zone)
    assert periods.current.start <= at < periods.current.end
    assert periods.previous.start < periods.current.start
    assert periods.previous.start <= periods.previous.end <= periods.current.start


def test_the_month_before_is_cut_at_the_same_moment() -> None:
    now = datetime(2026, 11, 19, 14, 32, tzinfo=BERLIN)
    periods = comparison(Unit.MONTH, now, BERLIN)
    assert periods.previous.start == datetime(2026, 10, 1, tzinfo=BERLIN)
    assert periods.previous.end == datetime(2026, 10, 19, 14, 32, tzinfo=BERLIN)


def test_a_shorter_month_before_is_taken_whole() -> None:
    periods = comparison(Unit.MONTH, datetime(2026, 3, 31, 14, 32, tzinfo=BERLIN), BERLIN)
    assert periods.previous.end == datetime(2026, 3, 1, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)]
)
def test_days_have_23_24_or_25_hours(day: date, hours: int) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=BERLIN)
    current = comparison(Unit.DAY, noon, BERLIN).current
    assert current.end - current.start == timedelta(hours=hours)


def test_weeks_begin_on_monday() -> None:
    periods = comparison(Unit.WEEK, datetime(2026, 11, 22, 12, tzinfo=UTC), ZoneInfo("UTC"))
    assert periods.current == Period(
        datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
    )
