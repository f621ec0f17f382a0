"""The last step of every event, however it came about: counted, recorded, remembered."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from llmlab._event import Event
from llmlab._recorder import Recorder
from llmlab._usage import Usage

MAX_REMEMBERED = 64

_remembered: OrderedDict[str, Event] = OrderedDict()


def report(event: Event, usage: Usage | None, scope: Any, recorder: Recorder) -> None:
    """Record ``event`` and tell the trackers around it."""
    for tracker in scope.trackers:
        tracker.seen(event, usage)
    recorder.record(event, scope.trackers)
    response_id = event.get("response_id")
    if response_id:
        _remember(response_id, event)


def remembered(response_id: str | None) -> Event | None:
    """The event that told of this response lately, None if there was none."""
    return _remembered.get(response_id) if response_id else None


def _remember(response_id: str, event: Event) -> None:
    """Keep the last events by the provider's id, so that nobody reports one of them again."""
    _remembered[response_id] = event
    if len(_remembered) > MAX_REMEMBERED:
        try:
            _remembered.popitem(last=False)
        except KeyError:  # other threads were faster
            return
