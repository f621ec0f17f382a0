"""Events that the server does not take: mended if it is merely too old, else set aside."""

from __future__ import annotations

import json
import os
import time
from typing import Any

MAX_REJECTED_BYTES = 10 << 20


def without_unknown_fields(event: bytes, known: frozenset[str]) -> bytes:
    """``event`` with only the fields that an older server knows; the same bytes if it knows all."""
    fields: dict[str, Any] = json.loads(event)
    kept = {name: value for name, value in fields.items() if name in known}
    if len(kept) == len(fields):
        return event
    return json.dumps(kept, separators=(",", ":")).encode("ascii")


def set_aside(path: str, event: bytes, code: str, detail: str) -> None:
    """Keep a rejected event in ``path``, with the reason, for a person to look at."""
    line = b'{"at":%s,"code":%s,"detail":%s,"event":%s}\n' % (
        json.dumps(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())).encode("ascii"),
        json.dumps(code[:200]).encode("ascii"),
        json.dumps(detail[:1000]).encode("ascii"),
        event,
    )
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            if os.fstat(fd).st_size < MAX_REJECTED_BYTES:
                os.write(fd, line)
        finally:
            os.close(fd)
    except OSError:
        return
