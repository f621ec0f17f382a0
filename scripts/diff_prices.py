"""Compare our prices with other people's lists, and print what a person should look at.

    uv run python scripts/diff_prices.py --litellm FILE --models-dev FILE [--json]

Three lists vote: the installed ``genai-prices`` data, LiteLLM's map and models.dev's table. Where
two agree against us it is a proposal, anything else a disagreement. Nothing is changed: open the
provider's page, then close a row in ``data/prices`` and add one (docs/reference/prices.md).
"""

import argparse
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from llmlab_app.adapters.price_feed import bundled_price_feed  # noqa: E402
from llmlab_app.adapters.price_overlay import bundled_price_overlay  # noqa: E402
from llmlab_app.adapters.price_tables import litellm_table, models_dev_table  # noqa: E402
from llmlab_app.domain.money import plain  # noqa: E402
from llmlab_app.domain.price_vote import (  # noqa: E402
    Name,
    PriceDifference,
    PriceTable,
    Verdict,
    compare,
)
from llmlab_app.domain.pricing import ModelPrice, PriceBook  # noqa: E402


def differences(
    litellm: Path | None, models_dev: Path | None, now: datetime
) -> list[PriceDifference]:
    """What the lists say that we don't, of the models that we price at ``now``."""
    read: dict[str, PriceTable] = {}
    if litellm:
        read["litellm"] = litellm_table(litellm)
    if models_dev:
        read["models.dev"] = models_dev_table(models_dev)
    names = {name for table in read.values() for name in table}
    feed, overlay = bundled_price_feed(), bundled_price_overlay()
    ours = table_of(PriceBook([overlay, feed]), names, now)
    read = {
        source: {name: prices for name, prices in table.items() if name in ours}
        for source, table in read.items()
    }
    return compare(ours, {"genai-prices": table_of(PriceBook([feed]), ours, now), **read})


def table_of(book: PriceBook, names: Iterable[Name], now: datetime) -> PriceTable:
    """The prices of ``names`` in force at ``now``; a name without a price is absent."""
    found = ((name, book.price_at(provider=name[0], model=name[1], at=now)) for name in names)
    return {name: price.unit_prices for name, price in found if isinstance(price, ModelPrice)}


def as_json(each: PriceDifference) -> dict[str, object]:
    return {
        "verdict": each.verdict,
        "provider": each.provider,
        "model": each.model,
        "token_class": each.token_class,
        "ours": None if each.ours is None else plain(each.ours),
        "proposed": None if each.proposed is None else plain(each.proposed),
        "others": {source: plain(price) for source, price in each.others.items()},
    }


def line(each: PriceDifference) -> str:
    others = ", ".join(f"{source} {plain(price)}" for source, price in each.others.items())
    ours = "none" if each.ours is None else plain(each.ours)
    return f"{each.provider}/{each.model} {each.token_class}: ours {ours}; {others}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare our prices with other lists.")
    parser.add_argument("--litellm", type=Path, help="model_prices_and_context_window.json")
    parser.add_argument("--models-dev", type=Path, help="api.json of models.dev")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = differences(options.litellm, options.models_dev, datetime.now(UTC))
    if options.json:
        print(json.dumps([as_json(each) for each in found], indent=2))
        return
    for verdict in Verdict:
        held = [each for each in found if each.verdict is verdict]
        print(f"{verdict}s: {len(held)}", *map(line, held), sep="\n  ")


if __name__ == "__main__":
    main()
