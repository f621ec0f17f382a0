"""The forms in which an answer may come: objects of many kinds, dicts, text, lists."""

from __future__ import annotations

import json
from collections import OrderedDict
from enum import Enum
from types import SimpleNamespace
from typing import Any, Iterator

import pytest

from llmlab._usage import Usage, extract_usage

ANSWER: dict[str, Any] = {
    "id": "chatcmpl-1",
    "model": "gpt-4o",
    "choices": [{"index": 0, "finish_reason": "stop"}],
    "usage": {
        "prompt_tokens": 20,
        "completion_tokens": 5,
        "total_tokens": 25,
        "prompt_tokens_details": {"cached_tokens": 8},
    },
}
READ = Usage(
    input_tokens=20,
    cache_read_tokens=8,
    output_tokens=5,
    model="gpt-4o",
    response_id="chatcmpl-1",
    finish_reason="stop",
)


class DictLikeObject(dict):  # type: ignore[type-arg]
    """Like the objects of openai 0.28: a dict whose keys are attributes too."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


class Slotted:
    """Keeps no ``__dict__``."""

    __slots__ = ("choices", "id", "model", "usage")

    def __init__(self, **parts: object) -> None:
        for name, value in parts.items():
            setattr(self, name, value)


class Properties:
    """Keeps its body to itself and offers properties, like Vertex AI's responses."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._body = body

    @property
    def usage(self) -> object:
        return self._body["usage"]

    @property
    def model(self) -> str:
        return str(self._body["model"])

    @property
    def id(self) -> str:
        return str(self._body["id"])

    @property
    def choices(self) -> object:
        return self._body["choices"]

    @property
    def headers(self) -> object:
        raise RuntimeError("not read yet")


class WithExtra:
    """Like a pydantic model that met fields it does not know."""

    def __init__(self, known: dict[str, Any], extra: dict[str, Any]) -> None:
        self.__dict__.update(known)
        object.__setattr__(self, "_extra", extra)

    @property
    def __pydantic_extra__(self) -> dict[str, Any]:
        return dict(self._extra)


def slotted(value: Any) -> Any:
    return Slotted(**{key: value[key] for key in ("id", "model", "choices", "usage")})


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(ANSWER, id="dict"),
        pytest.param(OrderedDict(ANSWER), id="ordered dict"),
        pytest.param(DictLikeObject(ANSWER), id="dict-like object of openai 0.28"),
        pytest.param(SimpleNamespace(**ANSWER), id="object around dicts"),
        pytest.param(
            json.loads(json.dumps(ANSWER), object_hook=lambda d: SimpleNamespace(**d)),
            id="objects all the way",
        ),
        pytest.param(slotted(ANSWER), id="slotted object"),
        pytest.param(Properties(ANSWER), id="object with properties"),
        pytest.param(WithExtra({"id": "chatcmpl-1"}, ANSWER), id="fields unknown to the model"),
        pytest.param(json.dumps(ANSWER), id="json text"),
        pytest.param("\ufeff \n" + json.dumps(ANSWER, indent=2), id="json text with a mark"),
        pytest.param(json.dumps(ANSWER).encode(), id="json bytes"),
        pytest.param([ANSWER], id="list of one"),
        pytest.param((ANSWER,), id="tuple of one"),
        pytest.param(f"data: {json.dumps(ANSWER)}\n\n", id="server-sent event"),
        pytest.param(f"data:{json.dumps(ANSWER)}", id="server-sent event without its end"),
    ],
)
def test_every_form_of_an_answer_is_read_alike(response: object) -> None:
    assert extract_usage(response) == READ


def test_data_over_several_lines_is_one_event() -> None:
    first, second = json.dumps(ANSWER).split(', "usage"')
    assert extract_usage(f'data: {first},\ndata: "usage"{second}\n\n') == READ


def test_lone_carriage_returns_end_lines_too() -> None:
    assert extract_usage(f"event: x\rdata: {json.dumps(ANSWER)}\r\r") == READ


def test_a_torn_array_tells_what_is_whole_in_it() -> None:
    whole = json.dumps([ANSWER, ANSWER], indent=2)
    assert extract_usage(whole[: len(whole) - 40]) == READ


def test_a_broken_line_among_json_lines_is_left_out() -> None:
    assert extract_usage(f'{{"model": "gp\n\n{json.dumps(ANSWER)}\n{{"done"') == READ


def test_a_slotted_usage_object_is_read() -> None:
    class SlottedUsage:
        __slots__ = ("completion_tokens", "prompt_tokens", "prompt_tokens_details", "total_tokens")

    usage = SlottedUsage()
    usage.prompt_tokens, usage.completion_tokens, usage.total_tokens = 20, 5, 25
    usage.prompt_tokens_details = {"cached_tokens": 8}
    assert extract_usage({**ANSWER, "usage": usage}) == READ


def test_an_iterator_is_not_consumed() -> None:
    def stream() -> Iterator[dict[str, Any]]:
        yield ANSWER

    chunks = stream()
    assert extract_usage(chunks) is None
    assert next(chunks) is ANSWER


def test_a_method_named_usage_is_not_called() -> None:
    class Result:
        output = "…"

        def usage(self) -> object:
            raise AssertionError("called")

    assert extract_usage(Result()) is None


def test_the_answer_is_left_as_it_was() -> None:
    events = [ANSWER, {**ANSWER, "usage": {**ANSWER["usage"], "completion_tokens": 6}}]
    before = json.dumps(events)
    assert extract_usage(events) is not None
    assert json.dumps(events) == before


class Modality(str, Enum):
    AUDIO = "AUDIO"


class TrafficType(Enum):
    FLEX = "ON_DEMAND_FLEX"


def test_enum_members_are_known_by_their_value() -> None:
    usage = SimpleNamespace(
        prompt_token_count=9,
        candidates_token_count=1,
        traffic_type=TrafficType.FLEX,
        prompt_tokens_details=[SimpleNamespace(modality=Modality.AUDIO, token_count=4)],
    )
    read = extract_usage(SimpleNamespace(usage_metadata=usage))
    assert read == Usage(input_tokens=9, input_audio_tokens=4, output_tokens=1, service_tier="flex")


@pytest.mark.parametrize(
    ("written", "count"),
    [
        (12, 12),
        (12.0, 12),
        ("12", 12),
        (2**31 - 1, 2**31 - 1),
        (2**31, 0),
        pytest.param(10**5000, 0, id="longer than str allows"),
        (-3, 0),
        (1.5, 0),
        (float("nan"), 0),
        (float("inf"), 0),
        (True, 0),
        ("twelve", 0),
        ("٣", 0),
        pytest.param("9" * 5000, 0, id="a long text of digits"),
        ([12], 0),
        (None, 0),
    ],
)
def test_only_whole_numbers_are_counts(written: object, count: int) -> None:
    usage = extract_usage({"usage": {"prompt_tokens": written, "completion_tokens": 1}})
    assert usage is not None
    assert usage.input_tokens == count


@pytest.mark.parametrize(
    "cost",
    [-1, 1e9, pytest.param(10**5000, id="huge"), "NaN", "1" * 50, "free", True, [1], float("nan")],
)
def test_only_plausible_dollars_are_a_reported_cost(cost: object) -> None:
    usage = extract_usage(
        {"usage": {"prompt_tokens": 1, "completion_tokens": 1, "cost": cost, "is_byok": False}}
    )
    assert usage is not None
    assert usage.reported_cost is None


def test_headers_may_be_pairs_of_bytes() -> None:
    headers = [(b"X-Amzn-Bedrock-Input-Token-Count", b"6")]
    assert extract_usage({"outputs": []}, headers=headers) == Usage(input_tokens=6)


def test_names_that_could_harm_a_terminal_or_a_table_are_dropped() -> None:
    usage = extract_usage({**ANSWER, "model": "gpt\x1b[31m", "id": "i" * 300})
    assert usage is not None
    assert (usage.model, usage.response_id) == (None, None)
