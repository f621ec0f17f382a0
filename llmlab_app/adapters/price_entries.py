"""From the entries of a price file to those of a price book."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TypeVar

from llmlab_app.adapters.price_file import (
    AliasEntry,
    FactorEntry,
    FeeEntry,
    HoursEntry,
    PriceEntry,
    PriceFile,
)
from llmlab_app.domain.pricing import (
    Alias,
    DailyHours,
    PriceFactor,
    PriceFee,
    PriceRow,
    Source,
    Step,
    TokenClass,
    Validity,
)
from llmlab_app.domain.pricing.patterns import rank

_MILLION = Decimal(1_000_000)
_FREE: Mapping[str, Decimal] = {TokenClass.INPUT: Decimal(0), TokenClass.OUTPUT: Decimal(0)}

_From = TypeVar("_From", PriceEntry, FactorEntry, FeeEntry, AliasEntry)
_To = TypeVar("_To")


def rows(file: PriceFile) -> Iterator[tuple[str, PriceRow]]:
    """(pattern, row) of every price."""
    return _each(file, file.prices, _row)


def factors(file: PriceFile) -> Iterator[tuple[str, PriceFactor]]:
    """(pattern, factor) of every rule."""
    return _each(file, file.factors, _factor)


def fees(file: PriceFile) -> Iterator[tuple[str, PriceFee]]:
    """(pattern, fee) of every fee."""
    return _each(file, file.fees, _fee)


def aliases(file: PriceFile) -> Iterator[tuple[str, Alias]]:
    """(pattern, alias) of every alias; its target may hold the pattern's star."""
    return _each(file, file.aliases, _alias)


def _each(
    file: PriceFile, entries: Iterable[_From], make: Callable[[PriceFile, _From, str], _To]
) -> Iterator[tuple[str, _To]]:
    for entry in entries:
        for pattern in entry.models:
            yield pattern, make(file, entry, pattern)


def _row(file: PriceFile, entry: PriceEntry, pattern: str) -> PriceRow:
    return PriceRow(
        provider=file.provider,
        model=entry.priced_as or pattern.strip("*").rstrip("-@:/") or "any model",
        steps=_steps(entry),
        source=_source(file, entry),
        service_tier=entry.tier,
        speed=entry.speed,
        validity=_validity(entry),
        hours=_hours(entry.hours),
        rank=rank(pattern),
        is_free=entry.free,
        varies_by_upstream=entry.varies_by_upstream,
    )


def _steps(entry: PriceEntry) -> tuple[Step, ...]:
    if entry.free:
        return (Step(0, _FREE),)
    first = {**entry.usd_per_million, **_per_million(entry.usd_each)}
    above = sorted(entry.above.items())
    return (Step(0, first), *(Step(tokens, {**first, **prices}) for tokens, prices in above))


def _per_million(usd_each: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {name: price * _MILLION for name, price in usd_each.items()}


def _hours(entry: HoursEntry | None) -> DailyHours | None:
    return DailyHours(entry.start, entry.end, entry.weekdays) if entry else None


def _factor(file: PriceFile, entry: FactorEntry, pattern: str) -> PriceFactor:
    return PriceFactor(
        name=entry.name,
        factor=entry.factor,
        source=_source(file, entry),
        service_tier=entry.tier,
        speed=entry.speed,
        regions=frozenset(entry.regions),
        classes=frozenset(entry.classes) if entry.classes else None,
        validity=_validity(entry),
        rank=rank(pattern),
    )


def _fee(file: PriceFile, entry: FeeEntry, pattern: str) -> PriceFee:
    return PriceFee(
        unit_prices=_per_million(entry.usd_each),
        source=_source(file, entry),
        validity=_validity(entry),
        rank=rank(pattern),
    )


def _alias(file: PriceFile, entry: AliasEntry, pattern: str) -> Alias:
    return Alias(
        provider=entry.target_provider or file.provider,
        model=entry.target,
        source=_source(file, entry),
        without=frozenset(entry.without),
        validity=_validity(entry),
        rank=rank(pattern),
    )


def _validity(entry: PriceEntry | FactorEntry | FeeEntry | AliasEntry) -> Validity:
    return Validity(entry.from_, entry.to)


def _source(file: PriceFile, entry: PriceEntry | FactorEntry | FeeEntry | AliasEntry) -> Source:
    source = file.sources[entry.source]
    return Source(
        text=f"{source.text} ({entry.note})" if entry.note else source.text,
        url=source.url,
        version="llmlab prices",
        verified_on=source.verified_on,
        confidence=entry.confidence,
    )
