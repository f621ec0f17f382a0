"""Usage frames of calls that a test spells out, and price books of a few made-up models."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pandas as pd

from llmlab_app.domain.money import to_pico
from llmlab_app.domain.pricing import (
    Alias,
    PriceBook,
    PriceFactor,
    PriceFee,
    PriceRow,
    Source,
    Step,
)
from llmlab_app.domain.usage import NO_USAGE, TokenUsage
from recommender.features import usage_frame

PROJECT = UUID(int=1)
NOON = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)


def call(usage: TokenUsage = NO_USAGE, **columns: Any) -> dict[str, Any]:
    """One row of a usage frame: a gpt-a call of the feature ``f`` at noon that cost $1."""
    defaults: dict[str, Any] = {
        "project_id": str(PROJECT),
        "provider": "p",
        "model": "gpt-a",
        "operation": "chat",
        "feature": "f",
        "service_tier": "default",
        "region": "",
        "speed": "",
        "occurred_at": NOON,
        "cost": to_pico(Decimal(1)),
        "is_repriceable": True,
        "failed": False,
    }
    row = defaults | asdict(usage) | columns
    return row | {"occurred_at": int(row["occurred_at"].timestamp() * 1000)}


def frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The usage frame of ``rows``."""
    return usage_frame({name: [row[name] for row in rows] for name in rows[0]})


class Layer:
    """Prices by model, at one provider ``p``."""

    version = "test"

    def __init__(self, rows: Mapping[str, Sequence[PriceRow]]) -> None:
        self._rows = rows

    def rows_for(self, provider: str, model: str) -> Sequence[PriceRow]:
        return self._rows.get(model, ()) if provider == "p" else ()

    def factors_for(self, provider: str, model: str) -> Sequence[PriceFactor]:
        return ()

    def fees_for(self, provider: str, model: str) -> Sequence[PriceFee]:
        return ()

    def aliases_for(self, provider: str, model: str) -> Sequence[Alias]:
        return ()


def row(model: str, *steps: Step, **fields: Any) -> PriceRow:
    """A price of ``model``, with any number of context steps."""
    return PriceRow(provider="p", model=model, steps=steps, source=Source(text="a page"), **fields)


def step(above: int = 0, **unit_prices: str) -> Step:
    """Unit prices in dollars per million, for calls of more than ``above`` input tokens."""
    return Step(above, {name: Decimal(price) for name, price in unit_prices.items()})


def book(*rows: PriceRow) -> PriceBook:
    """A price book of these rows."""
    by_model: dict[str, list[PriceRow]] = {}
    for each in rows:
        by_model.setdefault(each.model, []).append(each)
    return PriceBook([Layer(by_model)])
