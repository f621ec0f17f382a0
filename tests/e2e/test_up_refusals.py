"""What `llmlab up` refuses, before it starts anything: one line that says what to do."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer

from llmlab_app import server
from llmlab_app.settings import get_settings
from tests.e2e.conftest import RunningServer, free_port

Refusal = Callable[..., str]


@pytest.fixture
def refusal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], built_dashboard: None
) -> Iterator[Refusal]:
    """``refusal(home, **environment)``: what a server says that doesn't start.

    In this process: to start one to the point where it refuses takes seconds, and no fork is near.
    """

    def start(home: Path, **environment: str) -> str:
        for name in [name for name in os.environ if name.startswith("LLMLAB_")]:
            monkeypatch.delenv(name)
        for name, value in {"LLMLAB_HOME": str(home), **environment}.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()
        with pytest.raises(typer.Exit) as stopped:
            server.up()
        said = capsys.readouterr().err
        assert stopped.value.exit_code == 1
        assert said.startswith("✗ ")
        assert len(said.splitlines()) == 1
        return said

    before = signal.getsignal(signal.SIGTERM)
    yield start
    signal.signal(signal.SIGTERM, before)
    get_settings.cache_clear()


def test_a_second_server_of_the_same_home_is_refused(
    server: RunningServer, refusal: Refusal
) -> None:
    said = refusal(server.home, LLMLAB_PORT=str(free_port()))
    assert f"already runs at {server.url} (process {server.process.pid})" in said
    assert "LLMLAB_HOME" in said


def test_a_taken_port_is_refused(home: Path, refusal: Refusal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refusal(home, LLMLAB_PORT=str(port))
    assert f"Another program listens at 127.0.0.1:{port}" in said
    assert f"--port {port + 1}" in said
    assert not (home / "pg").exists()  # nothing was started for it


def test_an_address_of_another_machine_is_refused(home: Path, refusal: Refusal) -> None:
    password = home / "password"
    password.write_text("correct horse battery\n")
    said = refusal(
        home,
        LLMLAB_HOST="192.0.2.1",
        LLMLAB_OWNER_PASSWORD_FILE=str(password),
        LLMLAB_PUBLIC_URL="https://llmlab.example.com",
    )
    assert "can't listen at 192.0.2.1" in said


def test_a_bind_that_others_reach_needs_a_password(home: Path, refusal: Refusal) -> None:
    said = refusal(home, LLMLAB_HOST="0.0.0.0")
    assert "LLMLAB_OWNER_PASSWORD_FILE" in said
    assert list(home.iterdir()) == []


def test_a_home_that_cannot_be_written_is_refused(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "file").touch()
    said = refusal(tmp_path / "file/home")
    assert "Set LLMLAB_HOME" in said


def test_a_setting_that_makes_no_sense_is_named(home: Path, refusal: Refusal) -> None:
    assert "LLMLAB_PORT" in refusal(home, LLMLAB_PORT="http")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("not a url", "isn't a URL"),
        ("postgresql://nobody@127.0.0.1:1/none", "does not answer"),
    ],
)
def test_a_database_that_is_not_there_is_named(
    home: Path, refusal: Refusal, url: str, words: str
) -> None:
    assert words in refusal(home, LLMLAB_DATABASE_URL=url, LLMLAB_PORT=str(free_port()))
