"""Charts are computed on the server: their coordinates are checked here, their looks by eye."""

from decimal import Decimal
from math import pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlab_app.dashboard.views import geometry

AMOUNTS = st.decimals(min_value="0.000001", max_value=10**7, places=6)


@pytest.mark.parametrize(
    ("highest", "labels"),
    [
        ("48.91", ["$0", "$20", "$40", "$60"]),
        ("0", ["$0", "$0.50", "$1"]),
        ("1", ["$0", "$0.50", "$1"]),
        ("0.0007", ["$0", "$0.00025", "$0.0005", "$0.00075"]),
        ("1234", ["$0", "$500", "$1,000", "$1,500"]),
    ],
)
def test_axis_has_round_ticks_from_zero_past_the_highest(highest: str, labels: list[str]) -> None:
    assert [tick.label for tick in geometry.axis(Decimal(highest))[1]] == labels


@given(AMOUNTS)
def test_axis_always_has_three_or_four_ticks_and_room_for_the_highest(highest: Decimal) -> None:
    top, ticks = geometry.axis(highest)
    assert len(ticks) in (3, 4)
    assert highest <= top <= highest * 3


def test_stack_puts_the_first_at_the_bottom_and_fills_the_height_of_the_sum() -> None:
    bars = geometry.stack([Decimal(30), Decimal(10)], Decimal(80))
    assert [(bar.y, bar.height) for bar in bars] == [("62.50%", "37.50%"), ("50.00%", "12.50%")]


def test_columns_share_the_width_evenly() -> None:
    width, lefts = geometry.bar_columns(30)
    assert (width, lefts[0], lefts[-1]) == ("2.40%", "0.47%", "97.13%")
    assert geometry.slots(4) == ("25.00%", ["0.00%", "25.00%", "50.00%", "75.00%"])
    assert geometry.middles(2) == ["25.00%", "75.00%"]


def test_sparkline_draws_both_periods_on_one_scale() -> None:
    spark = geometry.sparkline(
        [(0.0, Decimal(0)), (0.5, Decimal(5))], [(0.0, Decimal(0)), (1.0, Decimal(10))]
    )
    assert spark.line == "0.00,36.00 50.00,19.50"
    assert spark.previous == "0.00,36.00 100.00,3.00"
    assert spark.area == "0,36 0.00,36.00 50.00,19.50 50.00,36"
    assert (spark.left, spark.top) == ("50.00%", "54.17%")


def test_sparkline_without_spend_is_a_dot_on_the_ground() -> None:
    spark = geometry.sparkline([], [(0.0, Decimal(0)), (1.0, Decimal(0))])
    assert (spark.left, spark.top, spark.previous) == ("0.00%", "100.00%", "")


def test_donut_arcs_are_in_proportion_and_go_once_around() -> None:
    circle = 2 * pi * geometry.DONUT_RADIUS
    arcs = geometry.donut([Decimal(3), Decimal(1)])
    drawn = [float(arc.dash.split()[0]) for arc in arcs]
    assert drawn == pytest.approx([circle * 0.75 - 2, circle * 0.25 - 2], abs=0.01)
    assert arcs[1].offset == f"{-circle * 0.75:.2f}"


def test_a_single_slice_closes_the_ring() -> None:
    (arc,) = geometry.donut([Decimal(7)])
    assert arc.dash == f"{2 * pi * geometry.DONUT_RADIUS:.2f} 0.00"


def test_donut_without_spend_draws_nothing() -> None:
    assert geometry.donut([Decimal(0)])[0].dash.startswith("0.00 ")
