"""Streams that run by: what they say of usage is noted, everything is passed on.

Each chunk costs an attribute look-up; only the few that carry usage are looked into.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, AsyncIterator, Iterator

from llmlab._call import StreamedCall

_TELLING = frozenset(
    (
        "message_start",
        "message_delta",
        "response.created",
        "response.output_item.done",
        "response.completed",
        "response.incomplete",
        "response.failed",
        "image_generation.completed",
        "image_edit.completed",
        "transcript.text.done",
        "speech.audio.done",
    )
)
"""Types of events that say something of usage; of the others there are hundreds."""


class Watch:
    """What is to be noted of one stream.

    ``hides_usage``: the chunk with usage is there because we asked for it; the user did not.
    """

    __slots__ = ("_hides_usage", "call", "is_typed")

    def __init__(self, call: StreamedCall, *, is_typed: bool, hides_usage: bool) -> None:
        self.call = call
        self.is_typed = is_typed
        self._hides_usage = hides_usage

    def first(self, item: Any) -> None:
        """The first event: it names the model and the response."""
        self.call.began()
        self.call.pieces.add(item)

    def hides(self, before: Any, item: Any) -> bool:
        """Note a chunk with usage, after the chunk ``before``: True if it is not for the user."""
        pieces = self.call.pieces
        if before is not None:
            pieces.add(before)  # often the one that says why the answer ended
        pieces.add(item)
        return self._hides_usage and not item.choices


def tapped(inner: Iterator[Any], watch: Watch) -> Iterator[Any]:
    """``inner``, with everything it says noted; the call ends when it does.

    Refers to nothing but ``inner`` and the call, so a dropped stream is closed as early as ever.
    """
    return _tapped_events(inner, watch) if watch.is_typed else _tapped_chunks(inner, watch)


def _tapped_chunks(inner: Iterator[Any], watch: Watch) -> Iterator[Any]:
    call, last = watch.call, None
    try:
        for item in _with_first_noted(inner, watch):
            if getattr(item, "usage", None) is None:
                last = item
                yield item
            elif not watch.hides(last, item):
                yield item
        call.pieces.add(last)
    except GeneratorExit:
        raise  # dropped: the call learns it by itself
    except BaseException as error:
        call.failed(error)
        raise
    call.completed()


def _tapped_events(inner: Iterator[Any], watch: Watch) -> Iterator[Any]:
    call = watch.call
    try:
        for item in _with_first_noted(inner, watch):
            if getattr(item, "type", None) in _TELLING:
                call.pieces.add(item)
            yield item
    except GeneratorExit:
        raise
    except BaseException as error:
        call.failed(error)
        raise
    call.completed()


def _with_first_noted(inner: Iterator[Any], watch: Watch) -> Iterator[Any]:
    """``inner`` itself behind its first item, so that the others need no look at the clock."""
    for item in inner:
        watch.first(item)
        return chain((item,), inner)
    return iter(())


class AsyncTap:
    """The same for an asynchronous stream.

    Not a generator: event loops keep book of those, and finish dropped ones in their own time.
    """

    __slots__ = ("_inner", "_last", "_watch")

    def __init__(self, inner: AsyncIterator[Any], watch: Watch) -> None:
        self._inner = inner
        self._watch = watch
        self._last: Any = None

    def __aiter__(self) -> AsyncTap:
        return self

    async def __anext__(self) -> Any:
        watch = self._watch
        try:
            item = await self._inner.__anext__()
            while self._is_hidden(item, watch):
                item = await self._inner.__anext__()
        except StopAsyncIteration:
            watch.call.pieces.add(self._last)
            watch.call.completed()
            raise
        except BaseException as error:
            watch.call.failed(error)
            raise
        self._last = item
        return item

    def _is_hidden(self, item: Any, watch: Watch) -> bool:
        call = watch.call
        if call.first_at is None:
            watch.first(item)
        if watch.is_typed:
            if getattr(item, "type", None) in _TELLING:
                call.pieces.add(item)
            return False
        return getattr(item, "usage", None) is not None and watch.hides(self._last, item)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def close_with(original: Any) -> Any:
    """``Stream.close`` that also ends the call."""

    def close(self: Any) -> Any:
        _end(self)
        return original(self)

    return close


def close_with_async(original: Any) -> Any:
    """``AsyncStream.close`` that also ends the call."""

    async def close(self: Any) -> Any:
        _end(self)
        return await original(self)

    return close


def _end(stream: Any) -> None:
    own: dict[str, Any] = stream.__dict__
    call: StreamedCall | None = own.get("_llmlab_call")
    if call is not None:
        call.closed()
