"""The first tutorial does what it says: its code is run as it stands on the page."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from sdk.tests.loopback import Answer, Loopback, Request
from tests.e2e.conftest import LLMLAB, ROOT, RunningServer, fresh_home, running

PAGE = (ROOT / "docs" / "tutorial" / "first-dollar.md").read_text(encoding="utf-8")
TOKENS_IN, TOKENS_OUT = 13, 7


@pytest.fixture(scope="module")
def newcomer(built_dashboard: None) -> Iterator[RunningServer]:
    """A server that nobody has used yet."""
    with fresh_home() as home, running(home) as server:
        yield server


@pytest.fixture
def openai_url() -> Iterator[str]:
    """A provider on this machine that answers as OpenAI does."""
    provider = Loopback(_hello)
    yield f"{provider.url}/v1"
    provider.stop()


def _hello(request: Request) -> Answer:
    message = {"role": "assistant", "content": "Hello there, my good friend."}
    return Answer(
        {
            "id": "chatcmpl-first-dollar",
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {
                "prompt_tokens": TOKENS_IN,
                "completion_tokens": TOKENS_OUT,
                "total_tokens": TOKENS_IN + TOKENS_OUT,
            },
        }
    )


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def run(server: RunningServer, *command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        env={"PATH": os.environ["PATH"], "LLMLAB_HOME": str(server.home), **environment},
        cwd=server.home,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def spent(server: RunningServer) -> Decimal:
    report = json.loads(run(server, LLMLAB, "status", "--json"))
    return Decimal(report["summary"]["all_time"]["cost"])


def test_the_tutorial_leads_to_the_exact_dollar(newcomer: RunningServer, openai_url: str) -> None:
    program, without_a_key = blocks("python")
    assert program.startswith("\n".join(json.loads(_init(newcomer))["lines"]))
    printed = run(
        newcomer, sys.executable, "-c", program, OPENAI_BASE_URL=openai_url, OPENAI_API_KEY="test"
    )
    assert printed.endswith(f"{TOKENS_IN} tokens in, {TOKENS_OUT} out\n")
    delivered = newcomer.request("GET", "/api/costs/summary").json()["all_time"]["events"]
    assert delivered == 1, "the program ended before its call was delivered"
    cost = spent(newcomer)
    receipt = run(newcomer, LLMLAB, *_typed("price"))
    assert receipt.rstrip().endswith(f"${cost}")
    assert f"${cost}" in PAGE, "the page names the cost of its own example"
    assert "<$0.01" in run(newcomer, LLMLAB, *_typed("status"))
    run(newcomer, sys.executable, "-c", without_a_key)
    assert spent(newcomer) == 2 * cost


def _init(server: RunningServer) -> str:
    return run(server, LLMLAB, "init", "--yes", "--json")


def _typed(command: str) -> list[str]:
    """The arguments of ``llmlab COMMAND`` as the page types them."""
    shell = "".join(blocks("sh"))
    found = re.search(rf"\.venv/bin/llmlab ({command}.*)", shell)
    assert found, f"the page no longer types llmlab {command}"
    return found[1].split()
