"""One server per home: two would write the same configuration and print two addresses."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from llmlab_app.domain.errors import Conflict, Unavailable

_TAKE_OVER_SECONDS = 15.0  # how long the worker of a killed server may take to end


@contextmanager
def only_server_of(home: Path, url: str) -> Iterator[None]:
    """Hold ``home`` for the server at ``url``; the kernel lets go when its processes die.

    Raises:
        Conflict: another server has it.
        Unavailable: it can't be written.
    """
    path = home / "server.lock"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = path.open("a+")
    except OSError as error:
        raise Unavailable(
            f"LLMLab can't write to {home}: {error.strerror}. "
            "Set LLMLAB_HOME to a folder of your own.",
            code="home_unusable",
        ) from error
    with lock:
        _lock(lock.fileno(), path)
        lock.truncate(0)
        lock.write(f"{os.getpid()} {url}\n")
        lock.flush()
        yield


def _lock(lock: int, path: Path) -> None:
    give_up = time.monotonic() + _TAKE_OVER_SECONDS
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        pid, _, url = path.read_text().strip().partition(" ")
        if time.monotonic() > give_up or (pid and _is_alive(int(pid))):
            raise Conflict(
                f"LLMLab already runs at {url} (process {pid}). Use that one, stop it with "
                f"`kill {pid}`, or set LLMLAB_HOME to another folder for a second server.",
                code="already_running",
            )
        time.sleep(0.1)  # killed, and its worker has a few moments left


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
