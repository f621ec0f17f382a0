"""Takes finished events: into the spool of their destination, or wherever a test wants them."""

from __future__ import annotations

import atexit
import json
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Callable, Dict, Tuple

from llmlab._config import Destination, resolve
from llmlab._delivery import Delivery
from llmlab._spool import Spool
from llmlab._stats import Drops, Stats

if TYPE_CHECKING:
    from llmlab._tracker import LLMLabTracker
    from llmlab._verdict import Verdict

EXIT_SECONDS = 0.5
"""The end of the process waits this long for the server, at most; the spool keeps the rest."""
MAX_EVENT_BYTES = 64 << 10
MAX_LATE = 10_000
MAX_WAITING = 50_000
"""Events whose exact cost a tracker still waits for. More means that the server is long away."""
_LOOK_FOR_KEY_EVERY_SECONDS = 5.0

Event = Dict[str, Any]
Trackers = Tuple["LLMLabTracker", ...]

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


class Recorder:
    """Where events of one destination go. This one has nowhere to put them, so it counts them."""

    def __init__(self, reason: str = "no_key") -> None:
        self._reason = reason
        self.drops = Drops()
        self._late: deque[Callable[[], None]] = deque(maxlen=MAX_LATE)

    def record(self, event: Event, trackers: Trackers = ()) -> None:
        """Take one event. Never blocks on anything but the local disk."""
        self._drop(self._reason, event, trackers)

    def _drop(self, reason: str, event: Event, trackers: Trackers) -> None:
        self.drops.add(reason)
        for tracker in trackers:
            tracker.judged(event.get("charge", "metered"), None, None)

    def record_later(self, finish: Callable[[], None]) -> None:
        """Have ``finish`` record an event soon.

        All that is safe in a destructor, which may have interrupted anything, us included.
        """
        self._late.append(finish)

    def gather(self) -> None:
        """Record now what was put off."""
        while self._late:
            self._late.popleft()()

    def expect_late(self) -> None:
        """A stream is open: be ready for its end."""

    def flush(self, timeout_seconds: float) -> bool:
        """True if everything recorded so far has reached the server, waiting for it if need be."""
        return True

    @property
    def stats(self) -> Stats:
        """What became of the events so far."""
        return Stats(written=0, delivered=0, spooled=0, dropped=self.drops.as_dict())


class SpoolRecorder(Recorder):
    """Writes events to the spool of ``destination`` and has them delivered in the background."""

    def __init__(self, destination: Destination) -> None:
        super().__init__()
        spool = os.path.join(destination.home, "spool")
        self._spool = Spool(os.path.join(spool, destination.spool_name()), self.drops)
        self._delivery = Delivery(
            self._spool,
            destination,
            os.path.join(spool, "rejected.jsonl"),
            gather=self.gather,
            judged=self._judged,
        )
        self._delivered = 0
        self._waiting: dict[str, tuple[str, Trackers]] = {}

    def record(self, event: Event, trackers: Trackers = ()) -> None:
        data = _encode(event).encode("ascii")
        if len(data) > MAX_EVENT_BYTES:
            self._drop("too_large", event, trackers)
            return
        if trackers:
            self._wait_for_verdict(event, trackers)
        self._spool.append(data)
        if self._delivery.idle:
            self._delivery.wake()

    def record_later(self, finish: Callable[[], None]) -> None:
        self._late.append(finish)
        self._delivery.ring()

    def expect_late(self) -> None:
        self._delivery.start()

    def flush(self, timeout_seconds: float) -> bool:
        self.gather()
        return self._delivery.flush(timeout_seconds)

    def leave(self, timeout_seconds: float) -> None:
        """The process ends: one last try, unless the server is known to be away."""
        self.gather()
        self._delivery.leave(timeout_seconds)
        self._spool.close()

    def after_fork(self) -> None:
        """In a child: what the parent recorded is the parent's to deliver."""
        self.drops = Drops()
        self._late.clear()
        self._delivered = 0
        self._waiting = {}
        self._spool.after_fork(self.drops)
        self._delivery.after_fork()

    @property
    def stats(self) -> Stats:
        spool = self._spool
        return Stats(
            written=spool.written,
            delivered=self._delivered,
            spooled=max(spool.written - spool.settled, 0),
            dropped=self.drops.as_dict(),
        )

    def _wait_for_verdict(self, event: Event, trackers: Trackers) -> None:
        charge = event.get("charge", "metered")
        if len(self._waiting) < MAX_WAITING:
            self._waiting[event["id"]] = (charge, trackers)
            return
        for tracker in trackers:
            tracker.judged(charge, None, None)

    def _judged(self, event: bytes, verdict: Verdict) -> None:
        if verdict.status == "rejected":
            self.drops.add("rejected")
        else:
            self._delivered += 1
        if self._waiting:
            identity = verdict.id or json.loads(event).get("id")
            charge, trackers = self._waiting.pop(identity, ("", ()))
            for tracker in trackers:
                tracker.judged(charge, verdict.cost, verdict.cost_source)


class _Registry:
    """The recorders of this process: one for each destination, and the default one."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._recorders: dict[Destination, SpoolRecorder] = {}
        self._without_key = Recorder()
        self._broken = Recorder("internal_error")
        self._default: Recorder | None = None
        self._look_again_at = 0.0
        self._has_exit = False
        self.override: Recorder | None = None
        self.before_exit: list[Callable[[], None]] = []

    def default(self) -> Recorder:
        """The recorder that environment and config file name. Never raises."""
        if self.override is not None:
            return self.override
        has_one = isinstance(self._default, SpoolRecorder)
        if not has_one and time.monotonic() > self._look_again_at:
            # The first `llmlab up` may come after the start of this process.
            self._look_again_at = time.monotonic() + _LOOK_FOR_KEY_EVERY_SECONDS
            self._default = self.at(resolve())
        return self._default or self._without_key

    def at(self, destination: Destination) -> Recorder:
        """The recorder of ``destination``, the same one for everybody. Never raises."""
        if self.override is not None:
            return self.override
        if destination.api_key is None:
            return self._without_key
        with self._lock:
            recorder = self._recorders.get(destination)
            return recorder or self._open(destination)

    def _open(self, destination: Destination) -> Recorder:
        try:
            recorder = self._recorders[destination] = SpoolRecorder(destination)
            if not self._has_exit:
                atexit.register(self._leave)
                self._has_exit = True
        except Exception:  # such as a module that a signal handler found half imported
            return self._broken
        return recorder

    def after_fork(self) -> None:
        """In a child: everything under way belongs to the parent."""
        self._lock = threading.RLock()
        self._without_key.drops = Drops()
        for recorder in self._recorders.values():
            recorder.after_fork()

    def forget(self) -> None:
        """Start over with new settings, as a new process would. For tests."""
        self._leave()
        self._recorders.clear()
        self._without_key = Recorder()
        self._default = None
        self._look_again_at = 0.0

    def _leave(self) -> None:
        deadline = time.monotonic() + EXIT_SECONDS
        for prepare in self.before_exit:
            prepare()
        for recorder in list(self._recorders.values()):
            try:
                recorder.leave(max(deadline - time.monotonic(), 0.0))
            except Exception:  # the host is leaving; nothing of ours is worth a traceback
                continue


registry = _Registry()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=registry.after_fork)
