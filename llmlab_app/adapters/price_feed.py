"""List prices from the ``genai-prices`` package, as rows of our own.

We take its data and its matching of model names, not its arithmetic: that prices an unknown tier
as the standard one and tokens without a price as $0. What the data gets wrong is corrected by
``data/prices``, which wins.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version

from genai_prices import types as feed
from genai_prices.data import providers as bundled_providers

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

Prices = Mapping[str, "Decimal | feed.TieredPrices"]

_FEED_PROVIDERS = {"aws.bedrock": "aws", "google-vertex": "google", "xai": "x-ai"}

_THOUSAND = Decimal(1_000)
_PER_HOUR_IN_SECONDS = Decimal(1_000_000) / Decimal(3_600)

# Feed's price key → our class or unit, and what turns its price into one per million.
_KEYS: dict[str, tuple[str, Decimal]] = {
    "input_mtok": (TokenClass.INPUT, Decimal(1)),
    "cache_read_mtok": (TokenClass.CACHE_READ, Decimal(1)),
    "cache_write_mtok": (TokenClass.CACHE_WRITE, Decimal(1)),
    "cache_write_1h_mtok": (TokenClass.CACHE_WRITE_1H, Decimal(1)),
    "cache_audio_read_mtok": (TokenClass.CACHE_READ_AUDIO, Decimal(1)),
    "input_audio_mtok": (TokenClass.INPUT_AUDIO, Decimal(1)),
    "input_image_mtok": (TokenClass.INPUT_IMAGE, Decimal(1)),
    "input_video_mtok": (TokenClass.INPUT_VIDEO, Decimal(1)),
    "output_mtok": (TokenClass.OUTPUT, Decimal(1)),
    "output_reasoning_mtok": (TokenClass.REASONING, Decimal(1)),
    "output_audio_mtok": (TokenClass.OUTPUT_AUDIO, Decimal(1)),
    "output_image_mtok": (TokenClass.OUTPUT_IMAGE, Decimal(1)),
    "web_searches_kcount": (TokenClass.WEB_SEARCH, _THOUSAND),
    "grounded_prompts": (TokenClass.GROUNDED_PROMPT, _THOUSAND),
    "requests_kcount": (TokenClass.REQUEST, _THOUSAND),
    "output_video_mtok": ("output_video_tokens", Decimal(1)),
    "output_citation_mtok": ("citation_tokens", Decimal(1)),
    "storage_searches_kcount": ("file_search_call", _THOUSAND),
    "social_searches_kcount": ("social_searches", _THOUSAND),
    "code_executions_kcount": ("code_executions", _THOUSAND),
    "rerank_searches_kcount": ("search_units", _THOUSAND),
    "input_mchars": ("characters", Decimal(1)),
    "input_text_messages_kcount": ("text_messages", _THOUSAND),
    "input_document_kpages": ("pages", _THOUSAND),
    "input_annotated_document_kpages": ("annotated_pages", _THOUSAND),
    "audio_hours": ("audio_seconds", _PER_HOUR_IN_SECONDS),
}


@dataclass(frozen=True, slots=True)
class _Situation:
    """What a price is for: a tier and a speed of ours, or something that we do not know."""

    service_tier: str = "default"
    speed: str | None = None


class GenaiPriceFeed:
    """The ``genai-prices`` data as a layer of a price book."""

    def __init__(self, providers: Sequence[feed.Provider], version: str) -> None:
        self._providers = {provider.id: provider for provider in providers}
        self._all = list(providers)
        self._version = version
        # A look-up asks for the same name several times; the names come from outside, so few stay.
        self._remembered: Callable[[str, str], Sequence[PriceRow]] = lru_cache(256)(self._rows)

    @property
    def version(self) -> str:
        """Name and version of the data."""
        return self._version

    @property
    def model_count(self) -> int:
        """How many models are priced."""
        return sum(len(provider.models) for provider in self._all)

    def rows_for(self, provider: str, model: str) -> Sequence[PriceRow]:
        """Every row of the model that the feed matches to the name."""
        return self._remembered(provider, model)

    def factors_for(self, provider: str, model: str) -> Sequence[PriceFactor]:
        """None: the feed spells every price out."""
        return ()

    def fees_for(self, provider: str, model: str) -> Sequence[PriceFee]:
        """None: the feed lists fees with each model."""
        return ()

    def aliases_for(self, provider: str, model: str) -> Sequence[Alias]:
        """None: the feed matches names itself."""
        return ()

    def _rows(self, provider: str, model: str) -> Sequence[PriceRow]:
        known = self._providers.get(_FEED_PROVIDERS.get(provider, provider))
        info = known.find_model(model, all_providers=self._all) if known else None
        if known is None or info is None:
            return ()
        source = Source(
            text=f"{self._version}, {known.name}",
            url=(known.pricing_urls or [""])[0],
            version=self._version,
        )
        return tuple(_rows(provider, info, source))


def bundled_price_feed() -> GenaiPriceFeed:
    """The data of the installed package: no network, reproducible."""
    return GenaiPriceFeed(bundled_providers, f"genai-prices {version('genai-prices')}")


_GROUNDED = ("gemini-1.", "gemini-2.")
"""Gemini models that bill grounding once a prompt; from Gemini 3 on every query is billed."""


def _rows(provider: str, info: feed.ModelInfo, source: Source) -> Iterator[PriceRow]:
    for situation in _situations(info):
        for validity in _spans(info, situation):
            for hours, prices in _prices_at(info, situation, validity.start or _DAWN):
                yield PriceRow(
                    provider=provider,
                    model=info.id,
                    steps=_steps(_as_billed(info, prices)),
                    source=source,
                    service_tier=situation.service_tier,
                    speed=situation.speed,
                    validity=validity,
                    hours=hours,
                )


# Situations


def _situations(info: feed.ModelInfo) -> list[_Situation]:
    known = (_situation(variant) for variant in info.price_variants or ())
    return [_Situation(), *dict.fromkeys(s for s in known if s and s != _Situation())]


def _situation(variant: feed.PriceVariant) -> _Situation | None:
    """The tier and speed of a variant; None for conditions that an event can't state."""
    match variant.when:
        case {"processing": "batch", **rest} if not rest:
            return _Situation("batch")
        case {"service_tier": tier, **rest} if not rest:
            return _Situation(tier)
        case {"speed": speed, **rest} if not rest:
            return _Situation(speed=speed)
        case _:
            return None


def _variants(info: feed.ModelInfo, situation: _Situation) -> list[feed.PriceVariant]:
    return [v for v in info.price_variants or () if _situation(v) == situation]


# Dates

_DAWN = datetime.min.replace(tzinfo=UTC)


def _spans(info: feed.ModelInfo, situation: _Situation) -> list[Validity]:
    """The spans between which the feed changes its price; a variant has none before it starts."""
    starts = {_start(price.constraint) for price in _conditional(info)}
    if variants := _variants(info, situation):
        first = min(_start(variant.constraint) for variant in variants)
        starts = {max(start, first) for start in starts}
        starts |= {_start(variant.constraint) for variant in variants}
    edges = sorted(starts)
    bounds = [None if edge == _DAWN else edge for edge in edges]
    return [Validity(start, end) for start, end in zip(bounds, [*bounds[1:], None], strict=True)]


def _start(constraint: object) -> datetime:
    if isinstance(constraint, feed.StartDateConstraint):
        return datetime.combine(constraint.start_date, time(), UTC)
    return _DAWN


def _conditional(info: feed.ModelInfo) -> list[feed.ConditionalPrice]:
    if isinstance(info.prices, feed.ModelPrice):
        return [feed.ConditionalPrice(prices=info.prices)]
    return info.prices


# Prices


def _prices_at(
    info: feed.ModelInfo, situation: _Situation, at: datetime
) -> Iterator[tuple[DailyHours | None, Prices]]:
    """The prices in force at ``at``: those of the whole day, then those of parts of it."""
    overrides = _overrides(info, situation, at)
    conditional = _conditional(info)
    dated = [i for i, p in enumerate(conditional) if not _hours(p) and _start(p.constraint) <= at]
    whole_day = dated[-1] if dated else 0
    yield None, {**_given(conditional[whole_day].prices), **overrides}
    for price in reversed(conditional[whole_day + 1 :]):
        if hours := _hours(price):
            yield hours, {**_given(price.prices), **overrides}


def _overrides(info: feed.ModelInfo, situation: _Situation, at: datetime) -> Prices:
    """A variant's prices; the first to name a key wins, as in the feed."""
    held = [v for v in _variants(info, situation) if _start(v.constraint) <= at]
    return {key: price for v in reversed(held) for key, price in _given(v.prices).items()}


def _given(prices: feed.ModelPrice) -> dict[str, Decimal | feed.TieredPrices]:
    return {key: price for key, price in vars(prices).items() if price is not None}


def _hours(price: feed.ConditionalPrice) -> DailyHours | None:
    constraint = price.constraint
    if not isinstance(constraint, feed.TimeOfDateConstraint):
        return None
    return DailyHours(_utc(constraint.start_time), _utc(constraint.end_time))


def _utc(clock: time) -> time:
    moment = datetime.combine(datetime(2000, 1, 1, tzinfo=UTC), clock)
    return moment.astimezone(UTC).time() if moment.tzinfo else clock


def _as_billed(info: feed.ModelInfo, prices: Prices) -> Prices:
    if not info.id.startswith(_GROUNDED):
        return prices
    return {
        "grounded_prompts" if key == "web_searches_kcount" else key: price
        for key, price in prices.items()
    }


def _steps(prices: Prices) -> tuple[Step, ...]:
    tiered = [price for price in prices.values() if isinstance(price, feed.TieredPrices)]
    thresholds = sorted({0, *(tier.start for price in tiered for tier in price.tiers)})
    return tuple(Step(above, _unit_prices(prices, above)) for above in thresholds)


def _unit_prices(prices: Prices, above: int) -> dict[str, Decimal]:
    known = ((_KEYS[key], price) for key, price in prices.items() if key in _KEYS)
    return {name: _plain(price, above) * per_million for (name, per_million), price in known}


def _plain(price: "Decimal | feed.TieredPrices", above: int) -> Decimal:
    if isinstance(price, Decimal):
        return price
    reached = [tier.price for tier in price.tiers if tier.start <= above]
    return reached[-1] if reached else price.base
