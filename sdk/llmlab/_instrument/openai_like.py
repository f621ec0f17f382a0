"""The one method through which every call of a generated client goes.

openai, anthropic and their relatives (groq, cerebras, together) come out of the same generator:
``SyncAPIClient.request`` and ``AsyncAPIClient.request`` stand above the retry loop, so one call
of the user is one event, and take the final options, so the model is known.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple, cast

from llmlab._call import Call, StreamedCall
from llmlab._event import status_code_of
from llmlab._instrument.hosts import provider_at
from llmlab._instrument.patching import is_wanted, note_fault, replace
from llmlab._instrument.raw import settle_raw
from llmlab._instrument.streams import AsyncTap, Watch, close_with, close_with_async, tapped
from llmlab._scope import current_scope


class Api(NamedTuple):
    """What a path of the API does, in the event's words and in the extractor's.

    ``is_typed``: the events of its stream have a ``type``; else they are chunks with ``usage``.
    ``parses``: its answers may be parsed further, into types of the user's.
    """

    operation: str
    name: str
    is_typed: bool = True
    takes_stream_options: bool = False
    parses: bool = False


_BILLED: dict[str, Api] = {
    "/chat/completions": Api("chat", "chat.completions", False, True, True),
    "/completions": Api("text_completion", "completions", False, True),
    "/responses": Api("chat", "responses", parses=True),
    "/responses/compact": Api("chat", "responses"),
    "/messages": Api("chat", "messages"),
    "/complete": Api("text_completion", "complete", False),
    "/embeddings": Api("embeddings", "embeddings"),
    "/images/generations": Api("image_generation", "images"),
    "/images/edits": Api("image_generation", "images"),
    "/images/variations": Api("image_generation", "images"),
    "/audio/transcriptions": Api("transcription", "audio"),
    "/audio/translations": Api("transcription", "audio"),
    "/audio/speech": Api("speech", "audio"),
}
_STORED = ("/threads/", "/sessions/", "/conversations/")
"""Where ``messages`` are kept, not answered."""
_RAW_HEADER = "X-Stainless-Raw-Response"
_MAX_PATHS = 1024

_apis: dict[str, Api | None] = {}
_refusing: set[str] = set()
"""Addresses that answered 400 to ``stream_options``."""


def api_of(path: str) -> Api | None:
    """The billed API behind ``path``; None for files, models, counting tokens and the like."""
    try:
        return _apis[path]
    except KeyError:
        if len(_apis) >= _MAX_PATHS:
            _apis.clear()
        bare = path.partition("?")[0].rstrip("/")
        fitting = [end for end in _BILLED if bare.endswith(end)]
        if any(part in bare for part in _STORED):
            fitting = []
        found = _apis[path] = _BILLED[max(fitting, key=len)] if fitting else None
        return found


class Package(NamedTuple):
    """One client package: who bills where the host does not tell, and its kinds of answers."""

    provider: str
    stream: Any
    async_stream: Any
    raw: tuple[Any, ...]


class Attempt:
    """One ``request`` under way, and what we changed in its options."""

    __slots__ = ("_address", "_answer", "_before", "_options", "_package", "api", "call")

    def __init__(
        self, package: Package, client: Any, options: Any, api: Api, streams: bool
    ) -> None:
        self.api = api
        self._package = package
        self._options = options
        self._address = ""
        self._before: dict[str, Any] | None = None
        self._answer: Any = None
        raw = _raw_kind(options)
        # A body that is read later may also be dropped, like a stream.
        kind = StreamedCall if streams or raw == "stream" else Call
        self.call = _new_call(kind, package, client, options, api)
        self.call.streamed = streams
        if streams and api.takes_stream_options and not raw:
            self._ask_for_usage(str(client.base_url), _dict(options.json_data))
        if api.parses:
            self._listen_to_parser()
        if api.operation == "speech":
            text = _dict(options.json_data).get("input")
            self.call.units = {"characters": len(text)} if isinstance(text, str) else None

    def _ask_for_usage(self, address: str, body: dict[str, Any]) -> None:
        """Without ``include_usage`` a stream says nothing of what it cost."""
        extra = _dict(self._options.extra_json)
        wished = _dict(body.get("stream_options"))
        if wished.get("include_usage") or address in _refusing or "stream_options" in extra:
            return
        self._address = address
        self._before = body
        self._options.json_data = {**body, "stream_options": {**wished, "include_usage": True}}

    def _listen_to_parser(self) -> None:
        """``parse`` may fail on an answer that was paid for: have a look at it before."""
        parser = self._options.post_parser
        if not callable(parser):
            return

        def listening(answer: Any) -> Any:
            self._answer = answer
            return parser(answer)

        self._options.post_parser = listening

    def goes_on_after(self, error: BaseException) -> bool:
        """True if it was our own addition that was refused: once more without. Else it is over."""
        try:
            if self._before is not None and _refuses_stream_options(error):
                _refusing.add(self._address)
                self._options.json_data, self._before = self._before, None
                return True
            if self._answer is not None:
                self.call.answered(self._answer)
            else:
                self.call.failed(error)
        except Exception:
            note_fault()
        return False

    def settle(self, result: Any) -> Any:
        """``result``, watched if it is still to be read."""
        try:
            self._settle(result)
        except Exception:
            note_fault()
        return result

    def _settle(self, result: Any) -> None:
        package, call = self._package, self.call
        if isinstance(result, package.raw):
            settle_raw(result, call)
        elif not isinstance(call, StreamedCall):
            call.answered(result)
        else:
            watch = Watch(call, is_typed=self.api.is_typed, hides_usage=self._before is not None)
            if isinstance(result, package.stream):
                result._iterator = tapped(result._iterator, watch)
            elif isinstance(result, package.async_stream):
                result._iterator = AsyncTap(result._iterator, watch)
            else:  # a stream of the user's own making: only its beginning is known
                call.closed()
                return
            result._llmlab_call = call


def _begin(
    package: Package, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Call | Attempt | None:
    """The call that begins with these arguments, None if it is nothing to record."""
    try:
        if not is_wanted():
            return None
        options = args[1] if len(args) > 1 else kwargs["options"]
        api = api_of(options.url)
        if api is None or options.method.lower() != "post":
            return None
        streams = bool(kwargs.get("stream"))
        if streams or _needs_care(options, api):
            return Attempt(package, client, options, api, streams=streams)
        return _new_call(Call, package, client, options, api)
    except Exception:
        note_fault()
        return None


def _needs_care(options: Any, api: Api) -> bool:
    """Whether more is to be done than to read a parsed answer."""
    headers = options.headers
    if isinstance(headers, dict) and _RAW_HEADER in headers:
        return True
    return (api.parses and callable(options.post_parser)) or api.operation == "speech"


def _new_call(kind: type[Call], package: Package, client: Any, options: Any, api: Api) -> Call:
    model = _dict(options.json_data).get("model")
    provider = provider_at(client.base_url) or _provider_by_client(package, client)
    return kind(provider, model if isinstance(model, str) else None, api.operation, api.name)


def _provider_by_client(package: Package, client: Any) -> str:
    scope = current_scope.get()
    if scope is not None and scope.provider and package.provider == "openai":
        return scope.provider  # a compatible server of the user's own, and its name
    return "azure" if "Azure" in type(client).__name__ else package.provider


def _raw_kind(options: Any) -> str:
    """``true`` or ``raw``: the body is there; ``stream``: it is read later; "": parsed for us."""
    return str(_dict(options.headers).get(_RAW_HEADER, ""))


def _dict(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _refuses_stream_options(error: BaseException) -> bool:
    return status_code_of(error) in (400, 422) and "stream_options" in str(error)


def _watched(package: Package, original: Any) -> Any:
    def request(self: Any, *args: Any, **kwargs: Any) -> Any:
        attempt = _begin(package, self, args, kwargs)
        if attempt is None:
            return original(self, *args, **kwargs)
        while True:
            try:
                return attempt.settle(original(self, *args, **kwargs))
            except BaseException as error:
                if not attempt.goes_on_after(error):
                    raise

    return request


def _watched_async(package: Package, original: Any) -> Any:
    async def request(self: Any, *args: Any, **kwargs: Any) -> Any:
        attempt = _begin(package, self, args, kwargs)
        if attempt is None:
            return await original(self, *args, **kwargs)
        while True:
            try:
                return attempt.settle(await original(self, *args, **kwargs))
            except BaseException as error:
                if not attempt.goes_on_after(error):
                    raise

    return request


def patch(package_name: str, provider: str) -> None:
    """Watch every client of ``package_name``, made already or not."""
    base = import_module(package_name + "._base_client")
    streaming = import_module(package_name + "._streaming")
    package = Package(provider, streaming.Stream, streaming.AsyncStream, _raw_kinds(package_name))
    replace(base.SyncAPIClient, "request", lambda original: _watched(package, original))
    replace(base.AsyncAPIClient, "request", lambda original: _watched_async(package, original))
    replace(streaming.Stream, "close", close_with)
    replace(streaming.AsyncStream, "close", close_with_async)


def _raw_kinds(package_name: str) -> tuple[Any, ...]:
    """The classes of ``with_raw_response`` and ``with_streaming_response``, where they exist."""
    kinds: tuple[Any, ...] = ()
    for module_name, class_name in (
        ("_response", "BaseAPIResponse"),
        ("_response", "APIResponse"),
        ("_legacy_response", "LegacyAPIResponse"),
    ):
        try:
            module = import_module(f"{package_name}.{module_name}")
            kinds += (getattr(module, class_name),)
        except (ImportError, AttributeError):
            continue
    return kinds
