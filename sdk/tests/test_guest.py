"""The SDK is a guest: what it must not do to the program that invited it."""

from __future__ import annotations

import inspect
import logging
import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import openai
import pytest

import llmlab
from llmlab import LLMLabClient, _call
from sdk.tests.loopback import IngestServer, Loopback

ASK: Any = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}


def run(program: str, **environment: str) -> str:
    """What ``program`` prints, in a process of its own."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.strip()


def ask(provider: Loopback) -> str | None:
    with openai.OpenAI(base_url=f"{provider.url}/v1", api_key="x", max_retries=0) as client:
        return client.chat.completions.create(**ASK).choices[0].message.content


def test_public_names_are_these() -> None:
    assert sorted(llmlab.__all__) == [
        "AdditionalUsage",
        "LLMLabClient",
        "LLMLabTracker",
        "LLMLabWarning",
        "Stats",
        "Usage",
        "__version__",
        "context",
        "extract_usage",
        "instrument",
        "track_cost",
        "uninstrument",
    ]
    assert all(hasattr(llmlab, name) for name in llmlab.__all__)


def test_import_brings_nothing_heavy_along() -> None:
    heavy = "httpx httpx2 http.client ssl asyncio pydantic dataclasses decimal email openai"
    listed = f"[name for name in {heavy.split()} if name in sys.modules]"
    program = f"import sys, llmlab; llmlab.instrument(); print({listed})"
    assert run(program) == "[]"


def test_client_imported_after_instrument_is_watched(provider: Loopback) -> None:
    program = f"""
import llmlab
from llmlab.testing import capture
llmlab.instrument()
import openai, sys
client = openai.OpenAI(base_url="{provider.url}/v1", api_key="x")
with capture() as events:
    client.chat.completions.create(model="gpt-4o", messages=[])
print(len(events), openai.__spec__.loader.__class__.__name__)
"""
    assert run(program) == "1 SourceFileLoader"


def test_client_made_before_instrument_is_watched(provider: Loopback) -> None:
    with openai.OpenAI(base_url=f"{provider.url}/v1", api_key="x") as client:
        llmlab.instrument()
        with llmlab.testing.capture() as events:
            client.chat.completions.create(**ASK)
    assert len(events) == 1


def test_watched_methods_look_like_the_originals() -> None:
    from openai._base_client import AsyncAPIClient, SyncAPIClient

    before = [inspect.signature(kind.request) for kind in (SyncAPIClient, AsyncAPIClient)]
    llmlab.instrument()
    assert [inspect.signature(kind.request) for kind in (SyncAPIClient, AsyncAPIClient)] == before
    assert SyncAPIClient.request.__qualname__ == "SyncAPIClient.request"
    assert inspect.iscoroutinefunction(AsyncAPIClient.request)


@pytest.mark.parametrize("broken", ["extract_usage", "add_usage", "new_event", "report"])
def test_fault_of_ours_costs_the_event_and_not_the_call(
    provider: Loopback, events: list[Any], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of ours")

    llmlab.instrument()
    monkeypatch.setattr(_call, broken, fail)
    assert ask(provider) == "We spent ten dollars."
    assert events == []
    assert LLMLabClient().stats.dropped == {"internal_error": 1}


def test_unreachable_server_is_not_mentioned_to_anybody(
    provider: Loopback, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program = f"""
import llmlab, openai
llmlab.instrument()
client = openai.OpenAI(base_url="{provider.url}/v1", api_key="x")
print(client.chat.completions.create(model="gpt-4o", messages=[]).usage.total_tokens)
"""
    environment = {"LLMLAB_SERVER": "http://127.0.0.1:9", "LLMLAB_API_KEY": "llmlab_a_b"}
    assert run(program, LLMLAB_HOME=str(tmp_path), **environment) == "419"


def test_hosts_random_numbers_stay_its_own(server: IngestServer) -> None:
    random.seed(42)
    expected = [random.random() for _ in range(3)]
    random.seed(42)
    LLMLabClient().track_event("gpt-4", tokens=1)
    LLMLabClient().flush(5)
    assert [random.random() for _ in range(3)] == expected


def test_nothing_is_logged(server: IngestServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.before = lambda request: __import__("sdk.tests.loopback").tests.loopback.Answer({}, 500)
    LLMLabClient().track_event("gpt-4", tokens=1)
    LLMLabClient().flush(0.3)
    assert caplog.records == []


def test_thread_never_keeps_the_process_alive(server: IngestServer) -> None:
    LLMLabClient().track_event("gpt-4", tokens=1)
    LLMLabClient().flush(5)
    ours = [thread for thread in threading.enumerate() if thread.name == "llmlab-delivery"]
    assert ours
    assert all(thread.daemon for thread in ours)


def test_warning_is_no_exception_where_warnings_are_errors(events: list[Any]) -> None:
    @llmlab.track_cost
    def ask_unseen_and_strict() -> str:
        return "text"

    assert ask_unseen_and_strict() == "text"  # pytest makes every warning an error here


def test_scope_left_in_another_task_raises_nothing() -> None:
    import contextvars

    scope = llmlab.context(feature="x")
    contextvars.copy_context().run(scope.__enter__)
    scope.__exit__(None, None, None)
