"""What the server can say to a batch. Apart from ``_server``, which is slow to import."""

from __future__ import annotations

from typing import NamedTuple


class Verdict(NamedTuple):
    """What the server did with one event. ``cost`` is text in US dollars, None if unknown."""

    id: str | None
    status: str
    cost: str | None = None
    cost_source: str | None = None
    code: str = ""
    detail: str = ""


class Unavailable(Exception):
    """Not now: try the same again after a while."""

    def __init__(self, reason: str, retry_after_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class Refused(Exception):
    """The batch as a whole can't be taken (400, 413, 422); a part of it perhaps can."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
