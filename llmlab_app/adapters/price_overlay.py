"""Our own prices from ``data/prices/*.yml``: corrections, history, tiers, aliases; they win.

One file a provider, one schema (``docs/reference/prices.md``), every fact with its source. Numbers
are read as decimals, never as floats. A file that contradicts itself is refused as a whole.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar

import yaml

from llmlab_app.adapters import price_entries
from llmlab_app.adapters.price_file import PriceFile
from llmlab_app.domain.pricing import Alias, PriceFactor, PriceFee, PriceRow
from llmlab_app.domain.pricing.patterns import Patterns, starred

_CHECKOUT = Path(__file__).resolve().parents[2] / "data" / "prices"
_INSTALLED = Path(__file__).resolve().parents[1] / "_data" / "prices"

Entry = PriceRow | PriceFactor | PriceFee | Alias


class ContradictoryPrices(ValueError):
    """Two entries answer the same question for the same instant."""


def price_folder() -> Path:
    """Where the price files lie: inside the installed wheel, or in the checkout."""
    return _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT


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
    providers: dict[str, ProviderPrices] = {}
    for name, text in texts.items():
        file = _parse(name, text)
        if file.provider in providers:
            raise ContradictoryPrices(f"{name}: {file.provider} already has a file.")
        providers[file.provider] = _provider_prices(name, file)
    return PriceOverlay(providers, f"llmlab prices {_digest(texts)}")


@dataclass(frozen=True, slots=True)
class ProviderPrices:
    """The entries of one file, by pattern."""

    rows: Patterns[PriceRow]
    factors: Patterns[PriceFactor]
    fees: Patterns[PriceFee]
    aliases: Patterns[Alias]


class PriceOverlay:
    """Our prices as a layer of a price book."""

    def __init__(self, providers: dict[str, ProviderPrices], version: str) -> None:
        self._providers = providers
        self._version = version

    @property
    def version(self) -> str:
        """The hash of every file's content."""
        return self._version

    @property
    def providers(self) -> Sequence[str]:
        """Providers that have a file."""
        return tuple(self._providers)

    def entries(self, provider: str) -> Iterator[tuple[str, Entry]]:
        """Every (pattern, entry) of a provider, for checks and lists."""
        known = self._providers[provider]
        for part in (known.rows, known.factors, known.fees, known.aliases):
            yield from part.all

    def rows_for(self, provider: str, model: str) -> Sequence[PriceRow]:
        """Every row whose pattern matches ``model``."""
        known = self._providers.get(provider)
        return [row for _, row in known.rows.matching(model)] if known else ()

    def factors_for(self, provider: str, model: str) -> Sequence[PriceFactor]:
        """Every factor whose pattern matches ``model``."""
        known = self._providers.get(provider)
        return [factor for _, factor in known.factors.matching(model)] if known else ()

    def fees_for(self, provider: str, model: str) -> Sequence[PriceFee]:
        """Every fee whose pattern matches ``model``."""
        known = self._providers.get(provider)
        return [fee for _, fee in known.fees.matching(model)] if known else ()

    def aliases_for(self, provider: str, model: str) -> Sequence[Alias]:
        """Every alias whose pattern matches, its target's ``*`` filled from the pattern's."""
        known = self._providers.get(provider)
        if known is None:
            return ()
        return [_filled(alias, pattern, model) for pattern, alias in known.aliases.matching(model)]


def _filled(alias: Alias, pattern: str, model: str) -> Alias:
    if "*" not in pattern:
        return alias
    return replace(alias, model=alias.model.replace("*", starred(pattern, model)))


# Reading


class _DecimalLoader(yaml.SafeLoader):
    """Reads ``0.15`` as the decimal that was written, not as the nearest float."""


def _decimal(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Decimal:
    text = str(loader.construct_scalar(node))
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a finite number") from None


_DecimalLoader.add_constructor("tag:yaml.org,2002:float", _decimal)


def _parse(name: str, text: bytes) -> PriceFile:
    try:
        content: Any = yaml.load(text, Loader=_DecimalLoader)  # a subclass of SafeLoader
        return PriceFile.model_validate(content)
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{name}: {error}") from error


def _provider_prices(name: str, file: PriceFile) -> ProviderPrices:
    prices = ProviderPrices(
        rows=Patterns(price_entries.rows(file)),
        factors=Patterns(price_entries.factors(file)),
        fees=Patterns(price_entries.fees(file)),
        aliases=Patterns(price_entries.aliases(file)),
    )
    if clashes := list(_clashes(prices)):
        raise ContradictoryPrices(f"{name}: " + "; ".join(clashes))
    return prices


def _digest(texts: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, text in texts.items():
        digest.update(name.encode() + b"\0" + text + b"\0")
    return digest.hexdigest()[:12]


# Contradictions


def _clashes(prices: ProviderPrices) -> Iterator[str]:
    for pattern in _overlapping(prices.rows, _same_situation):
        yield f"two prices for {pattern!r} at once"
    for pattern in _overlapping(prices.factors, _same_condition):
        yield f"two factors for {pattern!r} at once"
    for pattern in _overlapping(prices.fees, lambda _one, _other: True):
        yield f"two lists of fees for {pattern!r} at once"
    for pattern in _overlapping(prices.aliases, lambda _one, _other: True):
        yield f"{pattern!r} stands for two models at once"


_T = TypeVar("_T", PriceRow, PriceFactor, PriceFee, Alias)


def _overlapping(entries: Patterns[_T], alike: Callable[[_T, _T], bool]) -> Iterator[str]:
    for (pattern, one), (other_pattern, other) in combinations(entries.all, 2):
        same = pattern == other_pattern and alike(one, other)
        if same and one.validity.overlaps(other.validity):
            yield pattern


def _same_situation(one: PriceRow, other: PriceRow) -> bool:
    if (one.service_tier, one.speed) != (other.service_tier, other.speed):
        return False
    if one.hours is None or other.hours is None:
        return one.hours is other.hours
    return one.hours.overlaps(other.hours)


def _same_condition(one: PriceFactor, other: PriceFactor) -> bool:
    if (one.service_tier, one.speed) != (other.service_tier, other.speed):
        return False
    return bool(one.regions & other.regions) if one.regions else not other.regions
