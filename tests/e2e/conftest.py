"""`llmlab up` as a real process, with a home of its own, for the tests that need a whole server."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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

    process: subprocess.Popen[bytes]
    home: Path
    url: str
    output: Path

    @property
    def log(self) -> str:
        """All that it has printed so far."""
        return self.output.read_text()

    @property
    def sign_in_url(self) -> str:
        """The single-use link that signs a browser in."""
        found = re.search(r"http\S+/setup\?token=\S+", self.log)
        assert found, self.log
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
        """Send a signal and wait for the end; returns all that it printed."""
        self.process.send_signal(how)
        self.process.wait(60)
        return self.log


StartServer = Callable[..., RunningServer]


@pytest.fixture(scope="session", autouse=True)
def hang_ups_count() -> None:
    """Undo a `nohup` around the tests: the servers they start would ignore SIGHUP as well."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


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
def running(
    home: Path,
    environment: Mapping[str, str] | None = None,
    command: Sequence[str | Path] = (LLMLAB, "up"),
    inherited: Mapping[str, str] | None = None,
) -> Iterator[RunningServer]:
    """A server on a free port; whatever happens, it and its database end with the block."""
    port = free_port()
    chosen = {"LLMLAB_PORT": str(port), **(environment or {})}
    with launched(home, chosen, command, inherited) as (process, output):
        wait_until_it_runs(process, output)
        yield RunningServer(process, home, f"http://127.0.0.1:{port}", output)


@contextmanager
def launched(
    home: Path,
    environment: Mapping[str, str] | None = None,
    command: Sequence[str | Path] = (LLMLAB, "up"),
    inherited: Mapping[str, str] | None = None,
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A started process and the file with its output, which nobody has to read on."""
    if inherited is None:
        inherited = {name: value for name, value in os.environ.items() if "LLMLAB" not in name}
    with (
        tempfile.NamedTemporaryFile(prefix="llmlab-output-") as output,
        subprocess.Popen(
            command,
            env={**inherited, "LLMLAB_HOME": str(home), **(environment or {})},
            cwd="/",
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            yield process, Path(output.name)
        finally:
            process.terminate()


def wait_until_it_runs(process: subprocess.Popen[bytes], output: Path) -> None:
    while "\nCtrl-C" not in output.read_text():
        assert process.poll() is None, f"It ended with {process.returncode}:\n{output.read_text()}"
        time.sleep(0.02)


def processes_of(home: Path) -> dict[int, str]:
    """Every live process that works for ``home``: servers, workers, PostgreSQL."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()  # empty for a corpse
            environment = (process / "environ").read_bytes()
        except OSError:
            continue
        if command and str(home).encode() in command + environment:
            found[int(process.name)] = command.replace(b"\0", b" ").decode()
    return found


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
