"""The terminal answers at once: what is imported, and what help there is."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, Iterator

import pytest
from typer.main import get_command

from cli.tests.conftest import Run
from llmlab_cli.main import app

PROBE = """
import sys
from llmlab_cli.main import app
try:
    app({arguments}, prog_name="llmlab")
finally:
    heavy = {{"httpx", "httpx2", "llmlab", "llmlab_app"}} & set(sys.modules)
    print("imported:", sorted(heavy), file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["config", "list"], []])
def test_neither_http_nor_the_server_is_imported_for(arguments: list, home: Any):
    code = PROBE.format(arguments=arguments)
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=60
    )
    assert (ended.returncode, "imported: []" in ended.stderr) == (0, True), ended.stderr


def test_version_is_that_of_the_distribution(run: Run):
    from importlib.metadata import version

    assert run("--version").out == f"llmlab-cli {version('llmlab-cli')}\n"


def test_no_command_shows_the_help(run: Run):
    shown = run()
    assert shown.code == 0
    assert "llmlab init" in shown.out
    assert shown.out == run("-h").out


def own_commands(command: Any = None, path: tuple = ()) -> Iterator[tuple]:
    """Every command of ours with its path (``("config", "set")``)."""
    command = command or get_command(app)
    children = getattr(command, "commands", {})
    if not children:
        yield path, command
    for name, child in children.items():
        yield from own_commands(child, (*path, name))


@pytest.mark.parametrize(("path", "command"), [*own_commands()])
def test_every_command_has_json_an_example_and_helped_options(path: tuple, command: Any):
    assert command.help
    assert command.epilog.startswith(f"Example: llmlab {' '.join(path)}")
    assert any("--json" in option.opts for option in command.params)
    assert all(option.help for option in command.params if option.name != "help")


def test_help_fits_eighty_columns(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    for path, _ in own_commands():
        shown = run(*path, "--help").out
        assert max(map(len, shown.splitlines())) <= 80
