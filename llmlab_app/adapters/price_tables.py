"""Other people's price lists, read from files: LiteLLM's map and models.dev's table.

They are read to be compared with ours, never to price a call: neither has a history.
"""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from llmlab_app.domain.price_vote import Name, PriceTable
from llmlab_app.domain.pricing import canonical_provider
from llmlab_app.domain.pricing.names import canonical_model

_MILLION = Decimal(1_000_000)
_LITELLM = {
    "input": "input_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "output": "output_cost_per_token",
}
_MODELS_DEV = ("input", "cache_read", "cache_write", "output")


def litellm_table(path: Path) -> PriceTable:
    """``model_prices_and_context_window.json``: dollars per token, by key.

    Raises:
        ValueError: it isn't such a file.
    """
    entries = _objects(_read(path))
    return _table(
        (entry.get("litellm_provider"), key, _per_million(entry)) for key, entry in entries
    )


def models_dev_table(path: Path) -> PriceTable:
    """``api.json`` of models.dev: dollars per million, by provider and model.

    Raises:
        ValueError: it isn't such a file.
    """
    return _table(
        (provider, model, _prices(entry.get("cost"), _MODELS_DEV))
        for provider, of_provider in _objects(_read(path))
        for model, entry in _objects(of_provider.get("models"))
    )


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)


def _objects(value: Any) -> list[tuple[str, dict[str, Any]]]:
    if not isinstance(value, dict):
        raise ValueError("not a price list: an object was expected")  # noqa: TRY004  # a file
    return [(str(key), each) for key, each in value.items() if isinstance(each, dict)]


def _table(
    entries: Iterable[tuple[Any, str, dict[str, Decimal]]],
) -> dict[Name, dict[str, Decimal]]:
    table: dict[Name, dict[str, Decimal]] = {}
    for provider, model, prices in entries:
        if isinstance(provider, str) and prices:
            biller = canonical_provider(provider)
            table.setdefault((biller, canonical_model(biller, model)), prices)
    return table


def _per_million(entry: Mapping[str, Any]) -> dict[str, Decimal]:
    found = ((name, _number(entry.get(field))) for name, field in _LITELLM.items())
    return {name: _trimmed(price * _MILLION) for name, price in found if price is not None}


def _prices(cost: Any, names: Iterable[str]) -> dict[str, Decimal]:
    if not isinstance(cost, dict):
        return {}
    found = ((name, _number(cost.get(name))) for name in names)
    return {name: _trimmed(price) for name, price in found if price is not None}


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def _trimmed(price: Decimal) -> Decimal:
    """Without the zeros that only say how it was written."""
    return price.normalize()
