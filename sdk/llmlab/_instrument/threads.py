"""Threads and thread pools take the scope along in which their work was handed to them.

Tasks of asyncio do so by themselves. Only our own variable travels, and only where there is one.
"""

from __future__ import annotations

import threading
from importlib import import_module
from typing import Any

from llmlab._instrument.patching import replace
from llmlab._scope import Scope, current_scope


def _run_in(scope: Scope, work: Any, *args: Any, **kwargs: Any) -> Any:
    token = current_scope.set(scope)
    try:
        return work(*args, **kwargs)
    finally:
        current_scope.reset(token)


def _start(original: Any) -> Any:
    def start(self: Any) -> None:
        scope = current_scope.get()
        if scope is not None:
            run = self.run
            self.run = lambda: _run_in(scope, run)
        original(self)

    return start


def _submit(original: Any) -> Any:
    def submit(self: Any, fn: Any, *args: Any, **kwargs: Any) -> Any:
        scope = current_scope.get()
        if scope is None:
            return original(self, fn, *args, **kwargs)
        # A thread that the pool starts for this outlives it, so it must not take the scope along.
        token = current_scope.set(None)
        try:
            return original(self, _run_in, scope, fn, *args, **kwargs)
        finally:
            current_scope.reset(token)

    return submit


def patch_threads() -> None:
    """Hand the scope to every thread that is started in one."""
    replace(threading.Thread, "start", _start)


def patch_pools() -> None:
    """Hand the scope to everything submitted to a thread pool in one."""
    pool = import_module("concurrent.futures.thread").ThreadPoolExecutor
    replace(pool, "submit", _submit)
