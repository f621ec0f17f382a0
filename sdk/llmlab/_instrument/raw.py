"""Answers that the user reads raw: ``with_raw_response`` and ``with_streaming_response``."""

from __future__ import annotations

from typing import Any, AsyncIterator, Iterator

from llmlab._call import Call

_LAST = b"data: [DONE]"
MAX_KEPT_BYTES = 8 << 20
"""Of a body that the user reads piece by piece; usage in a longer one is not found."""


def settle_raw(result: Any, call: Call) -> None:
    """End ``call`` if the body is there already; else listen until it has been read."""
    response = result.http_response
    call.retries = getattr(result, "retries_taken", 0)
    if response.is_closed:
        call.answered(response.content, response.headers)
    elif _is_text(response):
        _listen(response, call)
    else:
        call.answered(None, response.headers)


def _is_text(response: Any) -> bool:
    kind = response.headers.get("content-type", "")
    return "json" in kind or "event-stream" in kind


def _listen(response: Any, call: Call) -> None:
    """Every way to read a body that the HTTP library offers leads through these two methods."""
    listener = _Listener(call, response.headers)
    read, aread = response.iter_bytes, response.aiter_bytes

    def iter_bytes(*args: Any, **kwargs: Any) -> Iterator[bytes]:
        return listener.hear(read(*args, **kwargs))

    def aiter_bytes(*args: Any, **kwargs: Any) -> AsyncIterator[bytes]:
        return listener.ahear(aread(*args, **kwargs))

    response.iter_bytes, response.aiter_bytes = iter_bytes, aiter_bytes


class _Listener:
    def __init__(self, call: Call, headers: Any) -> None:
        self._call = call
        self._headers = headers
        self._kept: list[bytes] = []
        self._size = 0
        self._is_whole = False

    def hear(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        try:
            for piece in pieces:
                self._keep(piece)
                yield piece
        except GeneratorExit:  # perhaps the garbage collector's, so nothing is done here
            self._call.end_later(self._end)
            raise
        except BaseException as error:
            self._call.failed(error)
            raise
        self._is_whole = True
        self._end()

    async def ahear(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for piece in pieces:
                self._keep(piece)
                yield piece
        except GeneratorExit:  # perhaps the garbage collector's, so nothing is done here
            self._call.end_later(self._end)
            raise
        except BaseException as error:
            self._call.failed(error)
            raise
        self._is_whole = True
        self._end()

    def _keep(self, piece: bytes) -> None:
        if not self._kept:
            self._call.began()
        if _LAST in piece:  # what follows is nothing, and clients do not wait for it
            self._is_whole = True
        self._size += len(piece)
        if self._size <= MAX_KEPT_BYTES:
            self._kept.append(piece)

    def _end(self) -> None:
        body = b"".join(self._kept)
        self._call.answered(body, self._headers, is_partial=not self._is_whole)
