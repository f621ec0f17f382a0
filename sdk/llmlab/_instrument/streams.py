"""Streams that run by: what they say of usage is noted, everything is passed on.

Each chunk costs an attribute look-up; only the few that carry usage are looked into.
"""

from __future__ import annotations

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
    """What one stream's events say, event by event.

    ``hides_usage``: the chunk with usage is there because we asked for it; the user did not.
    """

    __slots__ = ("_hides_usage", "_last", "call", "is_typed")

    def __init__(self, call: StreamedCall, *, is_typed: bool, hides_usage: bool) -> None:
        self.call = call
        self.is_typed = is_typed
        self._hides_usage = hides_usage
        self._last: Any = None

    def first(self, item: Any) -> None:
        """The first event: it names the model and the response."""
        self.call.began()
        self.call.pieces.add(item)

    def usage_chunk(self, before: Any, item: Any) -> bool:
        """A chunk with usage, after the chunk ``before``. True if the user shall not see it."""
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
    last: Any = None
    call = watch.call
    try:
        for item in inner:
            if last is None and call.first_at is None:
                watch.first(item)
            if getattr(item, "usage", None) is not None and watch.usage_chunk(last, item):
                continue
            last = item
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
        for item in inner:
            if call.first_at is None:
                call.began()
            if getattr(item, "type", None) in _TELLING:
                call.pieces.add(item)
            yield item
    except GeneratorExit:
        raise
    except BaseException as error:
        call.failed(error)
        raise
    call.completed()


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
        return getattr(item, "usage", None) is not None and watch.usage_chunk(self._last, item)

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
