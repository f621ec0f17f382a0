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
            return _torn_array(text) if text[0] == "[" else _whole(text.split("\n"))
    return _server_sent_events(text) if "data:" in text else None


def _torn_array(text: str) -> list[Any]:
    """The items of an array that broke off: as many as are whole."""
    decoder = json.JSONDecoder()
    values: list[Any] = []
    at = 1
    while True:
        while text[at : at + 1] in (" ", "\t", "\r", "\n", ","):
            at += 1
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError:
            return values
        values.append(value)


def _server_sent_events(text: str) -> list[Any]:
    """The data of each event, whether ``event:`` stands before or after it.

    ``splitlines`` would be wrong: JSON may hold U+2028 and others of its line ends.
    """
    events: list[str] = []
    data: list[str] = []
    for line in [*text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), ""]:
        if line.startswith("data:"):
            data.append(line[5:])
        elif not line and data:
            events.append("\n".join(data))
            data = []
    return _whole(events)


def _whole(lines: list[str]) -> list[Any]:
    return [value for value in map(_json, lines) if value is not None]


def _json(text: str) -> Any:
    text = text.strip()
    if text[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None
