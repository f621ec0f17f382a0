"""The objects of the real clients that are installed here."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

from llmlab._usage import Usage, UsageStream, extract_usage

try:
    import anthropic.types
    import openai.types
    import openai.types.chat
    import openai.types.responses
    from google.genai import types as genai
except ImportError as error:
    if os.environ.get("CI") and sys.version_info >= (3, 11):  # where all three can be installed
        raise
    pytest.skip(f"Not installed here: {error.name}.", allow_module_level=True)

CHAT: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o",
    "service_tier": "flex",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant"}}],
    "usage": {
        "prompt_tokens": 20,
        "completion_tokens": 5,
        "total_tokens": 25,
        "prompt_tokens_details": {"cached_tokens": 8},
        "completion_tokens_details": {"reasoning_tokens": 3},
    },
}


def test_openai_chat() -> None:
    answer = openai.types.chat.ChatCompletion.model_validate(CHAT)
    assert extract_usage(answer) == Usage(
        input_tokens=20,
        cache_read_tokens=8,
        output_tokens=5,
        reasoning_tokens=3,
        service_tier="flex",
        model="gpt-4o",
        response_id="chatcmpl-1",
        finish_reason="stop",
    )


def test_fields_that_openai_s_client_does_not_know() -> None:
    usage = {
        "prompt_tokens": 20,
        "completion_tokens": 5,
        "total_tokens": 25,
        "num_cached_tokens": 8,
    }
    answer = openai.types.chat.ChatCompletion.model_validate({**CHAT, "usage": usage})
    read = extract_usage(answer)
    assert read is not None
    assert read.cache_read_tokens == 8


def test_groq_s_chunk_through_openai_s_client() -> None:
    chunk = openai.types.chat.ChatCompletionChunk.model_validate(
        {
            "id": "c",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "llama",
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
            "x_groq": {"usage": {"prompt_tokens": 18, "completion_tokens": 73}},
        }
    )
    assert extract_usage([chunk]) == Usage(
        input_tokens=18,
        output_tokens=73,
        model="llama",
        response_id="c",
        finish_reason="stop",
    )


def test_openai_responses_events() -> None:
    response = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-5.6",
        "status": "completed",
        "output": [
            {
                "id": "ws_1",
                "type": "web_search_call",
                "status": "completed",
                "action": {"type": "search", "query": "…"},
            }
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 100,
            "input_tokens_details": {
                "cached_tokens": 10,
                "cache_write_tokens": 40,
                "cache_write_tokens_details": {"ttl_30m_tokens": 0, "ttl_12h_tokens": 40},
            },
            "output_tokens": 20,
            "output_tokens_details": {"reasoning_tokens": 7},
            "total_tokens": 120,
        },
    }
    event = openai.types.responses.ResponseCompletedEvent.model_validate(
        {"type": "response.completed", "sequence_number": 1, "response": response}
    )
    assert extract_usage([event]) == Usage(
        input_tokens=100,
        cache_read_tokens=10,
        cache_write_tokens=40,
        output_tokens=20,
        reasoning_tokens=7,
        web_search_requests=1,
        units={"cache_write_12h_tokens": 40},
        model="gpt-5.6",
        response_id="resp_1",
        finish_reason="completed",
    )


def test_openai_embeddings_and_images() -> None:
    embeddings = openai.types.CreateEmbeddingResponse.model_validate(
        {
            "object": "list",
            "model": "e",
            "data": [],
            "usage": {"prompt_tokens": 7, "total_tokens": 7},
        }
    )
    images = openai.types.ImagesResponse.model_validate(
        {
            "created": 1,
            "data": [{"b64_json": "…"}],
            "usage": {
                "input_tokens": 50,
                "input_tokens_details": {"image_tokens": 40, "text_tokens": 10},
                "output_tokens": 1056,
                "total_tokens": 1106,
            },
        }
    )
    assert extract_usage(embeddings) == Usage(input_tokens=7, model="e")
    assert extract_usage(images) == Usage(
        input_tokens=50, input_image_tokens=40, output_tokens=1056, output_image_tokens=1056
    )


MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {
        "input_tokens": 3,
        "cache_read_input_tokens": 50,
        "cache_creation_input_tokens": 12,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 12},
        "output_tokens": 1,
        "service_tier": "priority",
    },
}


def test_anthropic_message_and_its_stream() -> None:
    read = Usage(
        input_tokens=65,
        cache_read_tokens=50,
        cache_write_tokens=12,
        cache_write_1h_tokens=12,
        output_tokens=1,
        service_tier="priority",
        model="claude-sonnet-4-5",
        response_id="msg_1",
    )
    assert extract_usage(anthropic.types.Message.model_validate(MESSAGE)) == read
    stream = UsageStream()
    stream.add(
        anthropic.types.RawMessageStartEvent.model_validate(
            {"type": "message_start", "message": MESSAGE}
        )
    )
    assert stream.usage() == read
    stream.add(
        anthropic.types.RawMessageDeltaEvent.model_validate(
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": 9, "input_tokens": None},
            }
        )
    )
    usage = stream.usage()
    assert usage is not None
    assert (usage.input_tokens, usage.cache_write_1h_tokens) == (65, 12)
    assert (usage.output_tokens, usage.finish_reason) == (9, "end_turn")


def test_google_genai_answer_and_chunks() -> None:
    body = {
        "candidates": [{"finishReason": "STOP"}],
        "modelVersion": "gemini-2.5-flash",
        "responseId": "r",
        "usageMetadata": {
            "promptTokenCount": 30,
            "cachedContentTokenCount": 10,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 6,
            "toolUsePromptTokenCount": 4,
            "totalTokenCount": 45,
            "trafficType": "ON_DEMAND_FLEX",
            "promptTokensDetails": [
                {"modality": "AUDIO", "tokenCount": 7},
                {"modality": "DOCUMENT", "tokenCount": 8},
            ],
        },
    }
    answer = genai.GenerateContentResponse.model_validate(body)
    read = Usage(
        input_tokens=34,
        cache_read_tokens=10,
        input_audio_tokens=7,
        input_image_tokens=8,
        tool_use_input_tokens=4,
        output_tokens=11,
        reasoning_tokens=6,
        service_tier="flex",
        model="gemini-2.5-flash",
        response_id="r",
        finish_reason="STOP",
    )
    assert extract_usage(answer) == read
    assert extract_usage([answer, answer]) == read


def test_google_genai_embeddings() -> None:
    answer = genai.EmbedContentResponse.model_validate(
        {"embeddings": [{"values": [0.1], "statistics": {"token_count": 4.0, "truncated": False}}]}
    )
    assert extract_usage(answer) == Usage(input_tokens=4)
