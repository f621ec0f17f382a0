"""openai before 1.0: every resource's ``create`` and ``acreate`` end in one class."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from llmlab._call import Call, StreamedCall
from llmlab._instrument.hosts import provider_of_host
from llmlab._instrument.patching import is_wanted, note_fault, replace
from llmlab._instrument.streams import AsyncTap, Watch, tapped

_APIS = {
    "chat.completions": ("chat", "chat.completions"),
    "completions": ("text_completion", "completions"),
    "edits": ("text_completion", "completions"),
    "embeddings": ("embeddings", "embeddings"),
}


def is_installed() -> bool:
    """True if the openai package that is imported is older than 1.0."""
    return str(getattr(sys.modules.get("openai"), "__version__", "1")).startswith("0.")


def _begin(resource: Any, params: dict[str, Any]) -> Call | None:
    try:
        api = _APIS.get(resource.OBJECT_NAME)
        if api is None or not is_wanted():
            return None
        model = params.get("model") or params.get("engine") or params.get("deployment_id")
        kind = StreamedCall if params.get("stream") else Call
        return kind(_provider(params), str(model) if model else None, *api)
    except Exception:
        note_fault()
        return None


def _provider(params: dict[str, Any]) -> str:
    openai: Any = sys.modules["openai"]
    if str(params.get("api_type") or openai.api_type).lower().startswith("azure"):
        return "azure"
    address = str(params.get("api_base") or openai.api_base)
    host = address.partition("://")[2].partition("/")[0]
    return provider_of_host(host) or "openai"


def _watch(call: Call) -> Watch | None:
    """How to watch the answer if it comes in pieces."""
    if isinstance(call, StreamedCall):
        return Watch(call, is_typed=False, hides_usage=False)
    return None


def _create(original: Any) -> Any:
    def create(cls: Any, *args: Any, **params: Any) -> Any:
        call = _begin(cls, params)
        try:
            result = original(cls, *args, **params)
        except BaseException as error:
            if call is not None:
                call.failed(error)
            raise
        if call is None:
            return result
        watch = _watch(call)
        return call.settle(result) if watch is None else tapped(result, watch)

    return create


def _acreate(original: Any) -> Any:
    async def acreate(cls: Any, *args: Any, **params: Any) -> Any:
        call = _begin(cls, params)
        try:
            result = await original(cls, *args, **params)
        except BaseException as error:
            if call is not None:
                call.failed(error)
            raise
        if call is None:
            return result
        watch = _watch(call)
        return call.settle(result) if watch is None else AsyncTap(result, watch)

    return acreate


def patch() -> None:
    """Watch every resource of openai 0.x."""
    name = "openai.api_resources.abstract.engine_api_resource"
    owner = import_module(name).EngineAPIResource
    replace(owner, "create", _create)
    replace(owner, "acreate", _acreate)
