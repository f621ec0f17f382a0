"""The pages about prices say what the code does."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from llmlab_app.adapters.price_feed import bundled_price_feed
from llmlab_app.adapters.price_overlay import bundled_price_overlay, load_overlay
from llmlab_app.domain.pricing import (
    CostBreakdown,
    ModelPrice,
    PriceBook,
    TokenClass,
    UnpricedReason,
    cost_of,
)
from llmlab_app.domain.usage import TokenUsage

DOCS = Path(__file__).parents[2] / "docs"
EXPLANATION = (DOCS / "explanation" / "how-a-cost-is-computed.md").read_text(encoding="utf-8")
REFERENCE = (DOCS / "reference" / "prices.md").read_text(encoding="utf-8")


def test_the_price_file_of_the_page_is_a_price_file(tmp_path: Path) -> None:
    example = re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL)[0]
    (tmp_path / "acme.yml").write_text(example)
    prices = load_overlay(tmp_path)
    at = datetime(2026, 4, 1, tzinfo=UTC)
    found = PriceBook([prices]).price_at(provider="acme", model="spark-latest", at=at)
    assert isinstance(found, ModelPrice)
    assert found.unit_prices["input"] == 3


def test_every_token_class_is_explained() -> None:
    assert [name for name in TokenClass if f"`{name}`" not in EXPLANATION] == []


def test_every_reason_for_having_no_price_is_explained() -> None:
    assert [reason for reason in UnpricedReason if f"| `{reason}` |" not in EXPLANATION] == []


def test_the_worked_example_is_right() -> None:
    book = PriceBook([bundled_price_overlay(), bundled_price_feed()])
    at = datetime(2026, 11, 1, tzinfo=UTC)
    price = book.price_at(provider="openai", model="gpt-4o-mini", at=at)
    assert isinstance(price, ModelPrice)
    usage = TokenUsage(input_tokens=1_450, cache_read_tokens=1_000, output_tokens=220)
    receipt = cost_of(usage, {}, price)
    assert isinstance(receipt, CostBreakdown)
    assert f"**{receipt.total.normalize():f}**" in EXPLANATION
    for line in receipt.lines:
        row = (line.token_class, f"{line.quantity:,}", line.unit_price_per_million)
        assert f"| {row[0]} | {row[1]} | {row[2]} | {line.cost.normalize():f} |" in EXPLANATION
    assert receipt.total == Decimal("0.0002745")
