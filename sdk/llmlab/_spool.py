"""The queue of one destination: the caller's thread appends, the delivery thread reads and settles.

The queue is the disk. An event is in a file before the call it tells of returns to the user, so
the end of the process loses nothing; a later process with the same destination takes over.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Iterator, NamedTuple

from llmlab._segment import Segment, encode_line
from llmlab._stats import Drops

MAX_BATCH_EVENTS = 1000
MAX_BATCH_BYTES = 900_000
"""Of lines as they lie in the file; the server takes bodies of 1 MiB."""
MAX_SEGMENT_BYTES = 8 << 20
MAX_SPOOL_BYTES = 256 << 20
"""About half a million events. What comes after is dropped and counted (``spool_full``)."""
MAX_MEMORY_EVENTS = 10_000
"""Kept where the disk can't be written."""
MAX_AGE_SECONDS = 30 * 86_400
"""Of a file that nobody has written to or delivered."""
_RETRY_SECONDS = 5.0


class Claim(NamedTuple):
    """Events to deliver next. They stay in the queue until the claim is settled."""

    events: list[bytes]
    segment: Segment | None
    """None: they lie in memory."""
    end: int


class Spool:
    """Files of this process, files of processes that are gone, and memory for when the disk fails.

    ``written`` and ``settled`` count this process's own events.
    """

    def __init__(
        self,
        folder: str,
        drops: Drops,
        *,
        max_bytes: int = MAX_SPOOL_BYTES,
        max_segment_bytes: int = MAX_SEGMENT_BYTES,
    ) -> None:
        self._folder = folder
        self._drops = drops
        self._max_bytes = max_bytes
        self._max_segment_bytes = max_segment_bytes
        self._active: Segment | None = None
        self._retired: list[Segment] = []
        self._adopted: list[Segment] = []
        self._start_afresh()

    def _start_afresh(self) -> None:
        # Re-entrant: a signal handler may record a call while this very thread holds the lock.
        self._lock = threading.RLock()
        self._is_writing = False
        self._put_off: deque[bytes] = deque()
        self._active = None
        self._retired = []
        self._adopted = []
        self._memory: deque[bytes] = deque()
        self._file_prefix = f"{os.getpid()}-{time.time_ns() // 1_000_000}"
        self._files_made = 0
        self._closed_until = 0.0
        self._closed_for = ""
        self.written = 0
        self.settled = 0

    def after_fork(self, drops: Drops) -> None:
        """In a child: the files, and what they hold, are the parent's, and so is their lock."""
        self._drops = drops
        for segment in (*self._own_segments(), *self._adopted):
            segment.close()
        self._start_afresh()

    # -- the caller's side

    def append(self, event: bytes) -> None:
        """Put one event (JSON) in the queue. Never raises: what can't be kept is counted."""
        with self._lock:
            if self._is_writing:  # a signal handler has interrupted this very thread, right here
                self._put_off.append(event)
                return
            self._is_writing = True
            try:
                self._write(event)
            finally:
                self._is_writing = False
            if self._put_off:
                self.append(self._put_off.popleft())

    def _write(self, event: bytes) -> None:
        segment = self._active
        if segment is None or segment.size >= self._max_segment_bytes:
            segment = self._open_segment()
        is_kept = segment is not None and segment.append(encode_line(event))
        if is_kept or self._append_to_memory(event):
            self.written += 1

    def _append_to_memory(self, event: bytes) -> bool:
        if self._closed_for or len(self._memory) >= MAX_MEMORY_EVENTS:
            self._drops.add(self._closed_for or "memory_full")
            return False
        self._memory.append(event)
        return True

    def _open_segment(self) -> Segment | None:
        if time.monotonic() < self._closed_until:
            return None
        self._closed_until = time.monotonic() + _RETRY_SECONDS
        self._closed_for = ""
        try:
            _make_private(self._folder)
            if _bytes_in(self._folder) > self._max_bytes:
                self._closed_for = "spool_full"
                return None
            segment = self._create_segment()
        except OSError:
            return None
        previous, self._active, self._closed_until = self._active, segment, 0.0
        if previous is not None:
            self._retired.append(previous)
        return segment

    def _create_segment(self) -> Segment:
        while True:
            number = f"-{self._files_made}" if self._files_made else ""
            self._files_made += 1
            path = os.path.join(self._folder, f"{self._file_prefix}{number}.jsonl")
            segment = Segment.create(path)
            if segment is not None:
                return segment

    # -- the delivery thread's side

    def claim(self) -> Claim | None:
        """The next events to deliver, oldest first, our own before adopted ones; None if none."""
        if self._memory:
            return Claim(self._from_memory(), None, 0)
        for segment in (*self._own_segments(), *self._adopted):
            batch = segment.read(MAX_BATCH_EVENTS, MAX_BATCH_BYTES)
            if batch is not None:
                self._drops.add("torn", batch.torn)
                return Claim(batch.events, segment, batch.end)
        return None

    def has_events(self) -> bool:
        """True if there is something to deliver."""
        held = (*self._own_segments(), *self._adopted)
        return bool(self._memory) or any(segment.done < segment.size for segment in held)

    def has_orphans(self) -> bool:
        """True if something is left of a process that is gone."""
        return bool(self._adopted)

    def settle(self, claim: Claim) -> None:
        """Take the events of ``claim`` out of the queue: each has been delivered or set aside."""
        with self._lock:
            segment = claim.segment
            if segment not in self._adopted:
                self.settled += len(claim.events)
            if segment is None:
                for _ in claim.events:
                    self._memory.popleft()
                return
            segment.done = claim.end
            if segment.done >= segment.size:
                self._clear(segment)

    def adopt_orphans(self) -> None:
        """Take over the files of processes that are gone; delete what is too old to matter."""
        mine = {segment.path for segment in (*self._own_segments(), *self._adopted)}
        for path in _files_in(self._folder):
            segment = Segment.adopt(path) if path not in mine else None
            if segment is None:
                continue
            if segment.size and time.time() - os.path.getmtime(path) < MAX_AGE_SECONDS:
                self._adopted.append(segment)
            else:
                self._drops.add("too_old", segment.count())
                segment.remove()

    def close(self) -> None:
        """Leave no empty file behind; full ones wait for the next process."""
        with self._lock:
            for segment in self._own_segments():
                if segment.done >= segment.size:
                    segment.remove()

    def _from_memory(self) -> list[bytes]:
        with self._lock:
            return [self._memory[i] for i in range(min(len(self._memory), MAX_BATCH_EVENTS))]

    def _clear(self, segment: Segment) -> None:
        if segment is self._active:
            segment.empty()
            return
        (self._retired if segment in self._retired else self._adopted).remove(segment)
        segment.remove()

    def _own_segments(self) -> list[Segment]:
        return self._retired + ([self._active] if self._active is not None else [])


def _make_private(folder: str) -> None:
    """Make ``folder`` and what is missing above it, for this user only. Never changes a mode."""
    if os.path.isdir(folder):
        return
    above = os.path.dirname(folder)
    if above and above != folder:
        _make_private(above)
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700)


def _files_in(folder: str) -> Iterator[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        if name.endswith(".jsonl"):
            yield os.path.join(folder, name)


def _bytes_in(folder: str) -> int:
    total = 0
    for path in _files_in(folder):
        try:
            total += os.path.getsize(path)
        except OSError:  # gone in the meantime: delivered
            continue
    return total
