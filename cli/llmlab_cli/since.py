"""``--since`` as people type it: ``24h``, ``30d``, ``4w``, or a day such as ``2026-11-01``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from llmlab_cli.errors import BadUsage

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"([1-9][0-9]{0,3})([hdw])")


@dataclass(frozen=True)
class Since:
    """The start of a period: ISO 8601 for the server, words for people."""

    start: str
    words: str


def parse_since(typed: str, now: datetime) -> Since:
    """The period that ``typed`` starts, seen from ``now``.

    A day is passed on as it is: it begins when it begins in the workspace's time zone.

    Raises:
        BadUsage: it is neither a length nor a day.
    """
    ago = _AGO.fullmatch(typed)
    if ago:
        number, unit = int(ago.group(1)), _UNITS[ago.group(2)]
        start = now - timedelta(**{unit: number})
        words = f"in the last {number} {unit if number > 1 else unit[:-1]}"
        return Since(start.strftime("%Y-%m-%dT%H:%M:%SZ"), words)
    try:
        day = date.fromisoformat(typed).isoformat()
    except ValueError:
        raise BadUsage(
            f"--since {typed!r} is no time.", "Give hours, days or weeks (24h, 30d, 4w) or a day."
        ) from None
    return Since(day, f"since {day}")
