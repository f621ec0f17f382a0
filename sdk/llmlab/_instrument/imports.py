"""Patches a package when it is imported, so that nobody imports one for our sake."""

from __future__ import annotations

import sys
from typing import Any, Callable

Patch = Callable[[], None]


class _Watcher:
    """Lets everybody else find the module, and listens when it has been loaded.

    (No ``importlib.abc.MetaPathFinder``: that import alone costs 20 ms on newer Pythons.)
    """

    def __init__(self, patches: dict[str, Patch]) -> None:
        self._patches = patches

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any | None:
        patch = self._patches.get(fullname)
        if patch is None:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(fullname, path, target) if find else None
            if spec is not None:
                _listen(spec.loader, fullname, patch)
                return spec
        return None


def _listen(loader: Any, name: str, patch: Patch) -> None:
    execute = getattr(loader, "exec_module", None)
    if execute is None:
        return

    def exec_module(module: Any) -> None:
        execute(module)
        if module.__name__ == name:
            apply(patch)

    try:
        loader.exec_module = exec_module
    except AttributeError:  # a loader that can't be changed: the next instrument() finds the module
        return


def apply(patch: Patch) -> None:
    """Run ``patch``. A client that has changed beyond recognition is left alone."""
    try:
        patch()
    except Exception:
        from llmlab._instrument.patching import note_fault

        note_fault()


_watcher: _Watcher | None = None


def when_imported(patches: dict[str, Patch]) -> None:
    """Apply each of ``patches`` to its module: now if it is there, else when it is imported."""
    global _watcher
    if _watcher is None:
        _watcher = _Watcher(patches)
        sys.meta_path.insert(0, _watcher)
    for name, patch in patches.items():
        if name in sys.modules:
            apply(patch)


def forget() -> None:
    """Stop watching imports."""
    global _watcher
    if _watcher is not None and _watcher in sys.meta_path:
        sys.meta_path.remove(_watcher)
    _watcher = None
