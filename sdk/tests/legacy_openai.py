"""openai before 1.0; run by test_matrix.py in an environment that has it."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import openai
import pytest

import llmlab
from sdk.tests.loopback import Loopback

ASK: Any = {"model": "gpt-4o", "messages": [{"role": "user", "content": "What did we spend?"}]}
USAGE = {"input_tokens": 412, "output_tokens": 7, "cache_read_tokens": 128, "reasoning_tokens": 3}


@pytest.fixture(autouse=True)
def configured(provider: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai, "api_base", f"{provider.url}/v1")
    monkeypatch.setattr(openai, "api_key", "x")
    llmlab.instrument()


def test_chat_is_one_event(events: list[Any]) -> None:
    answer = openai.ChatCompletion.create(**ASK)
    assert answer["choices"][0]["message"]["content"] == "We spent ten dollars."
    (event,) = events
    assert event["usage"] == USAGE
    assert (event["provider"], event["model"]) == ("openai", "gpt-4o-2026-01-01")


def test_stream_is_one_event_without_usage(events: list[Any]) -> None:
    assert len(list(openai.ChatCompletion.create(**ASK, stream=True))) == 6
    (event,) = events
    assert event["stream"] is True
    assert "usage" not in event


def test_stream_left_early_is_an_estimate(events: list[Any]) -> None:
    for _ in openai.ChatCompletion.create(**ASK, stream=True):
        break
    gc.collect()
    (event,) = events
    assert event["usage_estimated"] is True


def test_async_chat_and_stream_are_events(events: list[Any]) -> None:
    async def work() -> int:
        await openai.ChatCompletion.acreate(**ASK)
        stream = await openai.ChatCompletion.acreate(**ASK, stream=True)
        return len([chunk async for chunk in stream])

    assert asyncio.run(work()) == 6
    assert events[0]["usage"] == USAGE
    assert len(events) == 2


def test_embedding_is_an_event(events: list[Any]) -> None:
    openai.Embedding.create(model="text-embedding-ada-002", input="x", encoding_format="float")
    (event,) = events
    assert (event["operation"], event["usage"]["input_tokens"]) == ("embeddings", 9)


def test_refused_call_is_an_unbilled_error(events: list[Any]) -> None:
    with pytest.raises(openai.error.OpenAIError):
        openai.ChatCompletion.create(**{**ASK, "model": "error-401"})
    (event,) = events
    assert (event["status"], event["charge"]) == ("error", "unbilled")


def test_uninstrument_puts_the_method_back(events: list[Any]) -> None:
    llmlab.uninstrument()
    openai.ChatCompletion.create(**ASK)
    assert events == []
