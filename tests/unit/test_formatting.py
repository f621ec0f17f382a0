"""The "Numbers, money and dates" table of the design, row by row, and its edges."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlab_app.dashboard import formatting as f

TODAY = date(2026, 11, 19)
AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=12)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("1234.56", "$1,234.56"),
        ("0", "$0.00"),
        ("0.0000000001", "<$0.01"),
        ("0.004999", "<$0.01"),
        ("0.005", "$0.01"),
        ("0.994999", "$0.99"),
        ("0.995", "$1.00"),
        ("1000000", "$1,000,000.00"),
        ("-11.87", "−$11.87"),
        ("-0.001", "−<$0.01"),
        ("-0", "$0.00"),
    ],
)
def test_total_has_two_decimals_and_never_rounds_spend_to_zero(amount: str, text: str) -> None:
    assert f.total(Decimal(amount)) == text


@given(AMOUNTS)
def test_total_reads_zero_only_when_it_is_zero(amount: Decimal) -> None:
    assert (f.total(amount) == "$0.00") == (amount == 0)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0.00042", "$0.00042"),
        ("0.0204", "$0.02040"),
        ("0", "$0.00000"),
        ("0.00001", "$0.00001"),
        ("0.0000031", "$0.0000031"),
        ("0.00000314159", "$0.0000031"),
        ("0.000000000001", "$0.0000000000010"),
        ("0.000009999", "$0.000010"),
        ("12.5", "$12.50000"),
        ("1234.567891", "$1,234.56789"),
    ],
)
def test_call_cost_has_five_decimals_or_two_significant_digits(amount: str, text: str) -> None:
    assert f.call_cost(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0.005526", "$0.0055260"),
        ("-0.0010735", "−$0.0010735"),
        ("0", "$0.0000000"),
        ("0.00000005", "$0.0000001"),
        ("0.0000000375", "$0.000000038"),
        ("2", "$2.0000000"),
    ],
)
def test_receipt_line_has_seven_decimals(amount: str, text: str) -> None:
    assert f.receipt_line(Decimal(amount)) == text


@given(AMOUNTS.filter(bool))
def test_a_cost_above_zero_never_reads_as_zero(amount: Decimal) -> None:
    for text in (f.total(amount), f.call_cost(amount), f.receipt_line(amount)):
        assert any(digit in text for digit in "123456789")


@pytest.mark.parametrize(
    ("price", "text"),
    [
        ("0.075", "$0.075"),
        ("3", "$3.00"),
        ("0.30", "$0.30"),
        ("0.0375", "$0.0375"),
        ("1E+2", "$100.00"),
    ],
)
def test_unit_price_keeps_its_digits_and_at_least_two_decimals(price: str, text: str) -> None:
    assert f.unit_price(Decimal(price)) == text


@pytest.mark.parametrize(
    ("amount", "text"), [("0", "$0"), ("20", "$20"), ("2.5", "$2.50"), ("0.0005", "$0.0005")]
)
def test_axis_shows_round_dollars_without_cents(amount: str, text: str) -> None:
    assert f.axis_dollars(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (812, "812"),
        (999, "999"),
        (1_000, "1.0k"),
        (12_345, "12.3k"),
        (999_949, "999.9k"),
        (999_950, "1.0M"),
        (4_100_000, "4.1M"),
        (999_949_999, "999.9M"),
        (999_950_000, "1.00B"),
        (1_030_000_000, "1.03B"),
        (1_234_560_000_000, "1,234.56B"),
    ],
)
def test_tokens_are_exact_below_a_thousand_and_short_above(count: int, text: str) -> None:
    assert f.tokens(count) == text


def test_calls_are_exact_with_commas() -> None:
    assert f.calls(9_966) == "9,966"
    assert f.plural(1, "call") == "1 call"
    assert f.plural(1_041, "call") == "1,041 calls"


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        ("0", "0%"),
        ("0.0001", "<1%"),
        ("0.0099", "<1%"),
        ("0.01", "1%"),
        ("0.264", "26%"),
        ("0.265", "27%"),
        ("9.99", "999%"),
        ("9.991", ">999%"),
        ("1e9", ">999%"),
    ],
)
def test_percent_is_whole_with_words_at_the_ends(ratio: str, text: str) -> None:
    assert f.percent(Decimal(ratio)) == text


def test_shares_of_the_design_sample_add_to_100() -> None:
    amounts = [Decimal(x) for x in ("188.89", "81.79", "52.31", "48.75", "32.81", "5.61")]
    assert f.shares(amounts) == ("46%", "20%", "13%", "12%", "8%", "1%")


def test_a_tiny_share_is_below_one_percent_and_an_empty_one_is_zero() -> None:
    assert f.shares([Decimal("99.9"), Decimal("0.1"), Decimal(0)]) == ("100%", "<1%", "0%")
    assert f.shares([Decimal(0)]) == ("0%",)
    assert f.shares([]) == ()


@given(st.lists(AMOUNTS, min_size=1, max_size=12).filter(any))
def test_shares_always_add_to_100(amounts: list[Decimal]) -> None:
    points = [0 if share == "<1%" else int(share[:-1]) for share in f.shares(amounts)]
    assert sum(points) == 100


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0ms"), (84, "84ms"), (99, "99ms"), (100, "0.1s"), (14_230, "14.2s"), (30_000, "30.0s")],
)
def test_latency_is_seconds_with_one_decimal_or_milliseconds(milliseconds: int, text: str) -> None:
    assert f.latency(milliseconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0s"),
        (4.9, "4s"),
        (59, "59s"),
        (60, "1m 00s"),
        (83, "1m 23s"),
        (3_599, "59m 59s"),
        (3_600, "1h"),
        (172_799, "47h"),
        (172_800, "2d"),
    ],
)
def test_age_is_seconds_then_minutes_then_hours(seconds: float, text: str) -> None:
    assert f.age(timedelta(seconds=seconds)) == text


def test_dates_carry_the_year_only_when_it_is_another() -> None:
    assert f.day(date(2026, 11, 19), today=TODAY) == "19 Nov"
    assert f.day(date(2025, 6, 4), today=TODAY) == "4 Jun 2025"


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2026, 11, 1), date(2026, 11, 19), "1–19 Nov"),
        (date(2026, 10, 28), date(2026, 11, 3), "28 Oct–3 Nov"),
        (date(2025, 12, 28), date(2026, 1, 3), "28 Dec 2025–3 Jan"),
        (date(2026, 11, 1), date(2026, 11, 1), "1 Nov"),
    ],
)
def test_a_range_says_a_shared_month_once(first: date, last: date, text: str) -> None:
    assert f.day_range(first, last, today=TODAY) == text


def test_times_are_24_hours_with_the_zone_beside() -> None:
    at = datetime(2026, 11, 19, 14, 31, 49, tzinfo=ZoneInfo("Europe/Berlin"))
    assert f.moment(at) == "Thu 19 Nov, 14:31"
    assert f.full_moment(at) == "19 Nov 2026, 14:31:49"
    assert f.zone(at, "Europe/Berlin") == "Europe/Berlin (UTC+1)"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("UTC", "UTC"),
        ("Europe/London", "Europe/London (UTC)"),
        ("Asia/Kolkata", "Asia/Kolkata (UTC+5:30)"),
        ("America/St_Johns", "America/St_Johns (UTC−3:30)"),
    ],
)
def test_zone_offsets_are_signed_and_keep_half_hours(name: str, text: str) -> None:
    at = datetime(2026, 11, 19, 12, tzinfo=UTC).astimezone(ZoneInfo(name))
    assert f.zone(at, name) == text
