"""The schema of a price file, ``data/prices/<provider>.yml``."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from llmlab_app.domain.pricing import TokenClass

Confidence = Literal["high", "medium", "low"]
"""High: the provider's own page. Medium: a second party quoting it. Low: unresolved."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _instant(value: object) -> object:
    """A day of the file is its first instant in UTC."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    return value


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("needs a zone, such as 2026-08-21T16:00:00Z")
    return value.astimezone(UTC)


def _clock(value: object) -> object:
    """YAML reads an unquoted 16:30 as the number 990."""
    if not isinstance(value, str):
        raise ValueError('write times in quotes: "16:30"')  # noqa: TRY004, pydantic wants ValueError
    return value


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _pattern(value: str) -> str:
    """A whole name in lower case, or one with a single star at its start or end."""
    inner = value[1:] if value.startswith("*") else value[:-1] if value.endswith("*") else value
    if value != value.lower() or not value or "*" in inner:
        raise ValueError(f"{value!r}: lower case, and at most one * at the start or the end")
    return value


Instant = Annotated[datetime, BeforeValidator(_instant), AfterValidator(_aware)]
Clock = Annotated[time, BeforeValidator(_clock)]
Patterns = Annotated[list[Annotated[str, AfterValidator(_pattern)]], BeforeValidator(_listed)]
Price = Annotated[Decimal, Field(ge=0, le=10_000_000, allow_inf_nan=False)]
Factor = Annotated[Decimal, Field(gt=0, le=100, allow_inf_nan=False)]
Prices = dict[TokenClass | str, Price]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class SourceEntry(_Entry):
    """Where a fact stands, and the day on which we read it there; None if we never did."""

    text: Annotated[str, Field(min_length=3)]
    url: Annotated[str, Field(pattern=r"^https://")]
    verified_on: date | None = None


class _Dated(_Entry):
    """What every fact has: the models it is about, when it held, and where that is written."""

    models: Patterns
    from_: Instant | None = Field(default=None, alias="from")
    to: Instant | None = None
    source: str
    confidence: Confidence = "high"
    note: str = ""

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "_Dated":
        if self.from_ and self.to and self.to <= self.from_:
            raise ValueError(f"{self.models}: 'to' must be later than 'from'")
        return self


class HoursEntry(_Entry):
    """Part of each day, in UTC; past midnight if ``end`` ≤ ``start``."""

    start: Clock
    end: Clock
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = list(_DAYS)

    @property
    def weekdays(self) -> frozenset[int]:
        """Monday is 0."""
        return frozenset(_DAYS.index(day) for day in self.days)


class PriceEntry(_Dated):
    """Unit prices in US dollars; ``above`` replaces some for calls of more input tokens."""

    tier: str = "default"
    speed: str | None = None
    hours: HoursEntry | None = None
    priced_as: str | None = None
    usd_per_million: Prices = {}
    usd_each: Prices = {}
    above: dict[int, Prices] = {}
    free: bool = False
    varies_by_upstream: bool = False

    @model_validator(mode="after")
    def _says_one_thing(self) -> "PriceEntry":
        priced = bool(self.usd_per_million or self.usd_each)
        if priced + self.free + self.varies_by_upstream != 1:
            raise ValueError(f"{self.models}: give prices, or free, or varies_by_upstream")
        if unknown := {name for prices in self.above.values() for name in prices} - set(
            self.usd_per_million
        ):
            raise ValueError(
                f"{self.models}: 'above' prices what the first step does not: {unknown}"
            )
        return self


class FactorEntry(_Dated):
    """Multiplies prices at a tier, at a speed or in some regions."""

    name: str
    factor: Factor
    tier: str | None = None
    speed: str | None = None
    regions: list[str] = []
    classes: list[TokenClass] = []

    @model_validator(mode="after")
    def _has_one_condition(self) -> "FactorEntry":
        if bool(self.tier) + bool(self.speed) + bool(self.regions) != 1:
            raise ValueError(f"{self.name}: give one of tier, speed and regions")
        return self


class FeeEntry(_Dated):
    """Fees per piece that every matching model has, unless its own price lists them."""

    usd_each: Prices


class AliasEntry(_Dated):
    """Names that stood for another model, or for the price of another provider."""

    target: str
    target_provider: str | None = None
    without: list[str] = []


class PriceFile(_Entry):
    """One provider's prices."""

    provider: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    sources: dict[str, SourceEntry]
    prices: list[PriceEntry] = []
    factors: list[FactorEntry] = []
    fees: list[FeeEntry] = []
    aliases: list[AliasEntry] = []

    @model_validator(mode="after")
    def _names_its_sources(self) -> "PriceFile":
        used = {entry.source for entry in self._entries()}
        if missing := used - set(self.sources):
            raise ValueError(f"no such source: {sorted(missing)}")
        if unused := set(self.sources) - used:
            raise ValueError(f"unused source: {sorted(unused)}")
        return self

    @model_validator(mode="after")
    def _is_sure_only_of_what_was_read(self) -> "PriceFile":
        for entry in self._entries():
            if entry.confidence == "high" and self.sources[entry.source].verified_on is None:
                raise ValueError(
                    f"{entry.models}: high confidence, but {entry.source!r} was not read"
                )
        return self

    def _entries(self) -> tuple[_Dated, ...]:
        return (*self.prices, *self.factors, *self.fees, *self.aliases)
