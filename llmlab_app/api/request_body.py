"""Read a request's body whole, within bounds, whatever its headers promise."""

import asyncio
import zlib

from starlette.types import Message, Receive, Scope

from llmlab_app.domain.errors import Malformed, TooLarge

MAX_BODY_BYTES = 1 << 20
MAX_INFLATED_BYTES = 8 << 20
_INFLATE_IN_THREAD_FROM = 64 << 10  # bytes; below, the thread would cost more than the work
_GZIP = 31  # zlib's window bits for gzip
_OF_THE_GZIP = frozenset({b"content-encoding", b"content-length"})


class Disconnected(Exception):
    """The caller left before its body was complete: there is nobody to answer."""


async def read_body(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    """The same request with its body read and inflated: ``scope`` and ``receive`` for the app.

    Raises:
        TooLarge: over 1 MiB as sent, or over 8 MiB inflated.
        Malformed: another encoding than gzip, or the body isn't the gzip that it says it is.
        Disconnected: the caller left.
    """
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    encoding = b",".join(value for name, value in headers if name == b"content-encoding").lower()
    if encoding not in (b"", b"identity", b"gzip"):
        raise Malformed(
            "Send the body plain or with Content-Encoding: gzip.", code="unknown_encoding"
        )
    body = await _received(receive)
    if encoding == b"gzip":
        body = await _inflated(body)
        kept = [(name, value) for name, value in headers if name not in _OF_THE_GZIP]
        scope = {**scope, "headers": [*kept, (b"content-length", b"%d" % len(body))]}
    return scope, _replay(body, receive)


async def _received(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MAX_BODY_BYTES:
            raise TooLarge(
                f"The body is over {MAX_BODY_BYTES:,} bytes. Send fewer events at a time, or "
                "compress it with gzip.",
                code="body_too_large",
            )
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _inflated(body: bytes) -> bytes:
    if len(body) < _INFLATE_IN_THREAD_FROM:
        return inflate(body)
    return await asyncio.to_thread(inflate, body)


def inflate(body: bytes) -> bytes:
    """The content of a gzip file of one member, never more than 8 MiB of it.

    Raises:
        Malformed: not gzip, cut off, or something follows it.
        TooLarge: there is more.
    """
    stream = zlib.decompressobj(_GZIP)
    try:
        content = stream.decompress(body, MAX_INFLATED_BYTES + 1)
    except zlib.error as error:
        raise _not_gzip() from error
    if len(content) > MAX_INFLATED_BYTES:
        raise TooLarge(
            f"The body is over {MAX_INFLATED_BYTES:,} bytes when inflated. Send fewer events at a "
            "time.",
            code="inflated_body_too_large",
        )
    if not stream.eof or stream.unused_data:
        raise _not_gzip()
    return content


def _not_gzip() -> Malformed:
    return Malformed("The body says it is gzip, but it isn't, or it was cut off.", code="bad_gzip")


def _replay(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives the body once, then what the server says (a disconnect)."""
    read: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return read.pop() if read else await receive()

    return replay
