"""Settings and where each comes from: flag, then environment, then config file, then default.

The file is ``config.json`` in ``LLMLAB_HOME`` (``~/.llmlab``), shared with the SDK and the server.
What we don't know in it (``profiles``, say) is kept as it is.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping
from urllib.parse import urlsplit

from llmlab_cli.errors import BadUsage, Problem

DEFAULT_SERVER = "http://127.0.0.1:8484"
FLAGS = {"server": "--server", "api_key": "--api-key-stdin", "project": "--project"}
LOOPBACK = ("127.0.0.1", "localhost", "::1")

_REPLACE_ATTEMPTS = 5  # Windows refuses while another process has the file open


@dataclass(frozen=True)
class Setting:
    """One setting: its value (None if it has none) and its origin, in words."""

    name: str
    value: str | None
    origin: str

    @property
    def shown(self) -> str | None:
        """The value as it may appear on a screen: keys are masked."""
        return masked(self.value) if self.name == "api_key" and self.value else self.value


@dataclass(frozen=True)
class Settings:
    """What a command works with."""

    server: Setting
    api_key: Setting
    project: Setting

    def __iter__(self):
        return iter((self.server, self.api_key, self.project))


def config_path() -> Path:
    """Where the config file is, whether it exists or not."""
    home = os.environ.get("LLMLAB_HOME")
    return (Path(home) if home else Path.home() / ".llmlab") / "config.json"


def read_settings(flags: Mapping[str, str | None] | None = None) -> Settings:
    """All settings, each from its strongest source; ``flags`` are those of the command line.

    Raises:
        Problem: the config file can't be read.
        BadUsage: a value can't be what it should be.
    """
    stored = read_file()
    return Settings(*(_resolve(name, flags or {}, stored) for name in FLAGS))


def _resolve(name: str, flags: Mapping[str, str | None], stored: Mapping[str, Any]) -> Setting:
    variable = f"LLMLAB_{name.upper()}"
    default = DEFAULT_SERVER if name == "server" else None
    for value, origin in (
        (flags.get(name), FLAGS[name]),
        (os.environ.get(variable), variable),
        (stored.get(name), "config.json"),
        (default, "default"),
    ):
        if value and value.strip():
            return Setting(name, CHECKS[name](value.strip(), origin), origin)
    return Setting(name, None, "not set")


def read_file() -> dict[str, Any]:
    """The config file as it is; empty if there is none.

    Raises:
        Problem: it can't be read, or is not what we write.
    """
    path = config_path()
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Problem(f"Cannot read {path}: {error.strerror}.") from None
    except ValueError as error:
        raise Problem(f"{path} is not valid JSON: {error}.", _MEND) from None
    if not isinstance(content, dict):
        raise Problem(f"{path} holds no JSON object.", _MEND)
    for name in FLAGS:
        if not isinstance(content.get(name, ""), (str, type(None))):
            raise Problem(f"{path}: {name} is not a text.", _MEND)
    return content


_MEND = "Mend it by hand, or move it away and run `llmlab init`."


def write_file(changes: Mapping[str, Any]) -> Path:
    """Change these entries of the config file, all or none; an entry of None is removed.

    The file is only ever readable by its owner: 0600, in a 0700 directory if we make it.

    Raises:
        Problem: it can't be written; the old file is then untouched.
    """
    content = {**read_file(), **changes}
    content = {name: value for name, value in content.items() if value is not None}
    path = config_path()
    try:
        _replace(Path(os.path.realpath(path)), json.dumps(content, indent=2) + "\n")
    except OSError as error:
        raise Problem(f"Cannot write {path}: {error.strerror}. Nothing was changed.") from None
    return path


def _replace(path: Path, text: str) -> None:
    """Put ``text`` at ``path``; a crash at any moment leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=str(path.parent), prefix=".config-")  # 0600 from birth
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        _rename(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _rename(source: str, target: Path) -> None:
    for attempt in range(1, _REPLACE_ATTEMPTS + 1):
        try:
            return os.replace(source, target)
        except PermissionError:
            if attempt == _REPLACE_ATTEMPTS:
                raise
            time.sleep(0.05 * attempt)


def checked_server(url: str, origin: str) -> str:
    """``url`` without a trailing slash.

    Raises:
        BadUsage: it is not a plain http(s) address.
    """
    try:
        parts = urlsplit(url)
        plain = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        plain, parts = False, urlsplit("")
    if not plain or parts.query or parts.fragment or parts.username is not None:
        raise BadUsage(
            f"{url!r} ({origin}) is not a server address.",
            f"Give one like {DEFAULT_SERVER}, without user name or query.",
        )
    return url.rstrip("/")


def checked_key(key: str, origin: str) -> str:
    """``key``, if it can be one.

    Raises:
        BadUsage: it can't; the message never repeats it.
    """
    if not key.isascii() or not key.isprintable() or " " in key:
        raise BadUsage(
            f"That is no API key ({origin}): it has spaces or unusual characters in it.",
            "Copy the whole key, llmlab_…, as it was shown when it was made.",
        )
    return key


def checked_project(name: str, origin: str) -> str:
    """``name``, if a project can be called that.

    Raises:
        BadUsage: it can't.
    """
    if not name.isascii() or not name.isprintable():
        raise BadUsage(
            f"That is no project name ({origin}).", "Use letters a-z, digits, space, . _ / and -."
        )
    return name


CHECKS = {"server": checked_server, "api_key": checked_key, "project": checked_project}


def masked(key: str) -> str:
    """A key as it may be shown: its public beginning only (``llmlab_9Qd4…``)."""
    return f"{key[:11]}…" if key.startswith("llmlab_") and len(key) > 24 else "…"


def is_loopback(url: str) -> bool:
    """Whether ``url`` names this machine."""
    return urlsplit(url).hostname in LOOPBACK
