"""google-genai: four methods of ``BaseApiClient`` carry every call, as JSON text."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any, AsyncIterator, Iterator

from llmlab._call import Call, StreamedCall
from llmlab._instrument.patching import is_wanted, note_fault, replace

_METHODS = {
    "generateContent": "chat",
    "streamGenerateContent": "chat",
    "embedContent": "embeddings",
    "batchEmbedContents": "embeddings",
    "predict": "prediction",
}
_USAGE = '"usageMetadata":'
_SOURCES = '"groundingMetadata"'
_decode_at = json.JSONDecoder().raw_decode


def _begin(client: Any, path: str, *, streams: bool) -> Call | None:
    """The call that begins with this path, None if it is nothing to record."""
    try:
        model, _, method = path.partition("?")[0].rpartition(":")
        operation = _METHODS.get(method)
        if operation is None or not is_wanted():
            return None
        provider = "google-vertex" if client.vertexai else "google"
        name = model.rpartition("/")[2]
        if streams:
            return StreamedCall(provider, name, operation, "generateContent")
        return Call(provider, name, operation, method)
    except Exception:
        note_fault()
        return None


class _Pieces:
    """What the chunks of one stream say. Each is read only as far as its usage."""

    def __init__(self, call: StreamedCall) -> None:
        self._call = call
        self._last = ""
        self._kept: list[str] = []

    def hear(self, chunk: Any) -> None:
        body = chunk.body
        if self._call.first_at is None:
            self._call.began()
        if not isinstance(body, str):
            return
        self._last = body
        at = body.find(_USAGE)
        if at >= 0:
            self._call.pieces.add({"usageMetadata": _usage_at(body, at + len(_USAGE))})
        if _SOURCES in body:
            self._kept.append(body)

    def end(self) -> None:
        """The stream is over: its last chunk says who answered and why it ended."""
        for body in (*self._kept, self._last):
            try:
                self._call.pieces.add(json.loads(body))
            except ValueError:
                continue
        self._call.completed()


def _usage_at(body: str, at: int) -> Any:
    try:
        return _decode_at(body, at + (body[at] == " "))[0]
    except (ValueError, IndexError):
        return None


def _answered(call: Call, response: Any) -> None:
    call.answered(response.body, response.headers)


def _request(original: Any) -> Any:
    def request(self: Any, http_method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        call = _begin(self, path, streams=False)
        try:
            response = original(self, http_method, path, *args, **kwargs)
        except BaseException as error:
            if call is not None:
                call.failed(error)
            raise
        if call is not None:
            _answered(call, response)
        return response

    return request


def _async_request(original: Any) -> Any:
    async def async_request(
        self: Any, http_method: str, path: str, *args: Any, **kwargs: Any
    ) -> Any:
        call = _begin(self, path, streams=False)
        try:
            response = await original(self, http_method, path, *args, **kwargs)
        except BaseException as error:
            if call is not None:
                call.failed(error)
            raise
        if call is not None:
            _answered(call, response)
        return response

    return async_request


def _request_streamed(original: Any) -> Any:
    def request_streamed(
        self: Any, http_method: str, path: str, *args: Any, **kwargs: Any
    ) -> Iterator[Any]:
        # A generator function like the original: nothing happens until it is iterated.
        call = _begin(self, path, streams=True)
        chunks = original(self, http_method, path, *args, **kwargs)
        if call is None:
            yield from chunks
            return
        pieces = _Pieces(call)  # type: ignore[arg-type]
        try:
            for chunk in chunks:
                pieces.hear(chunk)
                yield chunk
        except GeneratorExit:
            raise
        except BaseException as error:
            call.failed(error)
            raise
        pieces.end()

    return request_streamed


def _async_request_streamed(original: Any) -> Any:
    async def async_request_streamed(
        self: Any, http_method: str, path: str, *args: Any, **kwargs: Any
    ) -> Any:
        call = _begin(self, path, streams=True)
        try:
            chunks = await original(self, http_method, path, *args, **kwargs)
        except BaseException as error:
            if call is not None:
                call.failed(error)
            raise
        return chunks if call is None else _heard(chunks, call)

    return async_request_streamed


async def _heard(chunks: AsyncIterator[Any], call: Call) -> AsyncIterator[Any]:
    pieces = _Pieces(call)  # type: ignore[arg-type]
    try:
        async for chunk in chunks:
            pieces.hear(chunk)
            yield chunk
    except GeneratorExit:
        raise
    except BaseException as error:
        call.failed(error)
        raise
    pieces.end()


def patch() -> None:
    """Watch every google-genai client, made already or not."""
    owner = import_module("google.genai._api_client").BaseApiClient
    makers: dict[str, Any] = {
        "request": _request,
        "async_request": _async_request,
        "request_streamed": _request_streamed,
        "async_request_streamed": _async_request_streamed,
    }
    for name, make in makers.items():
        replace(owner, name, make)
