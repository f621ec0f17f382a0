"""Our own prices from ``data/prices/*.yml``: corrections, history, tiers, aliases; they win.

One file a provider, one schema (``docs/reference/prices.md``), every fact with its source. Numbers
are read as decimals, never as floats. A file that contradicts itself is refused as a whole.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml

from llmlab_app.adapters.price_file import AliasEntry, FactorEntry, PriceEntry, PriceFile
from llmlab_app.domain.pricing import (
    Alias,
    DailyHours,
    PriceFactor,
    PriceRow,
    Source,
    Step,
    TokenClass,
    Validity,
)

_CHECKOUT = Path(__file__).resolve().parents[2] / "data" / "prices"
_INSTALLED = Path(__file__).resolve().parents[1] / "_data" / "prices"

_EXACT = 1_000_000
_SUFFIX = 10_000
_MILLION = Decimal(1_000_000)
_FREE: dict[str, Decimal] = {name: Decimal(0) for name in (TokenClass.INPUT, TokenClass.OUTPUT)}


class ContradictoryPrices(ValueError):
    """Two entries answer the same question for the same instant."""


def price_folder() -> Path:
    """Where the price files lie: in the checkout, or inside the installed wheel."""
    return _CHECKOUT if _CHECKOUT.is_dir() else _INSTALLED


def bundled_price_overlay() -> "PriceOverlay":
    """The overlay that ships with this version."""
    return load_overlay(price_folder())


def load_overlay(folder: Path) -> "PriceOverlay":
    """The overlay of all ``*.yml`` in ``folder``.

    Raises:
        ValueError: a file does not follow the schema, or contradicts itself; the message names it.
    """
    texts = {path.name: path.read_bytes() for path in sorted(folder.glob("*.yml"))}
    if not texts:
        raise ValueError(f"No price files (*.yml) in {folder}.")
    digest = hashlib.sha256()
    providers: dict[str, _ProviderPrices] = {}
    for name, text in texts.items():
        digest.update(name.encode() + b"\0" + text + b"\0")
        file = _parse(name, text)
        if file.provider in providers:
            raise ContradictoryPrices(f"{name}: {file.provider} already has a file.")
        providers[file.provider] = _provider_prices(name, file)
    return PriceOverlay(providers, f"llmlab prices {digest.hexdigest()[:12]}")


class PriceOverlay:
    """Our prices as a layer of a price book."""

    def __init__(self, providers: "dict[str, _ProviderPrices]", version: str) -> None:
        self._providers = providers
        self._version = version

    @property
    def version(self) -> str:
        """The hash of every file's content."""
        return self._version

    @cached_property
    def providers(self) -> Sequence[str]:
        """Providers that have a file."""
        return tuple(self._providers)

    def entries(self, provider: str) -> "Iterator[tuple[str, PriceRow | PriceFactor | Alias]]":
        """Every (pattern, entry) of a provider, for checks and lists."""
        known = self._providers[provider]
        for part in (known.rows, known.factors, known.aliases):
            yield from part.all

    def rows_for(self, provider: str, model: str) -> Sequence[PriceRow]:
        """Every row whose pattern matches ``model``."""
        known = self._providers.get(provider)
        return known.rows.matching(model) if known else ()

    def factors_for(self, provider: str, model: str) -> Sequence[PriceFactor]:
        """Every factor whose pattern matches ``model``."""
        known = self._providers.get(provider)
        return known.factors.matching(model) if known else ()

    def aliases_for(self, provider: str, model: str) -> Sequence[Alias]:
        """Every alias whose pattern matches, its target's ``*`` filled from the pattern's."""
        known = self._providers.get(provider)
        return known.aliases.matching(model) if known else ()


# Patterns: a whole name, a prefix (``gpt-5*``), or a suffix (``*:free``). Never two stars, so the
# longest pattern is the most exact one, and equal length means equal pattern.


def _rank(pattern: str) -> int:
    if "*" not in pattern:
        return _EXACT
    return len(pattern) + (_SUFFIX if pattern.startswith("*") and len(pattern) > 1 else 0)


def _matches(pattern: str, model: str) -> bool:
    if pattern.endswith("*"):
        return model.startswith(pattern[:-1])
    return model.endswith(pattern[1:]) if pattern.startswith("*") else model == pattern


def _starred(pattern: str, model: str) -> str:
    """What the star of ``pattern`` stands for in ``model``."""
    return model[len(pattern) - 1 :] if pattern.endswith("*") else model[: 1 - len(pattern)]


_E = TypeVar("_E", PriceRow, PriceFactor, Alias)


@dataclass(frozen=True)
class _Patterns(Generic[_E]):
    """Entries by pattern."""

    all: tuple[tuple[str, _E], ...]
    fill_in: Callable[[_E, str, str], _E] = lambda entry, _pattern, _model: entry

    def matching(self, model: str) -> Sequence[_E]:
        exact = self._exact.get(model, ())
        starred = (
            self.fill_in(entry, pattern, model)
            for pattern, entry in self._starred
            if _matches(pattern, model)
        )
        return (*exact, *starred)

    @cached_property
    def _exact(self) -> dict[str, list[_E]]:
        entries: dict[str, list[_E]] = defaultdict(list)
        for pattern, entry in self.all:
            if "*" not in pattern:
                entries[pattern].append(entry)
        return entries

    @cached_property
    def _starred(self) -> tuple[tuple[str, _E], ...]:
        return tuple((pattern, entry) for pattern, entry in self.all if "*" in pattern)


@dataclass(frozen=True, slots=True)
class _ProviderPrices:
    rows: _Patterns[PriceRow]
    factors: _Patterns[PriceFactor]
    aliases: _Patterns[Alias]


# From a file to entries


class _DecimalLoader(yaml.SafeLoader):
    """Reads ``0.15`` as the decimal that was written, not as the nearest float."""


def _decimal(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(str(loader.construct_scalar(node)))


_DecimalLoader.add_constructor("tag:yaml.org,2002:float", _decimal)


def _parse(name: str, text: bytes) -> PriceFile:
    try:
        content: Any = yaml.load(text, Loader=_DecimalLoader)  # a subclass of SafeLoader
        return PriceFile.model_validate(content)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _provider_prices(name: str, file: PriceFile) -> _ProviderPrices:
    prices = _ProviderPrices(
        rows=_Patterns(tuple(_rows(file))),
        factors=_Patterns(tuple(_factors(file))),
        aliases=_Patterns(tuple(_aliases(file)), _fill_in),
    )
    if clashes := [*_row_clashes(prices), *_factor_clashes(prices), *_alias_clashes(prices)]:
        raise ContradictoryPrices(f"{name}: " + "; ".join(clashes))
    return prices


def _rows(file: PriceFile) -> Iterator[tuple[str, PriceRow]]:
    for entry in file.prices:
        for pattern in entry.models:
            yield pattern, _row(file, entry, pattern)


def _row(file: PriceFile, entry: PriceEntry, pattern: str) -> PriceRow:
    hours = entry.hours
    return PriceRow(
        provider=file.provider,
        model=entry.priced_as or pattern.strip("*").rstrip("-@:/") or "any model",
        steps=_steps(entry),
        source=_source(file, entry.source, entry.confidence, entry.note),
        service_tier=entry.tier,
        speed=entry.speed,
        validity=Validity(entry.from_, entry.to),
        hours=DailyHours(hours.start, hours.end, hours.weekdays) if hours else None,
        rank=_rank(pattern),
        is_free=entry.free,
        varies_by_upstream=entry.varies_by_upstream,
    )


def _steps(entry: PriceEntry) -> tuple[Step, ...]:
    if entry.free:
        return (Step(0, _FREE),)
    each = {name: price * _MILLION for name, price in entry.usd_each.items()}
    first = {**entry.usd_per_million, **each}
    above = sorted(entry.above.items())
    return (Step(0, first), *(Step(tokens, {**first, **prices}) for tokens, prices in above))


def _factors(file: PriceFile) -> Iterator[tuple[str, PriceFactor]]:
    for entry in file.factors:
        for pattern in entry.models:
            yield pattern, _factor(file, entry, pattern)


def _factor(file: PriceFile, entry: FactorEntry, pattern: str) -> PriceFactor:
    return PriceFactor(
        name=entry.name,
        factor=entry.factor,
        source=_source(file, entry.source, entry.confidence, entry.note),
        service_tier=entry.tier,
        speed=entry.speed,
        regions=frozenset(entry.regions),
        classes=frozenset(entry.classes) if entry.classes else None,
        validity=Validity(entry.from_, entry.to),
        rank=_rank(pattern),
    )


def _aliases(file: PriceFile) -> Iterator[tuple[str, Alias]]:
    for entry in file.aliases:
        for pattern in entry.models:
            yield pattern, _alias(file, entry, pattern)


def _alias(file: PriceFile, entry: AliasEntry, pattern: str) -> Alias:
    return Alias(
        provider=entry.target_provider or file.provider,
        model=entry.target,
        source=_source(file, entry.source, entry.confidence, entry.note),
        without=frozenset(entry.without),
        validity=Validity(entry.from_, entry.to),
        rank=_rank(pattern),
    )


def _fill_in(alias: Alias, pattern: str, model: str) -> Alias:
    return Alias(
        provider=alias.provider,
        model=alias.model.replace("*", _starred(pattern, model)),
        source=alias.source,
        without=alias.without,
        validity=alias.validity,
        rank=alias.rank,
    )


def _source(file: PriceFile, key: str, confidence: str, note: str) -> Source:
    entry = file.sources[key]
    return Source(
        text=f"{entry.text} ({note})" if note else entry.text,
        url=entry.url,
        version="llmlab prices",
        verified_on=entry.verified_on,
        confidence=confidence,
    )


# Contradictions


def _row_clashes(prices: _ProviderPrices) -> Iterator[str]:
    for (pattern, one), (other_pattern, other) in combinations(prices.rows.all, 2):
        same = pattern == other_pattern
        situation = (one.service_tier, one.speed) == (other.service_tier, other.speed)
        if same and situation and one.validity.overlaps(other.validity) and _same_hours(one, other):
            yield f"two prices for {pattern!r} at once, at tier {one.service_tier!r}"


def _same_hours(one: PriceRow, other: PriceRow) -> bool:
    if one.hours is None or other.hours is None:
        return one.hours is other.hours
    return one.hours.overlaps(other.hours)


def _factor_clashes(prices: _ProviderPrices) -> Iterator[str]:
    for (pattern, one), (other_pattern, other) in combinations(prices.factors.all, 2):
        same = pattern == other_pattern
        tier = (one.service_tier, one.speed) == (other.service_tier, other.speed)
        region = bool(one.regions) == bool(other.regions) and (
            not one.regions or bool(one.regions & other.regions)
        )
        if same and tier and region and one.validity.overlaps(other.validity):
            yield f"two factors for {pattern!r} at once: {one.name!r} and {other.name!r}"


def _alias_clashes(prices: _ProviderPrices) -> Iterator[str]:
    for (pattern, one), (other_pattern, other) in combinations(prices.aliases.all, 2):
        if pattern == other_pattern and one.validity.overlaps(other.validity):
            yield f"{pattern!r} stands for two models at once"
