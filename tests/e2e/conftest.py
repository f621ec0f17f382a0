"""`llmlab up` as a real process, with a home of its own, for the tests that need a whole server."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

ROOT = Path(__file__).parents[2]
LLMLAB = Path(sys.executable).with_name("llmlab")


@dataclass(frozen=True)
class RunningServer:
    """A server that has said that it runs. ``url`` has no slash at its end."""

    process: subprocess.Popen[str]
    home: Path
    url: str
    welcome: str

    @property
    def sign_in_url(self) -> str:
        """The single-use link that signs a browser in."""
        found = re.search(r"http\S+/setup\?token=\S+", self.welcome)
        assert found, self.welcome
        return found[0]

    @property
    def api_key(self) -> str:
        """The first key, as the server wrote it for CLI and SDK."""
        return json.loads((self.home / "config.json").read_text())["api_key"]

    def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Call the API with the first key."""
        headers = {"Authorization": f"Bearer {self.api_key}"}
        return httpx2.request(method, self.url + path, headers=headers, timeout=20, **options)

    def stop(self, how: signal.Signals = signal.SIGINT) -> str:
        """Send a signal and wait for the end; returns what it printed on the way."""
        self.process.send_signal(how)
        rest, _ = self.process.communicate(timeout=60)
        return rest


StartServer = Callable[..., RunningServer]


@pytest.fixture(scope="session")
def built_dashboard() -> None:
    assert (ROOT / ".web/build/client/index.html").exists(), (
        "The dashboard isn't built: run `make build-frontend`, or the tests by `make test`."
    )


@pytest.fixture
def home() -> Iterator[Path]:
    """A new LLMLAB_HOME that vanishes with everything in it."""
    with fresh_home() as path:
        yield path


@pytest.fixture
def start_server(built_dashboard: None) -> Iterator[StartServer]:
    """Start servers (``start_server(home, **environment)``) that end with the test."""
    with ExitStack() as stack:
        yield lambda home, **environment: stack.enter_context(running(home, environment))


@pytest.fixture(scope="session")
def server(built_dashboard: None) -> Iterator[RunningServer]:
    """One server for all tests that only use it."""
    with fresh_home() as home, running(home) as started:
        yield started


@contextmanager
def fresh_home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="llmlab-e2e-") as folder:
        Path(folder).chmod(0o755)  # as root another user runs the database inside
        yield Path(folder)


@contextmanager
def running(home: Path, environment: Mapping[str, str] | None = None) -> Iterator[RunningServer]:
    """A server on a free port; whatever happens, it and its database end with the block."""
    port = free_port()
    process = launch(home, {"LLMLAB_PORT": str(port), **(environment or {})})
    try:
        yield RunningServer(process, home, f"http://127.0.0.1:{port}", read_welcome(process))
    finally:
        with process:
            process.terminate()


def launch(
    home: Path,
    environment: Mapping[str, str] | None = None,
    command: tuple[str, ...] = (str(LLMLAB), "up"),
) -> subprocess.Popen[str]:
    """`llmlab up` with nothing of ours in its environment but ``environment``."""
    inherited = {name: value for name, value in os.environ.items() if "LLMLAB" not in name}
    return subprocess.Popen(
        command,
        env={**inherited, "LLMLAB_HOME": str(home), **(environment or {})},
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_welcome(process: subprocess.Popen[str]) -> str:
    """What a server says until it runs."""
    assert process.stdout
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Ctrl-C"):
            return "".join(lines)
    raise AssertionError(f"The server ended with code {process.wait()}:\n{''.join(lines)}")


def open_websocket(server: RunningServer) -> ClientConnection:
    """The dashboard's websocket, as a browser on the same origin opens it."""
    address = server.url.replace("http", "ws", 1) + "/_event/?EIO=4&transport=websocket"
    return connect(address, origin=Origin(server.url))


def first_words(websocket: ClientConnection) -> dict[str, Any]:
    """What the server says to whoever connects."""
    return json.loads(str(websocket.recv(10)).removeprefix("0"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
