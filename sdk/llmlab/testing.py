"""For your own tests: LLMLab without a server, a key or a disk.

>>> from llmlab.testing import capture
>>> with capture() as events:
...     ask("What did we spend?")
>>> assert events[0]["usage"]["input_tokens"] == 12
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Callable, Generator

from llmlab._event import Event
from llmlab._recorder import Recorder, Trackers, registry
from llmlab._stats import Stats

__all__ = ["capture"]


class _Memory(Recorder):
    def __init__(self, events: list[Event]) -> None:
        super().__init__()
        self._events = events

    def record(self, event: Event, trackers: Trackers = ()) -> None:
        self._events.append(event)
        for tracker in trackers:
            tracker.judged(event.get("charge", "metered"), event.get("cost"), "reported")

    def record_later(self, finish: Callable[[], None]) -> None:
        finish()  # nothing here could be interrupted halfway

    def flush(self, timeout_seconds: float) -> bool:
        return True

    @property
    def stats(self) -> Stats:
        written = len(self._events)
        return Stats(written, written, 0, self.drops.as_dict())


@contextmanager
def capture() -> Generator[list[Event], None, None]:
    """Collect every event of this process in a list, as JSON would hold it, instead of sending it.

    Whatever key and server are configured, nothing leaves the process while this is on.
    """
    events: list[Event] = []
    memory = _Memory(events)
    before, registry.override = registry.override, memory
    try:
        yield events
    finally:
        registry.override = before
