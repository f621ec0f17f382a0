"""Where marks go: money in, SVG coordinates out. Pure, so that charts need no script to draw.

Coordinates are strings for SVG attributes: percentages of the plot, or units of a view box.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from math import ceil, pi

from llmlab_app.dashboard import formatting

SPARK_WIDTH, SPARK_HEIGHT, _SPARK_TOP = 100, 36, 3
DONUT_SIZE, DONUT_RADIUS, DONUT_STROKE = 152, 65, 22
_DONUT_GAP = 2  # units of arc between two slices, so that colours never touch
_BAR_WIDTH = 0.72  # of a day's slot
_ROUND_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))

Point = tuple[float, Decimal]
"""How much of the period has passed, 0 to 1, and the money spent by then."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One gridline: its label and its distance from the top."""

    label: str
    top: str


@dataclass(frozen=True, slots=True)
class Spark:
    """A cumulative line: the period until now, the dot, and the whole previous period, dashed."""

    area: str
    line: str
    previous: str
    left: str
    top: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One segment of a stack: its top edge and height."""

    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Arc:
    """One slice of the donut, as a dash on its circle."""

    dash: str
    offset: str


def axis(highest: Decimal) -> tuple[Decimal, list[Tick]]:
    """The top of an axis from zero past ``highest``, and its 3 or 4 ticks on round numbers."""
    step = _round_step(highest / 3) if highest > 0 else Decimal("0.5")
    steps = max(2, ceil(highest / step))
    return step * steps, [
        Tick(formatting.axis_dollars(step * n), _percent(1 - n / steps)) for n in range(steps + 1)
    ]


def _round_step(least: Decimal) -> Decimal:
    magnitude = Decimal(1).scaleb(least.adjusted())
    return next(magnitude * step for step in _ROUND_STEPS if magnitude * step >= least)


def bar_columns(count: int) -> tuple[str, list[str]]:
    """The width of every bar and the left edge of each, for ``count`` equal slots."""
    slot = 1 / count
    gap = slot * (1 - _BAR_WIDTH) / 2
    return _percent(slot * _BAR_WIDTH), [_percent(slot * i + gap) for i in range(count)]


def slots(count: int) -> tuple[str, list[str]]:
    """The width of a slot and the left edge of each: what the pointer hits."""
    return _percent(1 / count), [_percent(i / count) for i in range(count)]


def middles(count: int) -> list[str]:
    """The middle of each slot: where its label goes."""
    return [_percent((i + 0.5) / count) for i in range(count)]


def stack(amounts: Sequence[Decimal], top: Decimal) -> list[Bar]:
    """``amounts`` on top of each other, the first at the bottom, on an axis up to ``top``."""
    edges = [Decimal(0)]
    for amount in amounts:
        edges.append(edges[-1] + amount)
    return [
        Bar(_percent(float(1 - upper / top)), _percent(float((upper - lower) / top)))
        for lower, upper in pairwise(edges)
    ]


def sparkline(current: Sequence[Point], previous: Sequence[Point]) -> Spark:
    """Both cumulative lines on one scale, so that the higher one ends at the top."""
    highest = max((amount for _, amount in (*current, *previous)), default=Decimal(0))
    here = [_spark_point(point, highest) for point in current] or [(0.0, float(SPARK_HEIGHT))]
    there = [_spark_point(point, highest) for point in previous] if highest else []
    line = _polyline(here)
    x, y = here[-1]
    return Spark(
        area=f"0,{SPARK_HEIGHT} {line} {x:.2f},{SPARK_HEIGHT}",
        line=line,
        previous=_polyline(there),
        left=_percent(x / SPARK_WIDTH),
        top=_percent(y / SPARK_HEIGHT),
    )


def _spark_point(point: Point, highest: Decimal) -> tuple[float, float]:
    passed, amount = point
    share = float(amount / highest) if highest else 0.0
    return passed * SPARK_WIDTH, SPARK_HEIGHT - share * (SPARK_HEIGHT - _SPARK_TOP)


def _polyline(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)


def donut(amounts: Sequence[Decimal]) -> list[Arc]:
    """One arc for each of ``amounts``, clockwise from the top, with a gap between neighbours."""
    circle = 2 * pi * DONUT_RADIUS
    whole = float(sum(amounts, Decimal(0)))
    gap = _DONUT_GAP if sum(1 for amount in amounts if amount) > 1 else 0
    arcs: list[Arc] = []
    start = 0.0
    for amount in amounts:
        length = circle * float(amount) / whole if whole else 0.0
        drawn = max(0.0, length - gap)
        arcs.append(Arc(f"{drawn:.2f} {circle - drawn:.2f}", f"{-start:.2f}"))
        start += length
    return arcs


def _percent(share: float) -> str:
    return f"{share * 100:.2f}%"
