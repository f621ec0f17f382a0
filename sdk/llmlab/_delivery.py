"""The one thread that talks to the server, so that no caller ever waits for it."""

from __future__ import annotations

import os
import threading
import time
from contextvars import Context
from typing import TYPE_CHECKING, Callable

from llmlab._late_imports import importing
from llmlab._refused import set_aside, without_unknown_fields
from llmlab._spool import MAX_BATCH_EVENTS, Spool
from llmlab._verdict import Refused, Unavailable, Verdict

if TYPE_CHECKING:
    from llmlab._config import Destination
    from llmlab._server import Server

BATCH_AGE_SECONDS = 0.15
"""How long a first event waits for company, so that it is on its way within 200 ms."""
FIRST_RETRY_SECONDS = 0.25
LONGEST_RETRY_SECONDS = 30.0
ADOPT_EVERY_SECONDS = 60.0

Judged = Callable[[bytes, Verdict], None]
"""Is told the verdict on every event."""


class Delivery:
    """Takes events out of the spool, batch by batch, and settles what the server has judged.

    ``idle`` is True while the thread sleeps for want of events: whoever appends then wakes it.
    """

    def __init__(
        self,
        spool: Spool,
        destination: Destination,
        rejected_path: str,
        *,
        gather: Callable[[], None],
        judged: Judged,
    ) -> None:
        self._spool = spool
        self._gather = gather
        self._destination = destination
        self._opened: Server | None = None
        self._rejected_path = rejected_path
        self._judged = judged
        self._start_afresh()

    def _start_afresh(self) -> None:
        self.idle = True
        self._thread: threading.Thread | None = None
        self._bell = threading.Lock()
        self._bell.acquire()
        self._hurry = threading.Event()
        self._progress = threading.Condition()
        self._failures = 0
        self._retry_seconds = 0.0
        self._pause = 0.0
        self._adopt_at = 0.0
        self._fields: frozenset[str] | None = None

    def after_fork(self) -> None:
        """In a child: the thread stayed in the parent; the next event starts a new one."""
        if self._opened is not None:
            self._opened.after_fork()
        self._start_afresh()

    # -- any thread's side

    def wake(self) -> None:
        """There are events. Starts the thread on first use."""
        self.idle = False
        if self._thread is None:
            self.start()
        self.ring()

    def ring(self) -> None:
        """End the thread's sleep. Safe in a destructor, where taking a lock could be the end."""
        try:
            self._bell.release()
        except RuntimeError:  # it has rung already
            return

    def start(self) -> None:
        """Start the thread if it does not run yet."""
        with self._progress:
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._run, name="llmlab-delivery", daemon=True)
            try:
                Context().run(self._thread.start)  # not in the scope of whoever came first
            except (
                RuntimeError
            ):  # no more threads, or the interpreter is leaving: the spool keeps all
                self._thread = None

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until everything written so far is settled; False if it is not by then."""
        goal = self._spool.written
        return self._wait_until(lambda: self._spool.settled >= goal, timeout_seconds)

    def leave(self, timeout_seconds: float) -> None:
        """Deliver what there is, orphans included, unless the server is or turns out to be away."""
        failures = self._failures
        if not self.is_failing:
            self._wait_until(
                lambda: self._failures > failures or not self._spool.has_events(), timeout_seconds
            )

    def _wait_until(self, is_done: Callable[[], bool], timeout_seconds: float) -> bool:
        deadline = time.monotonic() + timeout_seconds
        if is_done():
            return True
        self._hurry.set()
        self.wake()
        with self._progress:
            while not is_done():
                left = deadline - time.monotonic()
                if left <= 0 or not self._progress.wait(left):
                    break
        return is_done()

    @property
    def is_failing(self) -> bool:
        """True while the server does not take what it is sent."""
        return self._retry_seconds > 0

    # -- the delivery thread's side

    @property
    def _server(self) -> Server:
        if self._opened is None:
            with importing:  # slow: it belongs on no caller's thread
                from llmlab._server import Server

                self._opened = Server(self._destination)
        return self._opened

    def _run(self) -> None:
        self._hurry.wait(BATCH_AGE_SECONDS)
        while True:
            self._hurry.clear()
            try:
                self._deliver()
                self._retry_seconds = 0.0
            except Unavailable as problem:
                self._back_off(problem.retry_after_seconds)
            except Exception:  # a fault of ours must neither kill the thread nor make it spin
                self._back_off(LONGEST_RETRY_SECONDS)
            self._tell_progress()
            self._rest()

    def _deliver(self) -> None:
        """Deliver full batches until there is none; what is left may gather a little longer."""
        self._gather()
        if time.monotonic() >= self._adopt_at:
            self._adopt_at = time.monotonic() + ADOPT_EVERY_SECONDS
            self._spool.adopt_orphans()
        claim = self._spool.claim()
        while claim is not None:
            self._fields = None
            if claim.events:
                self._send(claim.events)
            self._spool.settle(claim)
            self._tell_progress()
            is_full = len(claim.events) >= MAX_BATCH_EVENTS // 2
            claim = self._spool.claim() if is_full or self._spool.has_orphans() else None

    def _send(self, events: list[bytes]) -> None:
        """Have every one of ``events`` judged, in parts if the server does not take them whole."""
        try:
            verdicts = self._server.post(events)
        except Refused as refused:
            self._send_otherwise(events, refused)
            return
        judged = list(zip(events, verdicts))
        for event, verdict in judged:
            if verdict.status != "rejected":
                self._judged(event, verdict)
        self._reconsider([pair for pair in judged if pair[1].status == "rejected"])

    def _send_otherwise(self, events: list[bytes], refused: Refused) -> None:
        known = self._trimmed(events)
        if known != events:
            self._send(known)
        elif len(events) == 1:
            self._reject(
                events[0], Verdict(None, "rejected", code=refused.code, detail=refused.detail)
            )
        else:
            middle = len(events) // 2
            self._send(events[:middle])
            self._send(events[middle:])

    def _reconsider(self, rejected: list[tuple[bytes, Verdict]]) -> None:
        """Send again, without them, what has fields that this server is too old to know."""
        events = [event for event, _ in rejected]
        trimmed = self._trimmed(events) if events else []
        again = [new for old, new in zip(events, trimmed) if new != old]
        for (event, verdict), new in zip(rejected, trimmed):
            if new == event:
                self._reject(event, verdict)
        if again:
            self._send(again)

    def _trimmed(self, events: list[bytes]) -> list[bytes]:
        if self._fields is None:
            self._fields = self._server.event_fields()
        known = self._fields
        return [without_unknown_fields(event, known) for event in events] if known else events

    def _reject(self, event: bytes, verdict: Verdict) -> None:
        set_aside(self._rejected_path, event, verdict.code, verdict.detail)
        self._judged(event, verdict)

    def _back_off(self, retry_after_seconds: float) -> None:
        self._failures += 1
        doubled = max(self._retry_seconds * 2, FIRST_RETRY_SECONDS)
        # Half of it is chance, so that a fleet does not come back in step. Not from ``random``:
        # the host may have seeded that, and counts on it.
        chance = 0.5 + os.urandom(1)[0] / 510
        self._retry_seconds = min(doubled, LONGEST_RETRY_SECONDS)
        self._pause = max(self._retry_seconds * chance, retry_after_seconds)

    def _rest(self) -> None:
        """Sleep until there is something to do, and then a little more, for others to join."""
        if self.is_failing:
            self._hurry.wait(self._pause)
            return
        self.idle = True
        if not self._spool.has_events():
            self._bell.acquire(timeout=ADOPT_EVERY_SECONDS)
        self.idle = False
        self._hurry.wait(BATCH_AGE_SECONDS)

    def _tell_progress(self) -> None:
        with self._progress:
            self._progress.notify_all()
