r"""One spool file: append-only lines, each with a version and a checksum.

    1 8c736521 {"id":"0192f0c1-…","provider":"openai",…}\n

A file is locked by the process that writes it, for as long as that process lives. Whoever gets the
lock of another's file knows that its writer is gone.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import NamedTuple
from zlib import crc32

from llmlab._file_lock import try_lock

_PREFIX = len("1 8c736521 ")
_FLAGS = os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def encode_line(event: bytes) -> bytes:
    """``event`` (JSON without line breaks) as one line of a spool file."""
    return b"1 %08x %s\n" % (crc32(event), event)


def decode_line(line: bytes) -> bytes | None:
    """The event in ``line`` (without its line break), None if the line is torn or not ours."""
    event = line[_PREFIX:]
    return event if line[:_PREFIX] == b"1 %08x " % crc32(event) else None


class Batch(NamedTuple):
    """Events read from ``segment`` up to the byte ``end``; ``torn`` lines were unreadable."""

    events: list[bytes]
    end: int
    torn: int


class Segment:
    """A spool file that this process holds the lock of.

    ``size`` bytes of it are complete lines, ``done`` of those are settled. Not thread-safe: the
    spool guards writing, and only the delivery thread reads.
    """

    __slots__ = ("_fd", "_reader", "_torn", "done", "path", "size")

    def __init__(self, path: str, fd: int, size: int) -> None:
        self.path = path
        self.size = size
        self.done = 0
        self._fd = fd
        self._reader = -1
        self._torn = False

    @classmethod
    def create(cls, path: str) -> Segment | None:
        """A new, locked, empty file; None if the name is taken.

        Raises:
            OSError: the folder can't be written.
        """
        try:
            fd = os.open(path, os.O_WRONLY | os.O_EXCL | _FLAGS, 0o600)
        except FileExistsError:
            return None
        # Between open and lock another process may have taken the file for an orphan.
        if try_lock(fd) and _is_at(fd, path):
            return cls(path, fd, 0)
        os.close(fd)
        return None

    @classmethod
    def adopt(cls, path: str) -> Segment | None:
        """The file of a process that is gone; None if its writer lives or we can't read it."""
        try:
            fd = os.open(path, os.O_RDWR | _FLAGS & ~os.O_CREAT)
        except OSError:
            return None
        try:
            if try_lock(fd) and _is_at(fd, path):
                segment = cls(path, fd, os.fstat(fd).st_size)
                if segment._is_readable():
                    return segment
        except OSError:
            pass
        os.close(fd)
        return None

    def append(self, line: bytes) -> bool:
        """Write one complete line; False if the disk took nothing or only a part of it."""
        if self._torn:  # end the half line first, so that this one is readable
            line = b"\n" + line
        try:
            written = os.write(self._fd, line)
        except OSError:
            return False
        self.size += written
        self._torn = written < len(line)
        return not self._torn

    def read(self, max_events: int, max_bytes: int) -> Batch | None:
        """The next events that are not settled yet, None if there are none."""
        if self.done >= self.size:
            return None
        data = self._read_bytes(min(max_bytes, self.size - self.done))
        lines, length = _whole_lines(data, max_events)
        if not lines:  # a tail without its end, or a line longer than any we write
            return Batch([], self.size, 1)
        found = [decode_line(line) for line in lines if line]
        events = [event for event in found if event is not None]
        return Batch(events, self.done + length, len(found) - len(events))

    def count(self) -> int:
        """How many lines are not settled yet."""
        return self._read_bytes(self.size - self.done).count(b"\n")

    def empty(self) -> None:
        """Forget everything written. Only right when all of it is settled."""
        os.ftruncate(self._fd, 0)
        self.size = self.done = 0

    def remove(self) -> None:
        """Close and delete the file."""
        if os.name == "nt":  # an open file can't be deleted there
            self.close()
        with suppress(OSError):
            os.unlink(self.path)
        self.close()

    def close(self) -> None:
        """Give up the file and its lock, and leave it for others."""
        for fd in (self._fd, self._reader):
            if fd >= 0:
                os.close(fd)
        self._fd = self._reader = -1

    def _read_bytes(self, length: int) -> bytes:
        # A handle of its own: the writing one's position moves with every append.
        if self._reader < 0:
            self._reader = os.open(self.path, os.O_RDONLY | _FLAGS & ~os.O_CREAT & ~os.O_APPEND)
        os.lseek(self._reader, self.done, os.SEEK_SET)
        return os.read(self._reader, length)

    def _is_readable(self) -> bool:
        """False for the file of a later version: leave it to those who know."""
        return self.size == 0 or self._read_bytes(1) in (b"1", b"\n")


def _whole_lines(data: bytes, limit: int) -> tuple[list[bytes], int]:
    """At most ``limit`` complete lines at the start of ``data``, and how many bytes they take."""
    lines = data.split(b"\n", limit)
    rest = lines.pop()
    return lines, len(data) - len(rest)


def _is_at(fd: int, path: str) -> bool:
    """True if ``path`` still names the open file ``fd``."""
    try:
        there, here = os.stat(path), os.fstat(fd)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)
