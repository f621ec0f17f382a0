from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Callable

import pytest

from cli.tests.conftest import Run
from cli.tests.contract_server import SETUP_LINK, ContractServer, problem

Llmlab = Callable[..., Any]


def test_an_admins_link_signs_in(server: ContractServer, run: Run):
    assert run("open", "--print").out == f"{server.url}/setup?token=once\n"
    assert json.loads(run("open", "--print", "--json").out) == {
        "url": f"{server.url}/setup?token=once",
        "signs_in": True,
        "expires_at": SETUP_LINK["expires_at"],
        "opened": False,
    }


def test_another_key_gets_the_plain_address(server: ContractServer, run: Run):
    server.answers["POST /api/setup-links"] = problem(403, "This key lacks the scope 'admin'.")
    printed = run("open", "--print")
    assert (printed.code, printed.out) == (0, f"{server.url}\n")
    assert "may ask you to" in printed.err


def test_without_a_key_no_server_is_asked(home: Path, run: Run):
    assert run("open", "--print").out == "http://127.0.0.1:8484\n"


@pytest.mark.skipif(os.name != "posix", reason="the stand-in browser is a shell script")
def test_the_browser_is_given_the_link(
    server: ContractServer, llmlab: Llmlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    browser, seen = tmp_path / "browser", tmp_path / "seen"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{seen}"\n', encoding="utf-8")
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    assert json.loads(llmlab("open", "--json").stdout)["opened"] is True
    assert seen.read_text(encoding="utf-8") == f"{server.url}/setup?token=once\n"
