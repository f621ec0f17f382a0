"""A lock on an open file that dies with its process: ``flock``, or ``msvcrt`` on Windows."""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    import msvcrt

    # Locked bytes can't be written by others, so lock one far beyond any spool file's end.
    _FAR = 0x7FFF_FFF0

    def try_lock(fd: int) -> bool:
        """Lock ``fd`` for this process if nobody holds it; False if somebody does."""
        try:
            os.lseek(fd, _FAR, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            os.lseek(fd, 0, os.SEEK_SET)
        except OSError:
            return False
        return True
else:
    import fcntl

    def try_lock(fd: int) -> bool:
        """Lock ``fd`` for this process if nobody holds it; False if somebody does."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
