"""What each failure says, and the exit code it ends with."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import Any, Callable

import pytest

from cli.tests.conftest import Run
from cli.tests.contract_server import KEY, ContractServer, problem

Llmlab = Callable[..., Any]


def test_no_server_ends_with_three_and_says_how_to_start_one(
    run: Run, monkeypatch: pytest.MonkeyPatch
):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        monkeypatch.setenv("LLMLAB_SERVER", address)
        refused = run("status")
    assert (refused.code, refused.out) == (3, "")
    assert f"Cannot reach {address}: connection refused." in refused.err
    assert "llmlab up" in refused.err


def test_a_remote_server_is_not_started_by_up(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LLMLAB_SERVER", "http://llmlab.invalid")
    refused = run("status")
    assert refused.code == 3
    assert "llmlab up" not in refused.err
    assert "llmlab config set server" in refused.err


def test_a_proxy_is_not_asked_for_this_machine(
    server: ContractServer, run: Run, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert run("status").code == 0


def test_a_busy_database_ends_with_three(server: ContractServer, run: Run):
    server.answers["GET /api/costs/summary"] = problem(503, "The database is away.")
    refused = run("status")
    assert refused.code == 3
    assert "The database is away." in refused.err


def test_a_missing_key_ends_with_four(
    server: ContractServer, run: Run, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("LLMLAB_API_KEY")
    refused = run("status")
    assert (refused.code, refused.out) == (4, "")
    assert "llmlab init" in refused.err


def test_a_wrong_key_ends_with_four_and_is_not_repeated(
    server: ContractServer, run: Run, monkeypatch: pytest.MonkeyPatch
):
    wrong = KEY[:-1] + "0"
    monkeypatch.setenv("LLMLAB_API_KEY", wrong)
    refused = run("status")
    assert refused.code == 4
    assert "llmlab_9Qd4…" in refused.err
    assert "LLMLAB_API_KEY" in refused.err
    assert wrong not in refused.err


def test_a_missing_scope_says_what_the_server_said(server: ContractServer, run: Run):
    server.answers["GET /api/costs/summary"] = problem(403, "This key lacks the scope 'read'.")
    refused = run("status")
    assert refused.code == 1
    assert "lacks the scope 'read'" in refused.err


def test_a_refused_question_ends_with_two_and_names_the_field(server: ContractServer, run: Run):
    field = {"pointer": "/group_by/0", "code": "invalid", "detail": "no such dimension"}
    server.answers["GET /api/costs"] = problem(422, "Can't group by that.", errors=[field])
    refused = run("status", "--by", "colour")
    assert refused.code == 2
    assert "Can't group by that. /group_by/0: no such dimension" in refused.err


@pytest.mark.parametrize("answer", ["<html>", ["not", "a", "summary"], {}, None])
def test_another_programs_answer_is_recognised(server: ContractServer, run: Run, answer: Any):
    server.answers["GET /api/costs/summary"] = (200, answer)
    refused = run("status")
    assert (refused.code, refused.out) == (1, "")
    assert "not as LLMLab does" in refused.err


def test_a_redirect_is_not_followed_with_the_key(server: ContractServer, run: Run):
    server.answers["GET /api/costs/summary"] = (302, "")
    assert "not as LLMLab does" in run("status").err


def test_a_servers_words_cannot_move_the_cursor(server: ContractServer, run: Run):
    server.answers["GET /api/costs/summary"] = problem(409, "bad\x1b[2J [red]news[/red]")
    assert "bad[2J [red]news[/red]" in run("status").err


def test_an_unforeseen_error_is_one_sentence_unless_debug_is_on(
    server: ContractServer, llmlab: Llmlab
):
    server.answers["GET /api/costs/summary"] = (200, {"today": "surprise"})
    plain = llmlab("status")
    assert plain.returncode == 1
    assert "Traceback" not in plain.stderr
    debug = llmlab("--debug", "status")
    assert debug.returncode == 1
    assert "Traceback" in debug.stderr
    assert KEY not in plain.stderr + debug.stderr


def test_an_unknown_command_ends_with_two(run: Run):
    assert run("stauts").code == 2


@pytest.mark.skipif(os.name != "posix", reason="pipes are closed differently on Windows")
def test_a_reader_that_leaves_early_causes_no_traceback(server: ContractServer):
    command = f'"{sys.executable}" -c "from llmlab_cli.main import app; app()" status --json | true'
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert ended.stderr == ""
