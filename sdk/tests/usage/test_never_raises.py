from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmlab._usage import AdditionalUsage, Usage, UsageStream, extract_usage, storable
from llmlab._usage.gemini import PARTS
from llmlab._usage.openai import BESIDE_DETAILS, INPUT_DETAILS, OUTPUT_DETAILS
from llmlab._usage.usage import COUNTS

WORDS = st.sampled_from(
    [
        *("usage", "usageMetadata", "usage_metadata", "meta", "response", "message", "delta"),
        *("metadata", "x_groq", "choices", "candidates", "output", "type", "object", "data"),
        *("prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details"),
        *("input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details"),
        *("cache_creation", "iterations", "server_tool_use", "cache_read_input_tokens"),
        *("inputTokens", "outputTokens", "cacheDetails", "ttl", "billed_units", "tokens"),
        *("amazon-bedrock-invocationMetrics", "inputTokenCount", "event", "payload", "chunk"),
        *("bytes", "predictions", "embeddings", "statistics", "token_count", "results"),
        *("eval_count", "generation_token_count", "inputTextTokenCount", "custom_id", "body"),
        *("cost", "is_byok", "cost_details", "cost_in_usd_ticks", "service_tier", "serviceTier"),
        *("trafficType", "modality", "tokenCount", "groundingMetadata", "webSearchQueries"),
        *("id", "model", "finish_reason", "status", "incomplete_details", "svg_usage", "item"),
        *("ResponseMetadata", "HTTPHeaders", "citation_tokens", "seconds", "speed"),
        *PARTS,
        *INPUT_DETAILS,
        *OUTPUT_DETAILS,
        *BESIDE_DETAILS,
    ]
)
TYPES = st.sampled_from(
    [
        *("response.done", "response.completed", "message_start", "message_delta", "duration"),
        *("response.output_item.done", "web_search_call", "code_interpreter_call", "compaction"),
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**31)
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=8)
    | TYPES
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=6)
        | st.dictionaries(WORDS, inner, max_size=6).map(lambda parts: SimpleNamespace(**parts))
    ),
    max_leaves=30,
)


def assert_sound(usage: Usage) -> None:
    """What the server demands of a stored usage (contradictions are rejected)."""
    kept = storable(usage)
    assert storable(kept) == kept
    assert all(type(getattr(kept, name)) is int for name in COUNTS)
    assert all(getattr(kept, name) >= 0 for name in COUNTS)
    assert kept.cache_read_tokens + kept.cache_write_tokens <= kept.input_tokens
    assert kept.cache_write_1h_tokens <= kept.cache_write_tokens
    media = kept.input_audio_tokens + kept.input_image_tokens + kept.input_video_tokens
    assert max(media, kept.tool_use_input_tokens) <= kept.input_tokens
    assert kept.cache_read_audio_tokens <= min(kept.cache_read_tokens, kept.input_audio_tokens)
    assert kept.reasoning_tokens <= kept.output_tokens
    assert kept.output_audio_tokens + kept.output_image_tokens <= kept.output_tokens
    json.dumps([kept.as_dict(), dict(kept.units), kept.raw_usage], allow_nan=False)
    assert "Usage(" in repr(kept)
    for more in kept.additional_usage:
        assert isinstance(more, AdditionalUsage)
        assert_sound(more.usage)


@settings(max_examples=120, deadline=None)
@given(response=ANYTHING, headers=ANYTHING, provider=st.none() | st.text(max_size=8))
def test_anything_is_read_or_is_none(response: Any, headers: Any, provider: Any) -> None:
    usage = extract_usage(response, provider, None, headers)
    if usage is not None:
        assert_sound(usage)


@settings(max_examples=80, deadline=None)
@given(usage=st.dictionaries(WORDS, ANYTHING, max_size=10))
def test_any_usage_object_is_read_or_is_none(usage: dict[str, Any]) -> None:
    read = extract_usage({"usage": usage})
    if read is not None:
        assert_sound(read)


@settings(max_examples=50, deadline=None)
@given(events=st.lists(st.dictionaries(WORDS, ANYTHING, max_size=6), max_size=6))
def test_any_stream_is_read_or_is_none(events: list[Any]) -> None:
    usage = extract_usage(events)
    if usage is not None:
        assert_sound(usage)


@settings(max_examples=50, deadline=None)
@given(text=st.text() | st.binary(), body=ANYTHING)
def test_any_text_is_read_or_is_none(text: Any, body: Any) -> None:
    extract_usage(text)
    wire = json.dumps(body, default=str)
    for form in (wire, wire[: len(wire) // 2], f"data: {wire}\n\ndata: {wire[:-1]}\n\n"):
        extract_usage(form)
        extract_usage(form.encode())


class Hostile:
    """Raises on every attribute, and lies about its class."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class Endless:
    """Has every attribute, and each is another of its kind."""

    def __getattr__(self, name: str) -> Any:
        return Endless()


class HostileDict(dict):  # type: ignore[type-arg]
    """A dict that can't be read."""

    def get(self, *_: object) -> Any:
        raise KeyError

    def items(self) -> Any:
        raise ValueError

    def __contains__(self, _: object) -> bool:
        raise TypeError


def nested(depth: int) -> Any:
    body: Any = {"prompt_tokens": 1}
    for _ in range(depth):
        body = {"usage": body, "response": [body]}
    return body


HOSTILE: dict[str, Callable[[], Any]] = {
    "object that raises": Hostile,
    "object without end": Endless,
    "dict that can't be read": HostileDict,
    "usage that raises": lambda: {"usage": Hostile()},
    "usage without end": lambda: {"usage": Endless()},
    "usage that can't be read": lambda: {"usage": HostileDict(a=1)},
    "list of them": lambda: [Hostile(), HostileDict(), Endless()],
    "deep nesting": lambda: nested(5_000),
    "deep json list": lambda: "[" * 100_000,
    "deep json object": lambda: '{"usage":' * 100_000,
    "deep event": lambda: "data: " + "[" * 100_000 + "\n\n",
    "broken bytes": lambda: b"\xff\xfe\x00data: {}",
    "plain object": object,
    "exception": lambda: Exception("usage"),
    "class": lambda: int,
    "module": lambda: json,
    "function": lambda: nested,
    "range": lambda: range(3),
    "keys that are no text": lambda: {1: 2, None: 3, (): 4},
    "counts that raise": lambda: {"usage": {1: 2, None: 3, "total_tokens": Hostile()}},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_values_are_survived(kind: str) -> None:
    value = HOSTILE[kind]()
    assert extract_usage(value, headers=value) is None


def test_a_broken_event_does_not_spoil_its_stream() -> None:
    stream = UsageStream()
    for event in (
        Hostile(),
        {"usage": {"prompt_tokens": 3}},
        HostileDict(),
        {"chunk": {"bytes": "{"}},
    ):
        stream.add(event)
    usage = stream.usage(headers=Hostile())
    assert usage is not None
    assert usage.input_tokens == 3


def test_a_raising_attribute_hides_nothing_else() -> None:
    class Lazy:
        __slots__ = ()

        @property
        def service_tier(self) -> str:
            raise RuntimeError("no")

        @property
        def usage(self) -> object:
            return {"prompt_tokens": 3, "completion_tokens": 4}

    usage = extract_usage(Lazy())
    assert usage == Usage(input_tokens=3, output_tokens=4)
