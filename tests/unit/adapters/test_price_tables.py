"""Other people's price lists, in the shapes that they are published in."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from llmlab_app.adapters.price_tables import litellm_table, models_dev_table
from llmlab_app.domain.price_vote import Verdict
from scripts.diff_prices import differences

LITELLM = """{
  "sample_spec": {"litellm_provider": "one of ...", "input_cost_per_token": "a number"},
  "gpt-4o-mini": {
    "litellm_provider": "openai", "input_cost_per_token": 1.5e-07,
    "cache_read_input_token_cost": 7.5e-08, "output_cost_per_token": 6e-07
  },
  "bedrock/anthropic.claude-x": {"litellm_provider": "bedrock", "input_cost_per_token": 3e-06},
  "no-provider": {"input_cost_per_token": 1}
}"""
MODELS_DEV = """{
  "openai": {"models": {
    "gpt-4o-mini": {"cost": {"input": 0.15, "output": 0.6, "cache_read": 0.08}}
  }},
  "nobody": {"models": {"x": {"name": "no cost"}}}
}"""


def written(folder: Path, text: str) -> Path:
    path = folder / "list.json"
    path.write_text(text)
    return path


def test_litellms_prices_are_a_million_times_theirs_exactly(tmp_path: Path) -> None:
    found = litellm_table(written(tmp_path, LITELLM))
    assert found[("openai", "gpt-4o-mini")] == {
        "input": Decimal("0.15"),
        "cache_read": Decimal("0.075"),
        "output": Decimal("0.6"),
    }
    assert ("aws.bedrock", "anthropic.claude-x") in found
    assert len(found) == 2


def test_models_devs_prices_are_read_as_the_decimals_that_are_written(tmp_path: Path) -> None:
    found = models_dev_table(written(tmp_path, MODELS_DEV))
    assert found == {
        ("openai", "gpt-4o-mini"): {
            "input": Decimal("0.15"),
            "output": Decimal("0.6"),
            "cache_read": Decimal("0.08"),
        }
    }


@pytest.mark.parametrize("text", ["[]", "1", '{"openai": {"models": []}}'])
def test_what_is_no_price_list_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="price list"):
        models_dev_table(written(tmp_path, text))


def test_our_book_is_compared_with_the_feed_and_both_lists(tmp_path: Path) -> None:
    wrong = json.loads(LITELLM)
    wrong["gpt-4o-mini"]["output_cost_per_token"] = 7e-07
    litellm, models_dev = tmp_path / "litellm.json", tmp_path / "models-dev.json"
    litellm.write_text(json.dumps(wrong))
    models_dev.write_text(MODELS_DEV.replace("0.6,", "0.7,"))
    found = differences(litellm, models_dev, datetime(2026, 11, 1, tzinfo=UTC))
    told = {(each.model, each.token_class): each for each in found}
    output = told[("gpt-4o-mini", "output")]
    assert (output.verdict, output.ours, output.proposed) == (
        Verdict.PROPOSAL,
        Decimal("0.6"),
        Decimal("0.7"),
    )
    assert ("gpt-4o-mini", "cache_read") not in told  # two of three say what we say
