"""What a price list says, before a call is looked up in it: dated rows, factors and aliases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a fact comes from, and when a person or a program last compared it."""

    text: str
    url: str = ""
    version: str = ""
    verified_on: date | None = None
    confidence: str = "high"


@dataclass(frozen=True, slots=True)
class Validity:
    """A half-open span of UTC instants; None is unbounded."""

    start: datetime | None = None
    end: datetime | None = None

    def holds_at(self, at: datetime) -> bool:
        """Whether ``at`` lies inside."""
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)

    def overlaps(self, other: "Validity") -> bool:
        """Whether some instant lies in both."""
        return _before(self.start, other.end) and _before(other.start, self.end)


ALWAYS = Validity()
_A_MONDAY = date(2024, 1, 1)


def _before(start: datetime | None, end: datetime | None) -> bool:
    return start is None or end is None or start < end


@dataclass(frozen=True, slots=True)
class DailyHours:
    """Part of each day, in UTC; ``end`` ≤ ``start`` runs past midnight.

    ``weekdays`` (0 is Monday) are the days on which the span starts.
    """

    start: time
    end: time
    weekdays: frozenset[int] = frozenset(range(7))

    def holds_at(self, at: datetime) -> bool:
        """Whether the clock at ``at`` (UTC) lies inside."""
        clock, today = at.time(), at.weekday()
        if self.start < self.end:
            return self.start <= clock < self.end and today in self.weekdays
        yesterday = (today - 1) % 7
        return (clock >= self.start and today in self.weekdays) or (
            clock < self.end and yesterday in self.weekdays
        )

    def overlaps(self, other: "DailyHours") -> bool:
        """Whether some instant of a week lies in both: then one begins inside the other."""
        return any(self.holds_at(start) for start in other._starts()) or any(
            other.holds_at(start) for start in self._starts()
        )

    def _starts(self) -> list[datetime]:
        return [datetime.combine(_A_MONDAY + timedelta(day), self.start) for day in self.weekdays]

    def __str__(self) -> str:
        text = f"{self.start:%H:%M}–{self.end:%H:%M} UTC"
        if len(self.weekdays) == 7:
            return text
        names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
        return f"{text} {' '.join(names[day] for day in sorted(self.weekdays))}"


@dataclass(frozen=True, slots=True)
class Step:
    """US dollars per million, for the whole of a call with more input tokens than ``above``."""

    above: int
    unit_prices: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """Prices of one model at one tier and speed for one span of time.

    ``steps`` start with the one above 0. ``rank`` orders rows that match the same name: the more
    exactly a row names the model, the higher. A row with ``hours`` covers only that part of the
    day and goes before a row without. ``varies_by_upstream`` says that no price can be known.
    """

    provider: str
    model: str
    steps: tuple[Step, ...]
    source: Source
    service_tier: str = "default"
    speed: str | None = None
    validity: Validity = ALWAYS
    hours: DailyHours | None = None
    rank: int = 0
    is_free: bool = False
    is_list: bool = True
    varies_by_upstream: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFactor:
    """A rule such as "batch is half price": multiplies the prices it names.

    Exactly one of ``service_tier``, ``speed`` and ``regions`` says when it applies; the region
    ``*`` is every named one but ``global``. ``classes`` None means every token class, and no fee.
    """

    name: str
    factor: Decimal
    source: Source
    service_tier: str | None = None
    speed: str | None = None
    regions: frozenset[str] = frozenset()
    classes: frozenset[str] | None = None
    validity: Validity = ALWAYS
    rank: int = 0

    def covers_region(self, region: str | None) -> bool:
        """Whether a call in ``region`` is multiplied."""
        if region is None or not self.regions:
            return False
        return region in self.regions or ("*" in self.regions and region != "global")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFee:
    """Fees per piece (US dollars per million of them) on top of a row that does not list them."""

    unit_prices: Mapping[str, Decimal]
    source: Source
    validity: Validity = ALWAYS
    rank: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A name that stood for another model, or for another provider's price, for some time.

    ``without`` names what the other price lists but does not hold here, such as search fees.
    """

    provider: str
    model: str
    source: Source
    without: frozenset[str] = frozenset()
    validity: Validity = ALWAYS
    rank: int = 0


class PriceLayer(Protocol):
    """One list of prices. In a book, an earlier layer wins over a later one."""

    @property
    def version(self) -> str:
        """Changes whenever any answer could change."""
        ...

    def rows_for(self, provider: str, model: str) -> Sequence[PriceRow]:
        """Every row that matches the name, at any time, tier and speed."""
        ...

    def factors_for(self, provider: str, model: str) -> Sequence[PriceFactor]:
        """Every factor that matches the name."""
        ...

    def fees_for(self, provider: str, model: str) -> Sequence[PriceFee]:
        """Every fee that matches the name."""
        ...

    def aliases_for(self, provider: str, model: str) -> Sequence[Alias]:
        """Every alias that matches the name."""
        ...
