"""The capability table that ships: complete, sourced, and priced by what we install."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from genai_prices.data import providers

from llmlab_app.adapters.capability_file import bundled_capability_table, load_capability_table
from llmlab_app.domain.pricing import ModelPrice
from llmlab_app.services.prices import current_price_book

FILE = Path(__file__).parents[3] / "data" / "capability" / "models.yml"
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_every_model_that_may_be_proposed_has_a_price() -> None:
    for provider, model in bundled_capability_table().facts:
        price = current_price_book().price_at(provider=provider, model=model, at=NOW)
        assert isinstance(price, ModelPrice), f"{provider}/{model}: {price}"
        assert price.model == model


def test_context_lengths_are_not_above_what_the_price_data_says() -> None:
    windows = {(p.id, m.id): m.context_window for p in providers for m in p.models}
    for key, facts in bundled_capability_table().facts.items():
        window = windows.get(key)
        assert window is None or facts.context_tokens <= window * 1.05, key


def test_every_successor_and_score_leads_to_a_model_with_facts_or_is_an_incumbent() -> None:
    table = bundled_capability_table()
    for replacement in table.replacements:
        assert (replacement.provider, replacement.by) in table.facts
        assert replacement.by not in replacement.models
    for scale in table.scales:
        for provider, scores in scale.scores.items():
            assert any((provider, model) in table.facts for model in scores)


def test_a_fact_without_a_source_is_refused(tmp_path: Path) -> None:
    content = yaml.safe_load(FILE.read_text())
    del content["sources"]["openai-deprecations"]
    broken = tmp_path / "models.yml"
    broken.write_text(yaml.safe_dump(content))
    with pytest.raises(ValueError, match="openai-deprecations"):
        load_capability_table(broken)
