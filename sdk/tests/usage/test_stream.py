from __future__ import annotations

from typing import Any

from llmlab._usage import Usage, UsageStream, extract_usage

ANTHROPIC: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "m", "model": "c", "usage": {"input_tokens": 9}}},
    {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "…"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
    {"type": "message_stop"},
]


def chat(*chunks: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": "x", "model": "m", **chunk} for chunk in chunks]


def test_usage_may_be_asked_at_any_time() -> None:
    stream = UsageStream()
    assert stream.usage() is None
    told = []
    for event in ANTHROPIC:
        stream.add(event)
        usage = stream.usage()
        assert usage is not None
        told.append((usage.input_tokens, usage.output_tokens, usage.finish_reason))
    assert told == [(9, 0, None), (9, 0, None), (9, 4, "end_turn"), (9, 4, "end_turn")]


def test_feeding_only_the_events_that_tell_something_is_enough() -> None:
    chunks = chat(
        {"choices": [{"delta": {"content": "a"}, "finish_reason": None}]},
        {"choices": [{"delta": {"content": "b"}, "finish_reason": None}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
    )
    sparse = UsageStream()
    for chunk in (chunks[0], *chunks[2:]):
        sparse.add(chunk)
    assert sparse.usage() == extract_usage(chunks)
    assert extract_usage(chunks) == Usage(
        input_tokens=3, output_tokens=2, model="m", response_id="x", finish_reason="stop"
    )


def test_the_finish_reason_may_come_before_the_last_choice() -> None:
    chunks = chat(
        {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]},
        {
            "choices": [{"delta": {"content": ""}, "finish_reason": None}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2},
        },
    )
    usage = extract_usage(chunks)
    assert usage is not None
    assert usage.finish_reason == "tool_calls"


def test_the_order_of_usage_events_does_not_matter_to_their_sum() -> None:
    backwards = extract_usage(list(reversed(ANTHROPIC)))
    assert backwards is not None
    assert (backwards.input_tokens, backwards.output_tokens) == (9, 4)


def test_a_user_s_metadata_is_not_usage() -> None:
    event = {"type": "response.created", "response": {"usage": None}, "metadata": {"usage": "9"}}
    assert extract_usage([event]) is None


def test_text_of_a_stream_is_not_kept() -> None:
    stream = UsageStream()
    stream.add({"type": "response.output_text.delta", "delta": "secret"})
    stream.add({"choices": [{"delta": {"content": "secret"}, "finish_reason": None}], "id": "x"})
    stream.add({"candidates": [{"content": {"parts": [{"text": "secret"}]}}]})
    stream.add({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "secret"}})
    assert "secret" not in repr(vars(stream))


def test_memory_does_not_grow_with_the_stream() -> None:
    stream = UsageStream()
    for index in range(1_000):
        stream.add(
            {
                "candidates": [{"content": {"parts": [{"text": "…"}]}}],
                "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": index},
            }
        )
    assert len(repr(vars(stream))) < 1_000
    usage = stream.usage()
    assert usage is not None
    assert usage.output_tokens == 999
