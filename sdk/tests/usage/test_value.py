from __future__ import annotations

import copy
import pickle
from decimal import Decimal

import pytest

from llmlab._usage import AdditionalUsage, Usage, extract_usage, storable


def test_a_count_that_is_not_told_is_0() -> None:
    usage = Usage(input_tokens=3)
    assert (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens) == (3, 0, 0)
    assert (usage.service_tier, usage.reported_cost, dict(usage.units)) == (None, None, {})


def test_as_dict_names_input_output_and_what_is_not_0() -> None:
    usage = Usage(input_tokens=3, web_search_requests=1)
    assert usage.as_dict() == {"input_tokens": 3, "output_tokens": 0, "web_search_requests": 1}


def test_it_can_t_be_changed() -> None:
    usage = Usage(input_tokens=3)
    with pytest.raises(AttributeError):
        usage.input_tokens = 4
    with pytest.raises(AttributeError):
        del usage.input_tokens
    with pytest.raises(TypeError):
        usage.units["images"] = 1  # type: ignore[index]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(TypeError, match="prompt_tokens"):
        Usage(prompt_tokens=3)


def test_it_is_equal_by_what_it_says_and_not_by_where_it_came_from() -> None:
    body = {"usage": {"prompt_tokens": 3, "completion_tokens": 1}}
    assert extract_usage(body) == extract_usage([body]) == Usage(input_tokens=3, output_tokens=1)
    assert Usage(input_tokens=3) != Usage(input_tokens=4)
    assert Usage() != "Usage()"


def test_it_shows_only_what_it_says() -> None:
    usage = Usage(input_tokens=3, reported_cost=Decimal("0.1"))
    assert repr(usage) == "Usage(input_tokens=3, reported_cost=Decimal('0.1'))"


def test_it_can_be_read_by_key_like_the_event() -> None:
    more = AdditionalUsage(model="m", usage=Usage(output_tokens=2))
    assert Usage(additional_usage=(more,))["additional_usage"][0]["usage"]["output_tokens"] == 2
    with pytest.raises(KeyError):
        Usage()["_raw"]


def test_it_survives_copying_and_pickling() -> None:
    usage = Usage(input_tokens=3, units={"images": 1})
    assert copy.deepcopy(usage) == pickle.loads(pickle.dumps(usage)) == usage


def test_raw_usage_keeps_numbers_and_enum_names_but_no_text() -> None:
    usage = extract_usage(
        {
            "usage": {
                "prompt_tokens": 3,
                "completion_tokens": 1,
                "cost": 0.5,
                "is_byok": False,
                "ttl": "1h",
                "nothing": None,
                "broken": float("nan"),
                "details": {"tier": "on_demand", "note": "My secret prompt"},
                "parts": [{"modality": "TEXT", "tokens": 3}],
                "a key of words": 1,
            }
        }
    )
    assert usage is not None
    assert usage.raw_usage == {
        "prompt_tokens": 3,
        "completion_tokens": 1,
        "cost": 0.5,
        "is_byok": False,
        "ttl": "1h",
        "details": {"tier": "on_demand"},
        "parts": [{"modality": "TEXT", "tokens": 3}],
    }


def test_raw_usage_of_a_bare_count_holds_nothing_of_the_answer() -> None:
    usage = extract_usage({"response": "secret", "eval_count": 4, "model": "m"})
    assert usage is not None
    assert usage.raw_usage == {"completion_tokens": 4}


def test_raw_usage_is_at_most_4_kb() -> None:
    usage = extract_usage(
        {"usage": {"prompt_tokens": 1, **{f"detail_{i}": {"n": i} for i in range(500)}}}
    )
    assert usage is not None
    assert usage.raw_usage == {"prompt_tokens": 1}


def test_parts_are_cut_to_their_wholes_and_totals_stand() -> None:
    usage = Usage(
        input_tokens=10,
        cache_read_tokens=8,
        cache_write_tokens=5,
        cache_write_1h_tokens=4,
        cache_read_audio_tokens=9,
        input_audio_tokens=6,
        input_image_tokens=6,
        input_video_tokens=6,
        tool_use_input_tokens=11,
        output_tokens=10,
        reasoning_tokens=11,
        output_audio_tokens=4,
        output_image_tokens=9,
        model="m",
    )
    assert storable(usage) == Usage(
        input_tokens=10,
        cache_read_tokens=8,
        cache_write_tokens=2,
        cache_write_1h_tokens=2,
        cache_read_audio_tokens=6,
        input_audio_tokens=6,
        input_image_tokens=4,
        tool_use_input_tokens=10,
        output_tokens=10,
        reasoning_tokens=10,
        output_audio_tokens=4,
        output_image_tokens=6,
        model="m",
    )


def test_a_provider_s_contradiction_is_reported_as_it_stands_and_cut_when_stored() -> None:
    usage = extract_usage(
        {
            "usage": {
                "prompt_tokens": 43,
                "completion_tokens": 10,
                "total_tokens": 53,
                "completion_tokens_details": {"reasoning_tokens": 11},
            }
        }
    )
    assert usage is not None
    assert (usage.output_tokens, usage.reasoning_tokens) == (10, 11)
    assert storable(usage).reasoning_tokens == 10


def test_additional_usage_is_cut_too() -> None:
    more = AdditionalUsage(model=None, usage=Usage(output_tokens=1, reasoning_tokens=2))
    usage = storable(Usage(additional_usage=(more,)))
    assert usage.additional_usage[0].usage == Usage(output_tokens=1, reasoning_tokens=1)


def test_raw_usage_survives_the_cut() -> None:
    usage = extract_usage({"usage": {"prompt_tokens": 3, "completion_tokens": 1}})
    assert usage is not None
    assert storable(usage).raw_usage == {"prompt_tokens": 3, "completion_tokens": 1}
