from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator

import pytest
from jsonschema import Draft202012Validator

import llmlab
from llmlab._recorder import registry
from llmlab.testing import capture
from sdk.tests import provider as provider_answers
from sdk.tests.loopback import IngestServer, Loopback

SCHEMA = Path(__file__).parents[2] / "contracts" / "event.schema.json"
CONTRACT = Draft202012Validator(json.loads(SCHEMA.read_text()))
KEY = "llmlab_testkey1_" + "s" * 43


@pytest.fixture(autouse=True)
def own_home(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Every test has a home, an empty environment and a process that reports nowhere yet."""
    home = tmp_path / "home"
    monkeypatch.setenv("LLMLAB_HOME", str(home))
    for name in ("LLMLAB_SERVER", "LLMLAB_API_KEY", "LLMLAB_PROJECT", "LLMLAB_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    registry.forget()
    yield home
    llmlab.uninstrument()
    registry.forget()


@pytest.fixture
def provider() -> Iterator[Loopback]:
    server = Loopback(provider_answers.answer)
    yield server
    server.stop()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[IngestServer]:
    """A server that this process reports to."""
    ingest = IngestServer()
    monkeypatch.setenv("LLMLAB_SERVER", ingest.url)
    monkeypatch.setenv("LLMLAB_API_KEY", KEY)
    yield ingest
    ingest.stop()


@pytest.fixture
def events() -> Iterator[list[Any]]:
    """What this process records, each checked against the contract in the end."""
    with capture() as captured:
        yield captured
    for event in captured:
        CONTRACT.validate(json.loads(json.dumps(event)))
