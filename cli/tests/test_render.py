from __future__ import annotations

from typing import Any, Callable

import pytest

from cli.tests.contract_server import ContractServer
from llmlab_cli import figures
from llmlab_cli.render import clean


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b]0;title\x07", "]0;title"),
        ("a\r\nb\tc\0", "abc"),
        ("\x9b31m", "31m"),
        ("user\u202etxt.exe", "usertxt.exe"),
        ("\u2066a\u2069\u200e\u200f\u061c", "a"),
        ("a\u2028b\u2029", "ab"),
        ("\ud800", ""),
        ("\U000e0041tag", "tag"),
        ("[red]x[/red] :smile:", "[red]x[/red] :smile:"),
        ("Zürich 日本語 😀 עברית", "Zürich 日本語 😀 עברית"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_text_from_outside_cannot_control_the_terminal(hostile: str, shown: str):
    assert clean(hostile) == shown


def test_unknown_money_is_words_and_never_zero():
    for write in (figures.total, figures.call_cost, figures.receipt_line, figures.unit_price):
        assert write(None) == "no price"


@pytest.mark.parametrize(
    ("dollars", "shown"),
    [("0", "$0.00"), ("0.004", "<$0.01"), ("0.005", "$0.01"), ("1234567.891", "$1,234,567.89")],
)
def test_a_total_has_cents_but_never_hides_money(dollars: str, shown: str):
    assert figures.total(dollars) == shown


def test_a_terminal_without_unicode_gets_the_nearest_ascii(
    server: ContractServer, llmlab: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    shown = llmlab("status")
    assert shown.returncode == 0
    assert "^ from $10.02" in shown.stdout
    assert "! 41 calls have no price." in shown.stdout
    assert (shown.stdout + shown.stderr).isascii()


def test_a_pipe_gets_no_filling_spaces(server: ContractServer, llmlab: Callable[..., Any]):
    for command in (["status"], ["price", "gpt-4o"], ["config", "list"]):
        printed = llmlab(*command)
        lines = printed.stdout.splitlines()
        assert lines == [line.rstrip() for line in lines]


def test_colour_is_for_terminals_only(server: ContractServer, llmlab: Callable[..., Any]):
    assert "\x1b" not in llmlab("status").stdout
