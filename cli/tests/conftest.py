from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from cli.tests.contract_server import ContractServer
from llmlab_cli.main import app


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An LLMLAB_HOME of this test's own, nothing of the machine's settings, an empty project."""
    for name in [*os.environ]:
        if name.startswith("LLMLAB_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    monkeypatch.setenv("LLMLAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ContractServer]:
    """A server that speaks the contract; address and key are in the environment."""
    server = ContractServer()
    monkeypatch.setenv("LLMLAB_SERVER", server.url)
    monkeypatch.setenv("LLMLAB_API_KEY", server.key)
    yield server
    server.close()


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``llmlab`` in this process, as a script would: no terminal."""

    def run(*arguments: str, stdin: str = "") -> Outcome:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as stop:
            app(list(arguments), prog_name="llmlab")
        captured = capsys.readouterr()
        return Outcome(int(stop.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def llmlab(home: Path) -> Callable[..., Any]:
    """Run ``llmlab`` as a process of its own."""
    command = [sys.executable, "-c", "from llmlab_cli.main import app; app(prog_name='llmlab')"]

    def llmlab(*arguments: str, **options: Any) -> Any:
        return subprocess.run(
            [*command, *arguments], capture_output=True, encoding="utf-8", timeout=60, **options
        )

    return llmlab
