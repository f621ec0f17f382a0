"""The reports against an independent sum over the same events in plain Python."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from llmlab_app.domain.access import Principal
from llmlab_app.domain.errors import InvalidInput
from llmlab_app.domain.events import Charge
from llmlab_app.domain.spend import Source, Spend
from llmlab_app.services import cost_reports
from llmlab_app.storage.database import transaction
from llmlab_app.storage.event_rows import StoredEvent
from tests.factories import store, stored, tenant

ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe"]


async def seeded(zone: str, now: datetime) -> tuple[Principal, list[StoredEvent]]:
    """Two months of random calls, some unpriced, some no spend, in one of two projects."""
    rng = random.Random(f"{zone} {now}")
    async with transaction() as session:
        principal = await tenant(session, timezone=zone, projects=2)
        await tenant(session)  # a neighbour, whose calls must never be seen
    calls = [
        stored(
            None if rng.random() < 0.1 else f"0.{rng.randrange(1, 10**9):012d}",
            project_id=rng.choice(principal.project_ids),
            occurred_at=now - timedelta(seconds=rng.randrange(65 * 86_400)),
            model=rng.choice(["gpt-4o", "claude-sonnet-4-5"]),
            feature=rng.choice(["", "chat", "search"]),
            user=rng.choice([None, "u1", "u2"]),
            tags=rng.choice([{}, {"team": "red"}, {"team": "blue"}]),
            charge=rng.choice([Charge.METERED] * 9 + [Charge.TEST]),
        )
        for _ in range(600)
    ]
    await store(calls)
    return principal, calls


def total(calls: list[StoredEvent], start: datetime, end: datetime) -> Decimal:
    return sum(
        (
            call.cost.cost or Decimal(0)
            for call in calls
            if start <= call.event.occurred_at < end and call.event.charge is Charge.METERED
        ),
        Decimal(0),
    )


@pytest.mark.parametrize("zone_name", ZONES)
@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 11, 19, 14, 32, 7, 123_456, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),  # within the repeated hour of Berlin
        datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC),
    ],
)
@pytest.mark.usefixtures("database")
async def test_the_summary_equals_an_independent_sum(zone_name: str, now: datetime) -> None:
    principal, calls = await seeded(zone_name, now)
    zone = ZoneInfo(zone_name)
    today = now.astimezone(zone).date()

    def at(day: date, clock: datetime | None = None) -> datetime:
        local = datetime(day.year, day.month, day.day, tzinfo=zone)
        if clock is not None:
            local = local.replace(
                hour=clock.hour,
                minute=clock.minute,
                second=clock.second,
                microsecond=clock.microsecond,
            )
        return local.astimezone(UTC)

    local = now.astimezone(zone)
    monday = today - timedelta(days=today.weekday())
    first = today.replace(day=1)
    first_before = (first - timedelta(days=1)).replace(day=1)
    ahead = now + timedelta(days=2)
    found = await cost_reports.summary(principal, now=now)
    assert found.timezone == zone_name
    assert found.all_time.spend.cost == total(calls, now - timedelta(days=99), ahead)
    assert found.all_time.previous_cost is None
    for period, start, before in (
        (found.today, today, today - timedelta(days=1)),
        (found.week, monday, monday - timedelta(days=7)),
        (found.month, first, first_before),
    ):
        assert period.spend.cost == total(calls, at(start), ahead)
        cut = min(at(before + (today - start), local), at(start))
        assert period.previous_cost == total(calls, at(before), cut)


@pytest.fixture
async def calls(database: str) -> tuple[Principal, list[StoredEvent]]:
    return await seeded("Europe/Berlin", NOW)


NOW = datetime(2026, 11, 19, 14, 32, tzinfo=UTC)
Seeded = tuple[Principal, list[StoredEvent]]


@pytest.mark.parametrize(
    ("dimensions", "source"),
    [
        ((), Source.ROLLUP),
        (("model",), Source.ROLLUP),
        (("model", "feature"), Source.ROLLUP),
        (("day", "model"), Source.ROLLUP),
        (("project",), Source.ROLLUP),
        (("hour",), Source.ROLLUP),
        (("user",), Source.CALLS),
        (("tag:team", "model"), Source.CALLS),
        (("hour", "feature"), Source.CALLS),
    ],
)
async def test_any_grouping_adds_up_to_the_same_total(
    calls: Seeded, dimensions: tuple[str, ...], source: Source
) -> None:
    principal, events = calls
    period = await cost_reports.period(principal, date(2026, 10, 25), None, now=NOW)
    found = await cost_reports.spend_by(principal, dimensions, period=period)
    assert found.source is source
    assert found.total.cost == total(events, period.start, period.end)
    assert sum((row.spend for row in found.rows), Spend()) == found.total
    costs = [row.spend.cost for row in found.rows]
    assert costs == sorted(costs, reverse=True)
    assert all(tuple(row.key) == dimensions for row in found.rows)


async def test_a_part_of_an_hour_is_computed_from_calls_exactly(calls: Seeded) -> None:
    principal, events = calls
    since, until = NOW - timedelta(days=20, minutes=13), NOW - timedelta(days=3, seconds=5)
    period = await cost_reports.period(principal, since, until, now=NOW)
    found = await cost_reports.spend_by(principal, ("model",), period=period)
    assert found.source is Source.CALLS
    assert found.total.cost == total(events, since, until)


async def test_filters_restrict_what_is_summed(calls: Seeded) -> None:
    principal, events = calls
    period = await cost_reports.period(principal, date(2026, 10, 25), None, now=NOW)
    found = await cost_reports.spend_by(
        principal, ("day",), period=period, filters={"feature": "chat"}
    )
    chat = [call for call in events if call.event.feature == "chat"]
    assert found.total.cost == total(chat, period.start, period.end)


async def test_projects_are_told_by_their_names(calls: Seeded) -> None:
    period = await cost_reports.period(calls[0], None, None, now=NOW)
    found = await cost_reports.spend_by(calls[0], ("project",), period=period)
    assert {row.key["project"] for row in found.rows} == {"default", "project-1"}
    only = await cost_reports.spend_by(
        calls[0], ("model",), period=period, filters={"project": "project-1"}
    )
    assert 0 < only.total.events < found.total.events


async def test_test_calls_are_a_measure_of_their_own(calls: Seeded) -> None:
    principal, events = calls
    found = await cost_reports.summary(principal, now=NOW, charge=Charge.TEST)
    tests = [call for call in events if call.event.charge is Charge.TEST]
    assert found.all_time.spend.events == len(tests)


async def test_daily_spend_lists_days_in_order(calls: Seeded) -> None:
    rows = await cost_reports.daily_spend(calls[0], days=30, now=NOW)
    days = [row.key["day"] for row in rows]
    assert days == sorted(days, key=str)
    assert days[0] is not None
    assert days[0] >= "2026-10-21"


@pytest.mark.parametrize(
    ("dimensions", "code"),
    [
        (("colour",), "unknown_dimension"),
        (("tag:",), "unknown_dimension"),
        (("model", "day", "feature"), "too_many_dimensions"),
    ],
)
async def test_a_wrong_grouping_is_refused(
    calls: Seeded, dimensions: tuple[str, ...], code: str
) -> None:
    period = await cost_reports.period(calls[0], None, None, now=NOW)
    with pytest.raises(InvalidInput) as error:
        await cost_reports.spend_by(calls[0], dimensions, period=period)
    assert error.value.code == code


async def test_a_long_range_of_single_calls_is_refused_with_a_way_out(calls: Seeded) -> None:
    period = await cost_reports.period(calls[0], date(2026, 1, 1), None, now=NOW)
    with pytest.raises(InvalidInput) as error:
        await cost_reports.spend_by(calls[0], ("user",), period=period)
    assert error.value.code == "range_too_long"


async def test_an_empty_range_is_refused(calls: Seeded) -> None:
    with pytest.raises(InvalidInput):
        await cost_reports.period(calls[0], date(2026, 2, 1), date(2026, 1, 1), now=NOW)
