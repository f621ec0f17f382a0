"""Which LLM client libraries the user's project has installed.

``llmlab`` itself may live elsewhere (pipx), so we read the metadata of the project's own
environment. Nothing of it is run or imported.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping

# Distribution → provider that its calls go to, unless it is pointed elsewhere.
CLIENTS = {"openai": "openai", "anthropic": "anthropic", "google-genai": "google"}
SDK = "llmlab"


@dataclass(frozen=True)
class Environment:
    """A Python environment and the versions of what interests us in it, by distribution."""

    place: Path
    installed: Mapping[str, str]

    @property
    def clients(self) -> dict[str, str]:
        """Installed client libraries with their versions."""
        return {name: self.installed[name] for name in CLIENTS if name in self.installed}

    @property
    def providers(self) -> list[str]:
        """Providers that the installed clients speak to."""
        return [CLIENTS[name] for name in self.clients]

    @property
    def has_sdk(self) -> bool:
        """Whether ``import llmlab`` works there."""
        return SDK in self.installed


def project_environment(folder: Path) -> Environment:
    """The environment of the project at ``folder``.

    The active one (``VIRTUAL_ENV``, ``CONDA_PREFIX``), else the nearest ``.venv`` or ``venv`` at or
    above ``folder``, else the one that runs this command.
    """
    place = _active() or _nearest(folder) or Path(sys.prefix)
    return Environment(place, _installed(_search_path(place)))


def _active() -> Path | None:
    places = (os.environ.get(name) for name in ("VIRTUAL_ENV", "CONDA_PREFIX"))
    return next((Path(place) for place in places if place and Path(place).is_dir()), None)


def _nearest(folder: Path) -> Path | None:
    candidates = (above / name for above in (folder, *folder.parents) for name in (".venv", "venv"))
    return next((place for place in candidates if (place / "pyvenv.cfg").is_file()), None)


def _search_path(place: Path) -> list[str]:
    if place == Path(sys.prefix):
        return sys.path
    found = [*place.glob("lib/python3*/site-packages"), *place.glob("Lib/site-packages")]
    return [str(folder) for folder in found]


def _installed(search_path: list[str]) -> dict[str, str]:
    found = ((name, _version(name, search_path)) for name in (*CLIENTS, SDK))
    return {name: version for name, version in found if version}


def _version(name: str, search_path: list[str]) -> str | None:
    from importlib.metadata import distributions  # here: other commands need not wait for it

    return next((each.version for each in distributions(name=name, path=search_path)), None)
