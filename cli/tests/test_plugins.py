from __future__ import annotations

import sys
from importlib.metadata import EntryPoint

import pytest
import typer

from cli.tests.conftest import Run
from llmlab_cli import plugins


def greet(name: str, loud: bool = typer.Option(False, "--loud")) -> None:
    """Greet somebody."""
    typer.echo(f"hello {name}{'!' if loud else ''}")


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch):
    """Pretend that these entry points are installed."""

    def plug(**values: str) -> None:
        entries = tuple(EntryPoint(name, value, plugins.GROUP) for name, value in values.items())
        monkeypatch.setattr(plugins, "_entries", lambda: entries)
        plugins.plugged_commands.cache_clear()

    yield plug
    plugins.plugged_commands.cache_clear()


def test_a_plugged_command_takes_its_own_arguments(plugged, run: Run):
    plugged(greet=f"{__name__}:greet")
    assert run("greet", "Ada", "--loud").out == "hello Ada!\n"
    assert "Greet somebody." in run("greet", "--help").out
    assert run("greet").code == 2


def test_help_lists_a_plugged_command_without_importing_it(plugged, run: Run):
    plugged(later="antigravity:nothing", up="antigravity:nothing")
    shown = run("--help").out
    assert "later" in shown
    assert "Start the server and its dashboard" in shown
    assert "antigravity" not in sys.modules


def test_a_command_of_ours_cannot_be_replaced(plugged, run: Run):
    plugged(price=f"{__name__}:greet")
    assert "hello" not in run("price", "Ada", "--help").out


def test_up_without_the_server_says_how_to_install_it(plugged, run: Run):
    plugged()
    assert "needs" in next(line for line in run("--help").out.splitlines() if "│ up" in line)
    for arguments in (["up"], ["up", "--port", "9000"]):
        refused = run(*arguments)
        assert refused.code == 1
        assert "pipx install llmlab-server" in refused.err


def test_a_broken_plugin_is_named_and_stops_nothing_else(plugged, run: Run):
    plugged(up="no_such_module:up")
    refused = run("up")
    assert refused.code == 1
    assert "no_such_module" in refused.err
    assert "Install llmlab-server again" in refused.err
    assert run("--help").code == 0
