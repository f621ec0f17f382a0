"""What tells one call from another: its id, and the line of the user's code that made it."""

from __future__ import annotations

import os
import sys
from types import CodeType, FrameType
from typing import Any

_VARIANT = "89ab"
_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_STDLIB = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_PLUMBING = frozenset(
    (
        "anthropic",
        "anyio",
        "asyncio",
        "backoff",
        "botocore",
        "boto3",
        "cohere",
        "concurrent",
        "contextvars",
        "functools",
        "google",
        "groq",
        "httpcore",
        "httpx",
        "httpx2",
        "instructor",
        "langchain",
        "langchain_anthropic",
        "langchain_core",
        "langchain_google_genai",
        "langchain_openai",
        "langgraph",
        "litellm",
        "llama_index",
        "llmlab",
        "mistralai",
        "openai",
        "pydantic",
        "pydantic_ai",
        "runpy",
        "tenacity",
        "threading",
        "wrapt",
    )
)
"""Packages that stand between the user's code and a provider, never the reason of a call."""

_MAX_SITES = 4096
_sites: dict[CodeType, str | None] = {}


def new_event_id(milliseconds: int) -> str:
    """A UUIDv7 for a call that started at ``milliseconds`` since 1970 (RFC 9562, 5.7).

    Random bits come from the system: a host's ``random.seed(42)`` or a fork must not repeat them.
    """
    noise = os.urandom(10).hex()
    time = f"{milliseconds:012x}"
    variant = _VARIANT[int(noise[3], 16) & 3]
    return f"{time[:8]}-{time[8:]}-7{noise[:3]}-{variant}{noise[4:7]}-{noise[7:19]}"


def call_site() -> str:
    """``module:function`` of the nearest frame that is the user's own code; "" if there is none."""
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]  # inspect's costs 100 times more
    while frame is not None:
        code = frame.f_code
        try:
            site = _sites[code]
        except KeyError:
            site = _remember(code, frame)
        if site is not None:
            return site
        frame = frame.f_back
    return _installed_site()


def _remember(code: CodeType, frame: FrameType) -> str | None:
    if len(_sites) >= _MAX_SITES:  # code made at run time would otherwise be kept for ever
        _sites.clear()
    site = _sites[code] = None if _is_library(code.co_filename) else _name(frame)
    return site


def _is_library(filename: str) -> bool:
    if filename.startswith((_HERE, _STDLIB, "<frozen ")):
        return True
    return any(part in filename for part in _INSTALLED)


def name_of(function: Any) -> str:
    """``module:function`` of a function, in the words of ``call_site``."""
    name = str(getattr(function, "__qualname__", type(function).__name__))
    code = getattr(function, "__code__", None)
    module = str(getattr(function, "__module__", ""))
    return f"{_module(module, code)}:{name.rpartition('<locals>.')[2]}"


def _name(frame: FrameType) -> str:
    module = str(frame.f_globals.get("__name__", ""))
    return f"{_module(module, frame.f_code)}:{frame.f_code.co_name}"


def _module(module: str, code: CodeType | None) -> str:
    """``module``; of a program that is run and not imported, the name of its file."""
    if module != "__main__" or code is None:
        return module
    filename = code.co_filename
    if "ipykernel" in filename or filename.startswith("<ipython"):
        return "notebook"
    if filename.startswith("<"):
        return "__main__"
    return os.path.splitext(os.path.basename(filename))[0]


def _installed_site() -> str:
    """The nearest frame of an application that is itself installed as a package."""
    frame: FrameType | None = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        root = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if root not in _PLUMBING and not frame.f_code.co_filename.startswith((_HERE, _STDLIB, "<")):
            return _name(frame)
        frame = frame.f_back
    return ""
