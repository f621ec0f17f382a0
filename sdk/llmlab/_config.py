"""Where events go and who sends them: argument > environment > config file > default."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, cast

from llmlab._late_imports import importing

DEFAULT_SERVER = "http://127.0.0.1:8484"


class Destination:
    """One server, one key, one project: what a spool belongs to. ``api_key`` None = not set up."""

    __slots__ = ("api_key", "home", "project", "server")

    def __init__(self, server: str, api_key: str | None, project: str | None, home: str) -> None:
        self.server = server.strip().rstrip("/")
        self.api_key = api_key.strip() if api_key else None
        self.project = project
        self.home = home

    def spool_name(self) -> str:
        """Names the spool folder; the same for every process with this server, key and project.

        The key's public id is what counts, so a folder name never tells anything of the secret.
        """
        identity = (self.server, _public_id(self.api_key or ""), self.project or "")
        return _sha256("\n".join(identity))[:16]

    def _fields(self) -> tuple[object, ...]:
        return (self.server, self.api_key, self.project, self.home)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Destination) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        return f"Destination({self.server!r}, project={self.project!r})"  # never the key


def is_disabled() -> bool:
    """True if the environment says that LLMLab does nothing (``LLMLAB_DISABLED=1``)."""
    return os.environ.get("LLMLAB_DISABLED", "").lower() in ("1", "true", "yes", "on")


def resolve(
    server: str | None = None, api_key: str | None = None, project: str | None = None
) -> Destination:
    """The destination that these arguments, the environment and the config file add up to."""
    home = os.environ.get("LLMLAB_HOME") or os.path.join(os.path.expanduser("~"), ".llmlab")
    env, stored = os.environ.get, _config_file(home)

    def pick(argument: str | None, variable: str, name: str) -> str | None:
        return argument or env(variable) or stored.get(name)

    return Destination(
        pick(server, "LLMLAB_SERVER", "server") or DEFAULT_SERVER,
        pick(api_key, "LLMLAB_API_KEY", "api_key"),
        pick(project, "LLMLAB_PROJECT", "project"),
        home,
    )


def _config_file(home: str) -> dict[str, str]:
    """The text settings of ``config.json``; nothing if it is missing or not ours to understand."""
    try:
        with open(os.path.join(home, "config.json"), encoding="utf-8") as file:
            found: Any = json.load(file)
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    settings = cast("Dict[str, object]", found)
    return {name: value for name, value in settings.items() if isinstance(value, str)}


def _public_id(api_key: str) -> str:
    """The part of ``llmlab_<public id>_<secret>`` that may be told; of any other key, its hash."""
    parts = api_key.split("_", 2)
    if len(parts) == 3 and parts[0] == "llmlab":
        return parts[1]
    return _sha256(api_key)


def _sha256(text: str) -> str:
    with importing:
        import hashlib

    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
