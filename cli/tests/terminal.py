"""A real pseudo-terminal with a program in it: what a person at the keyboard sees and types."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|[()][A-Z0-9]|[=>])")


class Terminal:
    """A program on a terminal of ``columns`` × 40. Use as a context manager."""

    def __init__(self, command: list[str], *, columns: int = 80) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color"}
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # Ctrl-C reaches it
        )
        os.close(slave)
        self._raw = b""
        self._read_up_to = 0

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._master)

    @property
    def raw(self) -> str:
        """Everything it wrote, escapes included."""
        return self._raw.decode("utf-8", "replace")

    @property
    def text(self) -> str:
        """Everything it wrote, as read."""
        return _ESCAPES.sub("", self.raw).replace("\r", "")

    def expect(self, words: str, *, timeout_seconds: float = 20.0) -> None:
        """Wait until ``words`` appear after what was expected before."""
        deadline = time.monotonic() + timeout_seconds
        while words not in self.text[self._read_up_to :]:
            assert time.monotonic() < deadline, f"{words!r} never came:\n{self.text}"
            if not self._read(0.1) and self._process.poll() is not None and not self._read(0.1):
                raise AssertionError(f"ended before {words!r}:\n{self.text}")
        self._read_up_to = self.text.index(words, self._read_up_to) + len(words)

    def type(self, line: str) -> None:
        """Type a line and press Enter."""
        os.write(self._master, f"{line}\n".encode())

    def type_hidden(self, line: str) -> None:
        """Type a line once the terminal has stopped echoing; what comes earlier is thrown away."""
        while termios.tcgetattr(self._master)[3] & termios.ECHO:
            time.sleep(0.01)
        self.type(line)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.write(self._master, b"\x03")

    def end(self, *, timeout_seconds: float = 20.0) -> int:
        """Wait for the program; its exit code, negative if a signal ended it."""
        deadline = time.monotonic() + timeout_seconds
        while self._process.poll() is None:
            assert time.monotonic() < deadline, f"still running:\n{self.text}"
            self._read(0.1)
        while self._read(0.1):
            pass
        return self._process.returncode

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        try:
            chunk = os.read(self._master, 65536)
        except OSError:  # Linux says EIO when the other side has closed
            return False
        self._raw += chunk
        return bool(chunk)


INTERRUPTED = 128 + signal.SIGINT
