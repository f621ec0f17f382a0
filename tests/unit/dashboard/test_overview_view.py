"""From a report to what the page says."""

from datetime import UTC, date, datetime, timedelta

import pytest

from llmlab_app.dashboard.views.by_model import by_model
from llmlab_app.dashboard.views.cards import StatCard, stat_cards
from llmlab_app.dashboard.views.feed import feed_row
from llmlab_app.dashboard.views.gaps import gaps
from llmlab_app.dashboard.views.overview import overview_of
from llmlab_app.dashboard.views.series import Palette
from llmlab_app.dashboard.views.trend import trend
from llmlab_app.domain.events import Charge, Status
from llmlab_app.services.calls import Call
from llmlab_app.services.overview import OverviewReport
from tests.factories import cost, event
from tests.unit.dashboard.reports import (
    BERLIN,
    NOW,
    TODAY,
    days,
    history,
    period,
    report,
    row,
)

MONTH = TODAY.replace(day=1)
MONDAY = date(2026, 11, 16)


def card(label: str, found: OverviewReport) -> StatCard:
    return next(each for each in stat_cards(found, history()) if each.label == label)


def said(found: StatCard) -> tuple[str, str, str]:
    return found.arrow, found.change, found.versus


def test_a_card_names_the_same_elapsed_part_of_the_period_before() -> None:
    found = report(
        today=period("14.77", TODAY, "15"),
        week=period("92.28", MONDAY, "88"),
        month=period("410.16", MONTH, "324.80"),
    )
    assert said(card("Today", found)) == ("down", "2%", "vs yesterday by 14:32")
    assert said(card("This week", found)) == ("up", "5%", "vs Mon–Thu last week")
    assert said(card("This month", found)) == ("up", "26%", "vs 1–19 Oct")
    assert card("This month", found).figure == "$410.16"


def test_without_a_baseline_there_are_words_and_no_percentage() -> None:
    found = report(month=period("3", MONTH, "0"))
    assert said(card("This month", found)) == ("", "", "New this month")
    assert said(card("Today", found)) == ("", "", "No spend yet")


def test_the_same_spend_is_no_change() -> None:
    found = report(today=period("3", TODAY, "3"))
    assert said(card("Today", found)) == ("", "No change", "vs yesterday by 14:32")


def test_a_longer_month_compares_with_all_of_the_shorter_one() -> None:
    now = datetime(2026, 3, 31, 14, 32, tzinfo=BERLIN)
    found = report(now=now, month=period("2", date(2026, 3, 1), "1"))
    assert card("This month", found).versus == "vs 1–28 Feb"


def test_all_time_has_no_change_but_its_first_day() -> None:
    found = report(all_time=period("2527.39", date(2026, 6, 4), None))
    assert said(card("All-time", found)) == ("", "", "168 days, since 4 Jun 2026")
    assert card("All-time", report()).versus == "Since today"


def test_the_line_of_today_ends_at_now_and_at_the_figure() -> None:
    hours = [
        row("4", hour="2026-11-19T08:00:00Z"),  # 9:00 in Berlin
        row("2", hour="2026-11-18T08:00:00Z"),
        row("6", hour="2026-11-18T20:00:00Z"),
    ]
    spark = card("Today", report(hours=hours, today=period("5", TODAY, "2"))).spark
    assert spark.left == "60.56%"  # 14:32 of 24 hours
    assert spark.line.split()[-1] == "60.56,15.38"  # $5 of yesterday's $8
    assert spark.line.split()[1:3] == ["37.50,36.00", "41.67,19.50"]
    assert spark.previous.split()[-1] == "100.00,3.00"


def test_the_line_of_the_month_adds_up_days_of_all_models() -> None:
    rows = days({"2026-11-02": {"a": "1", "b": "1"}, "2026-10-31": {"a": "4"}})
    spark = card("This month", report(days=rows, month=period("2", MONTH, "0"))).spark
    assert spark.previous.split()[-1] == "100.00,3.00"
    assert spark.line.split()[-1].endswith(",19.50")


SPENT = days(
    {
        "2026-10-21": {"cheap": "0.10"},
        "2026-10-20": {"dear": "99"},  # a day too early for the trend
        "2026-11-01": {"dear": "2", "cheap": "1"},
        "2026-11-19": {"dear": "4"},
    }
)
PALETTE = Palette.of(history({"cheap": "500", "dear": "105"}).models)


def test_the_trend_covers_thirty_days_and_stacks_the_dearest_first() -> None:
    found = trend(SPENT, PALETTE, today=TODAY)
    assert [each.name for each in found.series] == ["dear", "cheap"]
    assert found.caption == "30 days · $7.10"
    assert len(found.days) == 30
    assert (found.days[0].label, found.days[0].amounts) == ("21 Oct", ["", "$0.10"])
    today = found.days[-1]
    assert (today.label, today.total, today.css) == ("19 Nov", "$4.00", "today")
    assert (today.bars[0].y, today.bars[0].height) == ("0.00%", "100.00%")
    assert found.description == "Daily spend by model, 21 Oct–19 Nov. Total $7.10."


def test_a_model_keeps_its_colour_whatever_the_range() -> None:
    month = {each.name: each.slot for each in by_model(SPENT, PALETTE, today=TODAY).slices}
    range_ = {each.name: each.slot for each in trend(SPENT, PALETTE, today=TODAY).series}
    assert month == range_ == {"cheap": "s1", "dear": "s2"}


def test_beyond_eight_models_the_rest_is_one_grey_series_that_says_how_many() -> None:
    models = {f"m{n}": str(20 - n) for n in range(11)}
    palette = Palette.of(history(models).models)
    found = by_model(days({"2026-11-02": models}), palette, today=TODAY)
    assert [each.slot for each in found.slices][-2:] == ["s8", "s0"]
    assert found.slices[-1].name == "Other (3)"
    assert found.slices[-1].cost == "$33.00"  # 12 + 11 + 10
    assert sum(int(each.share[:-1]) for each in found.slices) == 100


def test_a_trend_without_spend_keeps_its_axes() -> None:
    found = trend([], Palette.of([]), today=TODAY)
    assert found.is_empty
    assert [tick.label for tick in found.ticks] == ["$0", "$0.50", "$1"]
    assert len(found.days) == 30


def test_the_month_leaves_out_earlier_days_and_free_models() -> None:
    rows = [*SPENT, *days({"2026-11-03": {"free": "0"}})]
    found = by_model(rows, PALETTE, today=TODAY)
    assert [(each.name, each.cost, each.share) for each in found.slices] == [
        ("dear", "$6.00", "86%"),
        ("cheap", "$1.00", "14%"),
    ]
    assert (found.total, found.period) == ("$7.00", "1–19 Nov")


def test_unpriced_calls_are_named_with_their_models() -> None:
    models = [row("0", model=f"internal-{n}", unpriced=1) for n in range(5)]
    found = report(all_time=period("9", MONTH, None, unpriced_events=41), days=models)
    (gap,) = gaps(found, history())
    assert gap.headline == "41 calls have no price"
    assert gap.text == "They are left out of every total until you set one."
    assert gap.names == ["internal-0", "internal-1", "internal-2"]
    assert gap.more == "and 2 more"


def test_one_unpriced_call_is_singular() -> None:
    (gap,) = gaps(report(all_time=period("9", MONTH, None, unpriced_events=1)), history())
    assert gap.headline == "1 call has no price"


def test_untagged_spend_is_a_share_of_the_month() -> None:
    found = report(
        month=period("425.40", MONTH, "1"),
        untagged=[row("20", model="gpt-5-mini"), row("1.27", model="other")],
    )
    (gap,) = gaps(found, history())
    assert gap.headline == "$21.27 has no feature tag"
    assert gap.text.startswith("5% of this month.")
    assert gap.names == ["gpt-5-mini"]


def test_nothing_missing_is_no_gap() -> None:
    assert gaps(report(month=period("3", MONTH, "1")), history()) == []


def test_test_events_do_not_end_the_welcome() -> None:
    test_call = Call(event(charge=Charge.TEST), cost())
    refused = Call(event(charge=Charge.UNBILLED, usage=None, status=Status.ERROR), cost(None))
    assert not overview_of(report(), history(), [test_call]).has_calls
    assert overview_of(report(), history(), [test_call, refused]).has_calls
    spent = report(all_time=period("1", TODAY, None, events=3))
    assert overview_of(spent, history(), []).has_calls


def test_the_clock_stands_beside_its_zone() -> None:
    found = overview_of(report(), history(), [])
    assert found.clock == "Thu 19 Nov, 14:32 · Europe/Berlin (UTC+1)"


def test_calls_priced_today_leave_the_unpriced_out() -> None:
    found = report(today=period("1", TODAY, "0", events=10, unpriced_events=3))
    assert overview_of(found, history(), []).priced_today == "7 calls priced today."


@pytest.mark.parametrize(
    ("charge", "amount", "text"),
    [
        (Charge.METERED, "0.00042", "$0.00042"),
        (Charge.METERED, "0", "$0.00000"),
        (Charge.METERED, None, "unpriced"),
        (Charge.UNBILLED, None, "not billed"),
        (Charge.PROBABLE, None, "probable"),
        (Charge.PROBABLE, "0.5", "$0.50000"),
    ],
)
def test_a_cost_that_is_not_known_is_a_word_and_never_zero(
    charge: Charge, amount: str | None, text: str
) -> None:
    assert feed_row(Call(event(charge=charge), cost(amount))).cost == text


def test_a_row_shows_dashes_for_what_was_not_reported() -> None:
    found = feed_row(Call(event(usage=None, latency_ms=None), cost("1")))
    assert (found.tokens_in, found.tokens_out, found.latency) == ("–", "–", "–")


def test_a_row_badges_what_is_unusual() -> None:
    failed = event(status=Status.ERROR, error="overloaded_error_with_a_long_name")
    assert feed_row(Call(failed, cost("1"))).badge == "overloaded_error_with_a_"
    assert feed_row(Call(event(status=Status.ERROR), cost("1"))).badge == "error"
    assert feed_row(Call(event(charge=Charge.TEST), cost("1"))).badge == "test"
    assert feed_row(Call(event(), cost("1"))).badge == ""


def test_a_row_carries_the_instant_so_that_its_age_can_count_on() -> None:
    at = NOW.astimezone(UTC) - timedelta(seconds=4)
    assert feed_row(Call(event(occurred_at=at), cost("1"))).at == at.timestamp()
