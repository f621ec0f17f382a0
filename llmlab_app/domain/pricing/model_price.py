"""One dated price with everything a receipt needs, for ever."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import Any, Self

from llmlab_app.domain.money import EXACT, plain
from llmlab_app.domain.pricing.token_classes import STAND_INS, TokenClass


@dataclass(frozen=True, kw_only=True)
class ModelPrice:
    """What one model cost in one situation: immutable, and named by the hash of its content.

    ``unit_prices`` are US dollars per million, by token class or by the name of a unit, with every
    factor already multiplied in; ``factors`` only says which ones, for the receipt.
    ``context_step`` is the number of input tokens above which these prices hold (0: from the
    first). ``effective_from`` and ``effective_to`` are half-open UTC instants, None unbounded.
    ``agreed`` is what this workspace pays instead, after overrides and discounts; ``companions``
    are the prices of the event's ``additional_usage``, in its order.
    """

    provider: str
    model: str
    service_tier: str = "default"
    speed: str | None = None
    region: str | None = None
    context_step: int = 0
    hours: str | None = None
    unit_prices: Mapping[str, Decimal]
    factors: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    effective_from: datetime | None = None
    effective_to: datetime | None = None
    source: str
    source_url: str = ""
    version: str = ""
    verified_on: date | None = None
    confidence: str = "high"
    is_free: bool = False
    is_list: bool = True
    agreed: "ModelPrice | None" = None
    companions: "tuple[ModelPrice, ...]" = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "unit_prices", MappingProxyType(dict(self.unit_prices)))
        object.__setattr__(self, "factors", MappingProxyType(dict(self.factors)))

    def __hash__(self) -> int:
        return hash(self.price_id)

    def __reduce__(self) -> tuple[Any, ...]:
        return ModelPrice.from_json, (self.to_json(),)

    @cached_property
    def price_id(self) -> str:
        """SHA-256 (hex) of the canonical content: equal content, equal name."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def billed_as(self) -> Mapping[TokenClass, str]:
        """The unit price each token class is billed at; a class that can't be billed is absent."""
        priced = self.unit_prices
        found: dict[TokenClass, str] = {}
        for token_class in TokenClass:
            stand_ins = STAND_INS.get(token_class, ())
            if token_class is TokenClass.CACHE_WRITE_1H and TokenClass.CACHE_WRITE in priced:
                stand_ins = ()
            name = next((c for c in (token_class, *stand_ins) if c in priced), None)
            if name is not None:
                found[token_class] = name
        return found

    @cached_property
    def per_unit(self) -> Mapping[str, Decimal]:
        """Exact US dollars for one token, call, second … instead of a million."""
        return {name: price.scaleb(-6, EXACT) for name, price in self.unit_prices.items()}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON that ``from_json`` reads back equal; decimals are strings, never floats."""
        content: dict[str, Any] = {
            "provider": self.provider,
            "model": self.model,
            "service_tier": self.service_tier,
            "speed": self.speed,
            "region": self.region,
            "context_step": self.context_step,
            "hours": self.hours,
            "unit_prices": {name: plain(price) for name, price in self.unit_prices.items()},
            "factors": {name: plain(factor) for name, factor in self.factors.items()},
            "effective_from": _text(self.effective_from),
            "effective_to": _text(self.effective_to),
            "source": self.source,
            "source_url": self.source_url,
            "version": self.version,
            "verified_on": _text(self.verified_on),
            "confidence": self.confidence,
            "is_free": self.is_free,
            "is_list": self.is_list,
        }
        if self.agreed is not None:
            content["agreed"] = self.agreed.to_json()
        if self.companions:
            content["companions"] = [companion.to_json() for companion in self.companions]
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The price that wrote ``content``; its ``price_id`` is the same again."""
        agreed = content.get("agreed")
        verified_on = content["verified_on"]
        return cls(
            **{name: content[name] for name in _AS_IS},
            unit_prices={name: Decimal(text) for name, text in content["unit_prices"].items()},
            factors={name: Decimal(text) for name, text in content["factors"].items()},
            effective_from=_instant(content["effective_from"]),
            effective_to=_instant(content["effective_to"]),
            verified_on=date.fromisoformat(verified_on) if verified_on else None,
            agreed=ModelPrice.from_json(agreed) if agreed else None,
            companions=tuple(map(ModelPrice.from_json, content.get("companions", ()))),
        )


_AS_IS = (
    "provider",
    "model",
    "service_tier",
    "speed",
    "region",
    "context_step",
    "hours",
    "source",
    "source_url",
    "version",
    "confidence",
    "is_free",
    "is_list",
)


def _text(moment: date | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
