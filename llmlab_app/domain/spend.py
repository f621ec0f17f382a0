"""What was spent, as read models: sums over calls, by whatever they are grouped."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """Sums over calls. ``cost`` is in US dollars and leaves the ``unpriced_events`` out."""

    cost: Decimal = Decimal(0)
    events: int = 0
    unpriced_events: int = 0
    errors: int = 0
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    latency_ms: int = 0

    def __add__(self, other: "Spend") -> "Spend":
        """Both together."""
        return Spend(**{name: getattr(self, name) + getattr(other, name) for name in MEASURES})


MEASURES: tuple[str, ...] = tuple(field.name for field in fields(Spend))


class Dimension(StrEnum):
    """What spend may be grouped by; ``tag:<key>`` comes beside these."""

    PROVIDER = "provider"
    MODEL = "model"
    FEATURE = "feature"
    PROJECT = "project"
    USER = "user"
    DAY = "day"
    HOUR = "hour"


class Source(StrEnum):
    """What a breakdown was read from; ``CALLS`` is shown as "computed from calls"."""

    ROLLUP = "rollup"
    CALLS = "calls"


@dataclass(frozen=True, slots=True)
class SpendRow:
    """The spend of one combination of values, keyed by dimension; None is "not given"."""

    key: Mapping[str, str | None]
    spend: Spend


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Spend by key, dearest first, and its total."""

    rows: tuple[SpendRow, ...]
    total: Spend
    source: Source


@dataclass(frozen=True, slots=True)
class PeriodSpend:
    """Spend of a whole period, beside the one before it cut at the same elapsed local time.

    ``first_day`` is the local day the period begins on; ``previous_cost`` is None where there is
    no period before.
    """

    spend: Spend
    first_day: date
    previous_cost: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The four figures that everything begins with, in US dollars and the workspace's zone."""

    today: PeriodSpend
    week: PeriodSpend
    month: PeriodSpend
    all_time: PeriodSpend
    timezone: str
