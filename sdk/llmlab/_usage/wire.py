"""What came over the wire as text: JSON, JSON lines, or server-sent events."""

from __future__ import annotations

import json
from typing import Any


def decode(text: str | bytes) -> Any:
    """A JSON value, or the list of the stream's events; None if ``text`` is neither.

    A torn or foreign line is left out: a stream that broke off still tells what it told.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    text = text.lstrip("\ufeff \t\r\n")
    if text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except ValueError:
            return _json_lines(text)
    return _server_sent_events(text) if "data:" in text else None


def _json_lines(text: str) -> list[Any]:
    return [value for value in map(_json, text.split("\n")) if value is not None]


def _server_sent_events(text: str) -> list[Any]:
    """The data of each event, whether ``event:`` stands before or after it.

    Lines end at a line feed only: JSON may hold U+2028 and other separators of ``splitlines``.
    """
    events: list[Any] = []
    data: list[str] = []
    for line in [*text.split("\n"), ""]:
        line = line.rstrip("\r")
        if line.startswith("data:"):
            data.append(line[5:])
        elif not line and data:
            events.append(_json("\n".join(data)))
            data = []
    return [event for event in events if event is not None]


def _json(text: str) -> Any:
    text = text.strip()
    if text[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None
