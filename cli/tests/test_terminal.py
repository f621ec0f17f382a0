"""What a person sees and types, on a real pseudo-terminal."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Callable

import pytest

if os.name != "posix":
    pytest.skip("Windows has no pseudo-terminals for this", allow_module_level=True)

from cli.tests.contract_server import KEY, SUMMARY, ContractServer, period, problem
from cli.tests.terminal import INTERRUPTED, Terminal

Start = Callable[..., Terminal]


@pytest.fixture
def start(home: Path) -> Start:
    def start(*arguments: str, columns: int = 80) -> Terminal:
        code = "from llmlab_cli.main import app; app(prog_name='llmlab')"
        return Terminal([sys.executable, "-c", code, *arguments], columns=columns)

    return start


@pytest.fixture
def newcomer(server: ContractServer, monkeypatch: pytest.MonkeyPatch) -> ContractServer:
    """A server that neither the environment nor a config file names."""
    monkeypatch.delenv("LLMLAB_SERVER")
    monkeypatch.delenv("LLMLAB_API_KEY")
    return server


def test_a_newcomer_is_led_from_nothing_to_the_dashboard(
    home: Path, newcomer: ContractServer, start: Start
):
    with start("init", "--server", newcomer.url) as terminal:
        terminal.expect("There is no API key for this server yet.")
        terminal.expect("API key (hidden):")
        terminal.type_hidden("llmlab_wrong")
        terminal.expect("does not accept the key")
        terminal.type_hidden(KEY)
        terminal.expect("The key llmlab_9Qd4… works")
        terminal.expect("from llmlab import instrument\n    instrument()")
        terminal.expect("Send a test event?")
        terminal.type("y")
        terminal.expect("Test event stored: $0.00035")
        terminal.expect(f"{newcomer.url}/setup?token=once")
        assert terminal.end() == 0
        assert KEY not in terminal.text
        assert "Traceback" not in terminal.text
    assert json.loads((home / "config.json").read_text())["api_key"] == KEY


def test_a_wrong_address_can_be_corrected(newcomer: ContractServer, start: Start):
    with start("init", "--server", "http://127.0.0.1:1") as terminal:
        terminal.expect("Cannot reach http://127.0.0.1:1: connection refused.")
        terminal.expect("Server address [http://127.0.0.1:1]:")
        terminal.type("")
        terminal.expect("Cannot reach http://127.0.0.1:1: connection refused.")
        terminal.type("nonsense")
        terminal.expect("is not a server address")
        terminal.type(newcomer.url)
        terminal.expect(f"LLMLab 0.1.0 answers at {newcomer.url}")


def test_declining_the_test_event_sends_none(newcomer: ContractServer, start: Start):
    with start("init", "--server", newcomer.url) as terminal:
        terminal.expect("API key (hidden):")
        terminal.type_hidden(KEY)
        terminal.expect("Send a test event?")
        terminal.type("n")
        assert terminal.end() == 0
    assert newcomer.sent("/api/events/track") == []


def test_an_existing_server_is_kept_when_the_answer_is_no(
    home: Path, newcomer: ContractServer, start: Start
):
    home.mkdir()
    old = {"server": "http://old.example:1"}
    (home / "config.json").write_text(json.dumps(old))
    with start("init", "--server", newcomer.url) as terminal:
        terminal.expect("API key (hidden):")
        terminal.type_hidden(KEY)
        terminal.expect("Replace it?")
        terminal.type("n")
        assert terminal.end() == 1
    assert json.loads((home / "config.json").read_text()) == old


def test_interrupting_a_question_changes_nothing(
    home: Path, newcomer: ContractServer, start: Start
):
    with start("init", "--server", newcomer.url) as terminal:
        terminal.expect("API key (hidden):")
        terminal.interrupt()
        assert terminal.end() == INTERRUPTED
        assert "Traceback" not in terminal.text
    assert not home.exists()


def test_watch_follows_the_server_waits_for_it_and_ends_cleanly(
    server: ContractServer, start: Start
):
    with start("status", "--watch") as terminal:
        terminal.expect("$12.34")
        today = period("99.01", 813, "2026-11-23", "10.02")
        server.answers["GET /api/costs/summary"] = (200, {**SUMMARY, "today": today})
        terminal.expect("$99.01")
        server.answers["GET /api/costs/summary"] = problem(503, "The database is away.")
        terminal.expect("The database is away. Trying again.")
        server.answers["GET /api/costs/summary"] = (200, SUMMARY)
        terminal.expect("$12.34")
        terminal.interrupt()
        assert terminal.end() == INTERRUPTED
        assert "Traceback" not in terminal.text
        hidden, shown = (terminal.raw.rindex(f"\x1b[?25{mode}") for mode in "lh")
        assert hidden < shown, "the cursor must be back"


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_status_never_runs_over_the_edge(server: ContractServer, start: Start, columns: int):
    with start("status", columns=columns) as terminal:
        assert terminal.end() == 0
        assert max(map(len, terminal.text.splitlines())) <= columns
        for figure in ("$12.34", "$1,234.56", "$310.20"):
            assert figure in terminal.text


def test_a_terminal_has_colour_unless_it_is_declined(
    server: ContractServer, start: Start, monkeypatch: pytest.MonkeyPatch
):
    with start("status") as terminal:
        terminal.end()
        assert "\x1b[36m" in terminal.raw
    monkeypatch.setenv("NO_COLOR", "1")
    with start("status") as terminal:
        terminal.end()
        assert "\x1b[36m" not in terminal.raw
