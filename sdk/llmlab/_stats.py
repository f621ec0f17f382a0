"""What became of the events, counted: nothing is lost in silence."""

from __future__ import annotations

import threading
from typing import NamedTuple


class Stats(NamedTuple):
    """Counts of one process and destination.

    ``written`` = ``delivered`` + ``spooled`` + what was rejected by the server, which ``dropped``
    counts too. ``dropped`` names every reason: ``no_key``, ``spool_full``, ``no_usage``, …
    """

    written: int
    delivered: int
    spooled: int
    dropped: dict[str, int]


class Drops:
    """Counts of what was dropped, by reason. Rare, so a lock is cheap enough."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal handler may call us while we hold it
        self._counts: dict[str, int] = {}

    def add(self, reason: str, count: int = 1) -> None:
        if not count:
            return
        with self._lock:
            self._counts[reason] = self._counts.get(reason, 0) + count

    def as_dict(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)
