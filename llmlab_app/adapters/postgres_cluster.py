"""Making the embedded PostgreSQL's data: once, whole, and behind a password."""

import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

from llmlab_app.adapters.postgres_place import MAJOR_VERSION, Place, reachable_binaries
from llmlab_app.domain.errors import Unavailable

ROLE = "llmlab"
# None of the caller's PG* variables, and messages in English: we read some of them.
ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}


def make_cluster(place: Place) -> None:
    """Make ``data`` if there is none; a half-made one never gets that name."""
    if place.data.exists():
        _check_version(place)
        return
    unfinished = place.folder / "data.unfinished"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(mode=0o700)
    os.chown(unfinished, place.account.uid, place.account.gid)
    with tempfile.NamedTemporaryFile("w", dir=place.socket) as password_file:
        password_file.write(password(place))
        password_file.flush()
        os.chown(password_file.name, place.account.uid, place.account.gid)
        _run_initdb(place, unfinished, password_file.name)
    unfinished.rename(place.data)


def _run_initdb(place: Place, directory: Path, password_file: str) -> None:
    # The builtin provider sorts by code point on every system and version of it; macOS has no
    # C.UTF-8 of its own.
    done = subprocess.run(
        [
            *(str(reachable_binaries(place) / "initdb"), "-D", str(directory), "-U", ROLE),
            *("--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        env=ENVIRONMENT,
        **place.account.run_options(),
    )
    if done.returncode:
        raise Unavailable(
            f"PostgreSQL could not make its data in {place.data}: {done.stderr.strip()}",
            code="database_did_not_start",
        )


def _check_version(place: Place) -> None:
    made_by = (place.data / "PG_VERSION").read_text().strip()
    if made_by != str(MAJOR_VERSION):
        raise Unavailable(
            f"The data in {place.data} were made by PostgreSQL {made_by}, and this LLMLab brings "
            f"PostgreSQL {MAJOR_VERSION}, which can't read them. Nothing was changed. Install the "
            "LLMLab that made them, dump the database, and restore it into the new one: "
            "docs/how-to/use-your-own-postgresql.md, 'Move to a new major version'.",
            code="database_version_mismatch",
        )


def password(place: Place) -> str:
    """The role's password: random, made once, in a file that only its user can read."""
    file = place.folder / "password"
    if not file.exists():
        unfinished = place.folder / "password.unfinished"
        with open(os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as new:
            new.write(secrets.token_urlsafe(32))
        unfinished.rename(file)
    return file.read_text()
