"""Times as people type them: ``24h``, ``30d``, ``4w``, or a day such as ``2026-11-01``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from llmlab_cli.errors import BadUsage

_AGO = re.compile(r"([1-9][0-9]{0,3})([hdw])")
_DAYS = {"d": 1, "w": 7}
_UNITS = {"h": "hour", "d": "day", "w": "week"}


@dataclass(frozen=True)
class Since:
    """The start of a period: a day, or a length that ends now."""

    day: date | None = None
    hours: int | None = None
    days: int | None = None
    words: str = ""

    def start(self, *, now: datetime, today: date) -> str:
        """The start as the API takes it.

        Days count with today, so that ``1d`` is today; hours are to the second.

        Args:
            now: The moment, in UTC.
            today: The day that it is in the workspace's time zone.
        """
        if self.hours:
            return instant(now - timedelta(hours=self.hours))
        return (self.day or today - timedelta(days=(self.days or 1) - 1)).isoformat()


def parse_since(typed: str) -> Since:
    """The period that ``typed`` starts.

    Raises:
        BadUsage: it is neither a length nor a day.
    """
    ago = _AGO.fullmatch(typed)
    if not ago:
        day = parse_day(typed, "--since", "Give hours, days or weeks (24h, 30d, 4w) or a day.")
        return Since(day=day, words=f"since {day.isoformat()}")
    number, unit = int(ago.group(1)), ago.group(2)
    words = f"in the last {number} {_UNITS[unit]}{'s' if number > 1 else ''}"
    if unit == "h":
        return Since(hours=number, words=words)
    return Since(days=number * _DAYS[unit], words=words)


def parse_day(typed: str, option: str, advice: str) -> date:
    """The day that ``typed`` names (``2026-11-01``).

    Raises:
        BadUsage: it names none; the message has ``option`` and ``advice``.
    """
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise BadUsage(f"{option} {typed!r} is no time.", advice) from None


def instant(at: datetime) -> str:
    """A UTC moment as the API writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
