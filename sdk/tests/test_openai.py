from __future__ import annotations

import asyncio
import gc
from typing import Any, Iterator

import openai
import pytest

import llmlab
from sdk.tests import provider as answers
from sdk.tests.loopback import Answer, Loopback, Request

ASK: Any = {"model": "gpt-4o", "messages": [{"role": "user", "content": "What did we spend?"}]}
USAGE = {"input_tokens": 412, "output_tokens": 7, "cache_read_tokens": 128, "reasoning_tokens": 3}


@pytest.fixture(autouse=True)
def instrumented() -> None:
    llmlab.instrument()


def connect(url: str, **more: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0, **more)


@pytest.fixture
def client(provider: Loopback) -> Iterator[openai.OpenAI]:
    with connect(provider.url) as made:
        yield made


def make_async(provider: Loopback) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{provider.url}/v1", api_key="x", max_retries=0)


def only(events: list[Any]) -> Any:
    assert len(events) == 1, events
    return events[0]


def test_chat_is_one_event_with_everything_the_answer_says(client: Any, events: list[Any]) -> None:
    client.chat.completions.create(**ASK)
    event = only(events)
    assert event["usage"] == USAGE
    assert (event["provider"], event["model"]) == ("openai", "gpt-4o-2026-01-01")
    assert (event["request_model"], event["operation"]) == ("gpt-4o", "chat")
    assert (event["response_id"], event["finish_reason"]) == ("chatcmpl-1", "stop")
    assert event["latency_ms"] >= 0
    assert "status" not in event
    assert "stream" not in event


def test_prompt_and_answer_leave_no_trace(client: Any, events: list[Any]) -> None:
    client.chat.completions.create(**ASK)
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(**{**ASK, "model": "error-400"})
    assert "spen" not in str(events)


def test_feature_is_the_line_of_the_users_code_by_default(client: Any, events: list[Any]) -> None:
    client.chat.completions.create(**ASK)
    expected = "test_openai:test_feature_is_the_line_of_the_users_code_by_default"
    assert only(events)["feature"].endswith(expected)


def test_stream_is_one_event_and_hides_the_usage_that_we_asked_for(
    client: Any, events: list[Any], provider: Loopback
) -> None:
    chunks = list(client.chat.completions.create(**ASK, stream=True))
    assert provider.requests[0].json["stream_options"] == {"include_usage": True}
    assert all(chunk.choices for chunk in chunks)
    assert len(chunks) == len(answers.WORDS) + 2
    event = only(events)
    assert event["usage"] == USAGE
    assert event["stream"] is True
    assert event["finish_reason"] == "stop"
    assert 0 <= event["time_to_first_token_ms"] <= event["latency_ms"]


def test_stream_shows_the_usage_that_the_user_asked_for(client: Any, events: list[Any]) -> None:
    options = {"include_usage": True}
    chunks = list(client.chat.completions.create(**ASK, stream=True, stream_options=options))
    assert chunks[-1].usage.prompt_tokens == 412
    assert only(events)["usage"] == USAGE


def test_stream_helper_is_one_event(client: Any, events: list[Any]) -> None:
    with client.chat.completions.stream(**ASK) as stream:
        stream.until_done()
        assert stream.get_final_completion().choices[0].message.content == "".join(answers.WORDS)
    assert only(events)["usage"] == USAGE


def test_stream_left_early_is_an_estimate_that_may_be_billed(
    client: Any, events: list[Any]
) -> None:
    for _ in client.chat.completions.create(**ASK, stream=True):
        break
    gc.collect()
    event = only(events)
    assert event["usage_estimated"] is True
    assert event["charge"] == "probable"
    assert "usage" not in event


def test_stream_closed_early_is_told_at_once(client: Any, events: list[Any]) -> None:
    with client.chat.completions.create(**ASK, stream=True) as stream:
        next(iter(stream))
    assert only(events)["usage_estimated"] is True


def test_stream_never_read_is_still_an_event(client: Any, events: list[Any]) -> None:
    client.chat.completions.create(**ASK, stream=True).close()
    assert only(events)["usage_estimated"] is True


def test_host_that_refuses_stream_options_is_asked_again_without(events: list[Any]) -> None:
    def refusing(request: Request) -> Answer:
        if "stream_options" in request.json:
            return Answer({"error": {"message": "Unrecognized argument: stream_options"}}, 400)
        return answers.answer(request)

    provider = Loopback(refusing)
    with connect(provider.url) as client:
        assert len(list(client.chat.completions.create(**ASK, stream=True))) == 6
        assert len(list(client.chat.completions.create(**ASK, stream=True))) == 6
    provider.stop()
    assert ["stream_options" in request.json for request in provider.requests] == [
        True,
        False,
        False,
    ]
    assert [event.get("usage") for event in events] == [None, None]


def test_broken_stream_is_an_error_that_may_be_billed(events: list[Any]) -> None:
    def breaking(request: Request) -> Answer:
        pieces = answers.answer(request).body
        return Answer([*pieces[:2], b'data: {"error": {"message": "out of breath"}}\n\n'])

    provider = Loopback(breaking)
    with connect(provider.url) as client, pytest.raises(openai.APIError):
        list(client.chat.completions.create(**ASK, stream=True))
    provider.stop()
    event = only(events)
    assert (event["status"], event["charge"]) == ("error", "probable")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
def test_refused_call_is_an_unbilled_error(client: Any, events: list[Any], status: int) -> None:
    with pytest.raises(openai.APIStatusError):
        client.chat.completions.create(**{**ASK, "model": f"error-{status}"})
    event = only(events)
    assert (event["status"], event["charge"]) == ("error", "unbilled")
    assert event["error"].endswith(f"({status})")
    assert "usage" not in event


def test_failed_provider_may_bill(client: Any, events: list[Any]) -> None:
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(**{**ASK, "model": "error-500"})
    assert only(events)["charge"] == "probable"


def test_unreachable_provider_does_not_bill(events: list[Any]) -> None:
    with connect("http://127.0.0.1:9") as client, pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(**ASK)
    assert only(events)["charge"] == "unbilled"


def test_timeout_may_be_billed(events: list[Any]) -> None:
    import time

    provider = Loopback(lambda request: (time.sleep(0.5), answers.answer(request))[1])
    with connect(provider.url, timeout=0.05) as client, pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(**ASK)
    provider.stop()
    assert only(events)["charge"] == "probable"


def test_retried_call_is_one_event(events: list[Any]) -> None:
    failures = iter([Answer({}, 500, {"retry-after-ms": "1"})])
    provider = Loopback(lambda request: next(failures, None) or answers.answer(request))
    with openai.OpenAI(base_url=f"{provider.url}/v1", api_key="x", max_retries=2) as client:
        client.chat.completions.create(**ASK)
    provider.stop()
    assert len(provider.requests) == 2
    assert only(events)["usage"] == USAGE


def test_responses_are_events_streamed_or_not(client: Any, events: list[Any]) -> None:
    client.responses.create(model="gpt-4o", input="What did we spend?")
    list(client.responses.create(model="gpt-4o", input="What did we spend?", stream=True))
    with client.responses.stream(model="gpt-4o", input="What did we spend?") as stream:
        stream.until_done()
    assert [event["usage"] for event in events] == [USAGE] * 3
    assert [event.get("stream", False) for event in events] == [False, True, True]


def test_embeddings_are_events(client: Any, events: list[Any]) -> None:
    client.embeddings.create(model="text-embedding-3-small", input="x")
    event = only(events)
    assert event["operation"] == "embeddings"
    assert event["usage"] == {"input_tokens": 9, "output_tokens": 0}


def test_unbilled_requests_are_no_events(client: Any, events: list[Any]) -> None:
    client.models.list()
    assert events == []


def test_raw_response_is_an_event(client: Any, events: list[Any]) -> None:
    raw = client.chat.completions.with_raw_response.create(**ASK)
    assert raw.parse().usage.prompt_tokens == 412
    assert only(events)["usage"] == USAGE


def test_raw_stream_is_an_event(client: Any, events: list[Any]) -> None:
    options = {"include_usage": True}
    raw = client.chat.completions.with_raw_response.create(
        **ASK, stream=True, stream_options=options
    )
    list(raw.parse())
    assert only(events)["usage"] == USAGE


@pytest.mark.parametrize("read", ["parse", "json", "iter_lines", "iter_bytes", "read"])
def test_streaming_response_is_an_event_however_it_is_read(
    client: Any, events: list[Any], read: str
) -> None:
    with client.chat.completions.with_streaming_response.create(**ASK) as response:
        result = getattr(response, read)()
        if read.startswith("iter"):
            list(result)
    assert only(events)["usage"] == USAGE


def test_parsed_answer_that_breaks_its_schema_is_still_counted(
    client: Any, events: list[Any]
) -> None:
    from pydantic import BaseModel

    class Spend(BaseModel):
        dollars: int

    with pytest.raises(ValueError, match=r"dollars|JSON"):
        client.chat.completions.parse(**ASK, response_format=Spend)
    event = only(events)
    assert event["usage"] == USAGE
    assert "status" not in event


def test_async_calls_and_streams_are_events(provider: Loopback, events: list[Any]) -> None:
    async def work() -> int:
        async with make_async(provider) as client:
            await client.chat.completions.create(**ASK)
            stream = await client.chat.completions.create(**ASK, stream=True)
            return len([chunk async for chunk in stream])

    assert asyncio.run(work()) == 6
    assert [event["usage"] for event in events] == [USAGE, USAGE]
    assert "test_async_calls" in events[0]["feature"] or "work" in events[0]["feature"]


def test_async_stream_left_early_or_cancelled_is_an_event(
    provider: Loopback, events: list[Any]
) -> None:
    async def work() -> None:
        async with make_async(provider) as client:
            stream = await client.chat.completions.create(**ASK, stream=True)
            async for _ in stream:
                break
            await stream.close()

    asyncio.run(work())
    assert only(events)["usage_estimated"] is True


def test_cancelled_call_may_be_billed(events: list[Any]) -> None:
    import time

    provider = Loopback(lambda request: (time.sleep(0.3), answers.answer(request))[1])

    async def work() -> None:
        async with make_async(provider) as client:
            await asyncio.wait_for(client.chat.completions.create(**ASK), 0.05)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(work())
    provider.stop()
    event = only(events)
    assert (event["status"], event["error"]) == ("error", "CancelledError")
    assert event["charge"] == "probable"


def test_hundred_concurrent_tasks_are_hundred_events(provider: Loopback, events: list[Any]) -> None:
    async def work() -> None:
        async with make_async(provider) as client:
            await asyncio.gather(*[client.chat.completions.create(**ASK) for _ in range(100)])

    asyncio.run(work())
    assert len({event["id"] for event in events}) == 100


def test_azure_client_is_billed_by_azure(provider: Loopback, events: list[Any]) -> None:
    with openai.AzureOpenAI(
        azure_endpoint=provider.url, api_key="x", api_version="2024-10-21", max_retries=0
    ) as client:
        client.chat.completions.create(**ASK)
    event = only(events)
    assert (event["provider"], event["usage"]) == ("azure", USAGE)


def test_own_host_has_the_name_it_was_given(provider: Loopback, events: list[Any]) -> None:
    llmlab.instrument(hosts={f"127.0.0.1:{provider.port}": "ollama"})
    with connect(provider.url) as client:
        client.chat.completions.create(**ASK)
    assert only(events)["provider"] == "ollama"


def test_uninstrument_puts_every_method_back(client: Any, events: list[Any]) -> None:
    from openai._base_client import SyncAPIClient

    assert hasattr(SyncAPIClient.request, "__llmlab__")
    llmlab.uninstrument()
    assert not hasattr(SyncAPIClient.request, "__llmlab__")
    client.chat.completions.create(**ASK)
    assert events == []


def test_instrument_twice_counts_once(client: Any, events: list[Any]) -> None:
    llmlab.instrument()
    client.chat.completions.create(**ASK)
    assert len(events) == 1
