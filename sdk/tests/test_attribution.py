from __future__ import annotations

import asyncio
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, AsyncIterator, Iterator

import openai
import pytest

import llmlab
from llmlab import LLMLabClient, LLMLabTracker, track_cost
from sdk.tests.loopback import Loopback

ASK: Any = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}
ANSWER = {
    "id": "chatcmpl-by-hand",
    "model": "gpt-4o",
    "usage": {"prompt_tokens": 10, "completion_tokens": 5},
}


@pytest.fixture
def client(provider: Loopback) -> Iterator[Any]:
    with openai.OpenAI(base_url=f"{provider.url}/v1", api_key="x", max_retries=0) as made:
        yield made


def text(client: Any) -> str:
    return client.chat.completions.create(**ASK).choices[0].message.content


# -- @track_cost


def test_decorated_function_that_returns_text_is_recorded(client: Any, events: list[Any]) -> None:
    @track_cost(provider="openai", model="gpt-4o", feature="chat", tags={"team": "search"})
    def ask() -> str:
        return text(client)

    assert ask() == "We spent ten dollars."
    (event,) = events
    assert event["usage"]["input_tokens"] == 412
    assert (event["feature"], event["tags"]) == ("chat", {"team": "search"})


def test_bare_decorator_names_the_function(client: Any, events: list[Any]) -> None:
    @track_cost
    def ask() -> str:
        return text(client)

    ask()
    assert events[0]["feature"].endswith("test_attribution:ask")


def test_only_calls_inside_are_recorded_without_instrument(client: Any, events: list[Any]) -> None:
    @track_cost
    def ask() -> str:
        return text(client)

    ask()
    text(client)
    assert len(events) == 1


def test_layers_count_a_call_once(client: Any, events: list[Any]) -> None:
    llmlab.instrument()

    @track_cost(feature="outer")
    def outer() -> Any:
        return inner()

    @track_cost(feature="inner")
    def inner() -> Any:
        response = client.chat.completions.create(**ASK)
        LLMLabClient().track(response)
        return response

    with LLMLabTracker() as tracker:
        outer()
    assert tracker.calls == 1
    assert [event["feature"] for event in events] == ["inner"]


def test_returned_usage_of_an_unknown_client_is_recorded(events: list[Any]) -> None:
    @track_cost(provider="mistral", feature="chat")
    def ask() -> Any:
        return ANSWER

    assert ask() is ANSWER
    (event,) = events
    assert event["usage"] == {"input_tokens": 10, "output_tokens": 5}
    assert (event["provider"], event["model"], event["feature"]) == ("mistral", "gpt-4o", "chat")


def test_function_without_any_usage_says_once_how_to_mend_it(events: list[Any]) -> None:
    @track_cost
    def ask_unseen() -> str:
        return "text of an unknown client"

    with pytest.warns(llmlab.LLMLabWarning, match="test_attribution:ask_unseen"):
        ask_unseen()
    ask_unseen()
    assert events == []
    assert LLMLabClient().stats.dropped == {"no_usage": 2}


def test_exceptions_pass_through_untouched(events: list[Any]) -> None:
    @track_cost
    def fail() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fail()
    assert events == []


def test_async_function_stays_one_and_is_recorded(provider: Loopback, events: list[Any]) -> None:
    @track_cost(feature="async")
    async def ask() -> str:
        async with openai.AsyncOpenAI(base_url=f"{provider.url}/v1", api_key="x") as client:
            return (await client.chat.completions.create(**ASK)).choices[0].message.content

    assert inspect.iscoroutinefunction(ask)
    assert asyncio.run(ask()) == "We spent ten dollars."
    assert [event["feature"] for event in events] == ["async"]


def test_coroutine_returned_by_a_plain_function_is_recorded(
    provider: Loopback, events: list[Any]
) -> None:
    async def work() -> None:
        async with openai.AsyncOpenAI(base_url=f"{provider.url}/v1", api_key="x") as client:
            ask = track_cost(feature="later")(lambda: client.chat.completions.create(**ASK))
            await ask()

    asyncio.run(work())
    assert [event["feature"] for event in events] == ["later"]


def test_generator_keeps_its_protocol_and_its_scope_to_itself(
    client: Any, events: list[Any]
) -> None:
    @track_cost(feature="inside")
    def talk() -> Iterator[Any]:
        heard = yield text(client)
        try:
            yield heard
        except LookupError as error:
            yield f"caught {error.args[0]}"
        return "done"

    llmlab.instrument()
    conversation: Any = talk()
    assert inspect.isgeneratorfunction(talk)
    assert next(conversation) == "We spent ten dollars."
    text(client)
    assert conversation.send("hello") == "hello"
    assert conversation.throw(LookupError("x")) == "caught x"
    with pytest.raises(StopIteration) as stop:
        next(conversation)
    assert stop.value.value == "done"
    assert [event["feature"].rpartition(":")[2] for event in events] == ["inside", "text"]


def test_generator_of_chunks_of_an_unknown_client_is_recorded(events: list[Any]) -> None:
    @track_cost(feature="chunks")
    def chunks() -> Iterator[Any]:
        yield {"model": "gpt-4o", "choices": [{"delta": {"content": "hi"}}]}
        yield {"model": "gpt-4o", "choices": [], "usage": ANSWER["usage"]}

    assert len(list(chunks())) == 2
    assert [event["usage"]["input_tokens"] for event in events] == [10]


def test_generator_closed_early_closes_its_inner_one(events: list[Any]) -> None:
    closed = []

    @track_cost
    def numbers() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    running: Any = numbers()
    next(running)
    running.close()
    assert closed == [True]


def test_async_generator_is_recorded(provider: Loopback, events: list[Any]) -> None:
    @track_cost(feature="stream")
    async def words() -> AsyncIterator[str]:
        async with openai.AsyncOpenAI(base_url=f"{provider.url}/v1", api_key="x") as client:
            async for chunk in await client.chat.completions.create(**ASK, stream=True):
                yield chunk.choices[0].delta.content or ""

    async def work() -> str:
        return "".join([word async for word in words()])

    assert inspect.isasyncgenfunction(words)
    assert asyncio.run(work()) == "We spent ten dollars."
    (event,) = events
    assert (event["feature"], event["usage"]["output_tokens"]) == ("stream", 7)


def test_methods_and_descriptors_can_be_decorated(client: Any, events: list[Any]) -> None:
    class Assistant:
        @track_cost
        def ask(self) -> str:
            return text(client)

        @staticmethod
        @track_cost
        def ask_statically() -> str:
            return text(client)

    Assistant().ask()
    Assistant.ask_statically()
    names = [event["feature"].rpartition(":")[2] for event in events]
    assert names == ["Assistant.ask", "Assistant.ask_statically"]


# -- LLMLabTracker


def test_tracker_sums_what_was_called_inside(client: Any, events: list[Any]) -> None:
    with LLMLabTracker(feature="nightly-report", user="u_42") as tracker:
        text(client)
        text(client)
    text(client)
    assert tracker.calls == 2
    assert tracker.usage.input_tokens == 824
    assert tracker.usage.cache_read_tokens == 256
    assert {(event["feature"], event["user"]) for event in events} == {("nightly-report", "u_42")}


def test_trackers_nest(client: Any, events: list[Any]) -> None:
    with LLMLabTracker(feature="outer", tags={"a": 1}) as outer:
        text(client)
        with LLMLabTracker(feature="inner", tags={"b": 2}) as inner:
            text(client)
    assert (outer.calls, inner.calls) == (2, 1)
    assert [event["feature"] for event in events] == ["outer", "inner"]
    assert events[1]["tags"] == {"a": "1", "b": "2"}


def test_tracker_reaches_threads_and_pools_started_inside(client: Any, events: list[Any]) -> None:
    with LLMLabTracker(feature="threads") as tracker:
        thread = threading.Thread(target=text, args=(client,))
        thread.start()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: text(client), range(8)))
        thread.join()
    assert tracker.calls == 9
    assert {event["feature"] for event in events} == {"threads"}


def test_pool_threads_do_not_keep_the_tracker(client: Any, events: list[Any]) -> None:
    llmlab.instrument()
    with ThreadPoolExecutor(1) as pool:
        with LLMLabTracker() as first:
            pool.submit(text, client).result()
        pool.submit(text, client).result()
        with LLMLabTracker() as second:
            pool.submit(text, client).result()
    assert (first.calls, second.calls, len(events)) == (1, 1, 3)


def test_tracker_reaches_tasks_and_executors(provider: Loopback, events: list[Any]) -> None:
    async def work() -> LLMLabTracker:
        async with openai.AsyncOpenAI(base_url=f"{provider.url}/v1", api_key="x") as client:
            async with LLMLabTracker(feature="tasks") as tracker:
                tasks = [asyncio.create_task(client.chat.completions.create(**ASK)) for _ in "abc"]
                await asyncio.gather(*tasks)
            await client.chat.completions.create(**ASK)
        return tracker

    assert asyncio.run(work()).calls == 3


def test_concurrent_tasks_do_not_see_each_others_scope(
    provider: Loopback, events: list[Any]
) -> None:
    async def work() -> list[int]:
        async with openai.AsyncOpenAI(base_url=f"{provider.url}/v1", api_key="x") as client:

            async def request(name: str, times: int) -> int:
                with LLMLabTracker(feature=name) as tracker:
                    for _ in range(times):
                        await client.chat.completions.create(**ASK)
                return tracker.calls

            return await asyncio.gather(request("a", 3), request("b", 2))

    assert asyncio.run(work()) == [3, 2]
    features = [event["feature"] for event in events]
    assert (features.count("a"), features.count("b")) == (3, 2)


def test_refused_calls_cost_nothing_and_unpriced_ones_are_unknown(
    client: Any, events: list[Any]
) -> None:
    with LLMLabTracker() as refused, pytest.raises(openai.RateLimitError):
        client.chat.completions.create(**{**ASK, "model": "error-429"})
    assert (refused.calls, refused.cost) == (1, 0)
    with LLMLabTracker() as unpriced:
        text(client)
    assert (unpriced.cost, unpriced.cost_source) == (None, "unpriced")


# -- context


def test_context_tags_what_happens_inside(client: Any, events: list[Any]) -> None:
    llmlab.instrument()
    user = llmlab.context(feature="search", user="u_1", session="s_1", tags={"team": "a"})
    with user, llmlab.context(tags={"tier": "free"}):
        text(client)
    text(client)
    assert events[0]["feature"] == "search"
    assert (events[0]["user"], events[0]["session"]) == ("u_1", "s_1")
    assert events[0]["tags"] == {"team": "a", "tier": "free"}
    assert "user" not in events[1]


def test_context_alone_records_nothing(client: Any, events: list[Any]) -> None:
    with llmlab.context(feature="search"):
        text(client)
    assert events == []


def test_names_with_control_characters_and_no_end_are_made_storable(
    client: Any, events: list[Any]
) -> None:
    llmlab.instrument()
    with llmlab.context(feature="a\x00b\ud800" + "c" * 500, tags={"k\n": "v\x7f", "empty": ""}):
        text(client)
    assert events[0]["feature"].startswith("abccc")
    assert len(events[0]["feature"]) == 200
    assert events[0]["tags"] == {"k": "v"}
