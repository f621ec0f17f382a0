"""Methods of other people's classes, replaced and put back."""

from __future__ import annotations

import functools
from typing import Any, Callable

from llmlab._recorder import registry
from llmlab._scope import current_scope

_replaced: list[tuple[Any, str, Any, Any]] = []


class _Switch:
    everything = False
    """Whether calls outside of every decorator and tracker are recorded too: ``instrument()``."""


switch = _Switch()


def is_wanted() -> bool:
    """Whether the call that begins now shall be recorded."""
    if switch.everything:
        return True
    scope = current_scope.get()
    return scope is not None and scope.captures


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put ``make(original)`` in the place of ``owner.name``; a missing method is left alone."""
    own: dict[str, Any] = owner.__dict__
    original: Any = own.get(name)
    function = getattr(original, "__func__", original)  # of a class method
    if function is None or hasattr(function, "__llmlab__"):
        return
    replacement: Any = functools.update_wrapper(make(function), function)
    replacement.__llmlab__ = True
    if function is not original:
        replacement = classmethod(replacement)
    setattr(owner, name, replacement)
    _replaced.append((owner, name, original, replacement))


def restore() -> None:
    """Put every original back, except where somebody else has replaced ours since."""
    kept: list[tuple[Any, str, Any, Any]] = []
    while _replaced:
        owner, name, original, replacement = entry = _replaced.pop()
        own: dict[str, Any] = owner.__dict__
        if own.get(name) is replacement:
            setattr(owner, name, original)
        else:
            kept.append(entry)
    _replaced.extend(kept)


def note_fault() -> None:
    """Something of ours went wrong where the host must not notice: count it."""
    registry.default().drops.add("internal_error")
