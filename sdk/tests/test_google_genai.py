from __future__ import annotations

import asyncio
from typing import Any, Iterator

import pytest

import llmlab
from sdk.tests.loopback import Loopback

genai = pytest.importorskip("google.genai", reason="no google-genai for this Python")
USAGE = {"input_tokens": 412, "output_tokens": 7, "cache_read_tokens": 128, "reasoning_tokens": 3}


@pytest.fixture
def client(provider: Loopback) -> Iterator[Any]:
    llmlab.instrument()
    made = genai.Client(api_key="x", http_options={"base_url": provider.url})
    yield made
    if hasattr(made, "close"):
        made.close()


def test_content_is_one_event_with_thoughts_in_its_output(client: Any, events: list[Any]) -> None:
    client.models.generate_content(model="gemini-2.5-flash", contents="What did we spend?")
    (event,) = events
    assert event["usage"] == USAGE
    assert (event["provider"], event["model"]) == ("google", "gemini-2.5-flash-001")
    assert event["request_model"] == "gemini-2.5-flash"
    assert event["finish_reason"] == "STOP"


def test_stream_takes_the_last_value_of_every_key(client: Any, events: list[Any]) -> None:
    """The last chunk no longer names the cached tokens that the first one did."""
    chunks = list(client.models.generate_content_stream(model="gemini-2.5-flash", contents="x"))
    assert len(chunks) == 5
    (event,) = events
    assert event["usage"] == USAGE
    assert event["stream"] is True


def test_stream_left_early_still_knows_its_input(client: Any, events: list[Any]) -> None:
    for _ in client.models.generate_content_stream(model="gemini-2.5-flash", contents="x"):
        break
    (event,) = events
    assert event["usage"]["input_tokens"] == 412
    assert event["usage_estimated"] is True


def test_chat_is_an_event_for_every_message(client: Any, events: list[Any]) -> None:
    chat = client.chats.create(model="gemini-2.5-flash")
    chat.send_message("x")
    chat.send_message("y")
    assert [event["usage"] for event in events] == [USAGE, USAGE]


def test_async_content_and_streams_are_events(client: Any, events: list[Any]) -> None:
    async def work() -> int:
        await client.aio.models.generate_content(model="gemini-2.5-flash", contents="x")
        stream = await client.aio.models.generate_content_stream(
            model="gemini-2.5-flash", contents="x"
        )
        chunks = len([chunk async for chunk in stream])
        await client.aio.aclose()
        return chunks

    assert asyncio.run(work()) == 5
    assert [event["usage"] for event in events] == [USAGE, USAGE]


def test_refused_call_is_an_unbilled_error(client: Any, events: list[Any]) -> None:
    with pytest.raises(genai.errors.ClientError):
        client.models.generate_content(model="error-403", contents="x")
    (event,) = events
    assert (event["status"], event["charge"]) == ("error", "unbilled")
