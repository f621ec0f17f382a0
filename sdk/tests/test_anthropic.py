from __future__ import annotations

import asyncio
from typing import Any, Iterator

import anthropic
import pytest

import llmlab
from sdk.tests.loopback import Loopback

ASK: Any = {
    "model": "claude-test-1",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "What did we spend?"}],
}
USAGE = {"input_tokens": 412, "output_tokens": 7, "cache_read_tokens": 128}


@pytest.fixture
def client(provider: Loopback) -> Iterator[anthropic.Anthropic]:
    llmlab.instrument()
    with anthropic.Anthropic(base_url=provider.url, api_key="x", max_retries=0) as made:
        yield made


def test_message_is_one_event_whose_input_includes_the_cache(
    client: Any, events: list[Any]
) -> None:
    client.messages.create(**ASK)
    (event,) = events
    assert event["usage"] == USAGE
    assert (event["provider"], event["model"]) == ("anthropic", "claude-test-1-20260101")
    assert (event["service_tier"], event["finish_reason"]) == ("default", "end_turn")


def test_beta_messages_are_events(client: Any, events: list[Any]) -> None:
    client.beta.messages.create(**ASK)
    assert [event["usage"] for event in events] == [USAGE]


def test_cumulative_stream_counts_are_not_added_up(client: Any, events: list[Any]) -> None:
    list(client.messages.create(**ASK, stream=True))
    with client.messages.stream(**ASK) as stream:
        assert stream.get_final_message().usage.output_tokens == 7
    assert [event["usage"] for event in events] == [USAGE, USAGE]
    assert all(event["finish_reason"] == "end_turn" for event in events)


def test_stream_left_early_still_knows_its_input(client: Any, events: list[Any]) -> None:
    with client.messages.stream(**ASK) as stream:
        next(iter(stream.text_stream))
    (event,) = events
    assert event["usage"]["input_tokens"] == 412
    assert event["usage_estimated"] is True
    assert event["charge"] == "probable"


def test_async_messages_and_streams_are_events(provider: Loopback, events: list[Any]) -> None:
    llmlab.instrument()

    async def work() -> None:
        async with anthropic.AsyncAnthropic(
            base_url=provider.url, api_key="x", max_retries=0
        ) as client:
            await client.messages.create(**ASK)
            async with client.messages.stream(**ASK) as stream:
                await stream.get_final_message()

    asyncio.run(work())
    assert [event["usage"] for event in events] == [USAGE, USAGE]


def test_counting_tokens_is_free_and_no_event(client: Any, events: list[Any]) -> None:
    client.messages.count_tokens(model=ASK["model"], messages=ASK["messages"])
    assert events == []


def test_overloaded_provider_may_bill_and_a_refused_key_does_not(
    client: Any, events: list[Any]
) -> None:
    for status in (529, 401):
        with pytest.raises(anthropic.APIStatusError):
            client.messages.create(**{**ASK, "model": f"error-{status}"})
    assert [event["charge"] for event in events] == ["probable", "unbilled"]
