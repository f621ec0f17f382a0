"""What tells one call from another: its id, and the line of the user's code that made it."""

from __future__ import annotations

import itertools
import os
import sys
from types import CodeType, FrameType
from typing import Any

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


class _Ids:
    """UUIDv7s of one process: the time, and a counter that begins at a random number.

    RFC 9562, 6.2, method 2: 12 + 58 random bits keep processes apart, the counter keeps apart what
    happens in one. They come from the system: a host's ``random.seed(42)`` must not repeat them.
    """

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin at another random number; a forked child must."""
        self._process = int.from_bytes(os.urandom(2), "big") & 0xFFF
        start = int.from_bytes(os.urandom(8), "big") >> 6
        self._next = itertools.count(0x8000_0000_0000_0000 | start).__next__

    def make(self, milliseconds: int) -> str:
        """An id for a call that started at ``milliseconds`` since 1970."""
        number = self._next()
        time, low = milliseconds >> 16, number & 0xFFFF_FFFF_FFFF
        return (
            f"{time:08x}-{milliseconds & 0xFFFF:04x}-7{self._process:03x}-"
            f"{number >> 48:04x}-{low:012x}"
        )


_ids = _Ids()
new_event_id = _ids.make

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ids.renew)


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
