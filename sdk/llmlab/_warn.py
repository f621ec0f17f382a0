"""Words to the developer, each said once a process, never as an exception."""

from __future__ import annotations

import warnings


class LLMLabWarning(UserWarning):
    """Something is set up so that LLMLab can't see a call."""


_said: set[str] = set()


def warn_once(message: str) -> None:
    """Say ``message``, unless it was said before."""
    if message in _said:
        return
    _said.add(message)
    try:
        warnings.warn(message, LLMLabWarning, stacklevel=3)
    except Warning:  # where warnings are errors, ours is none
        return


def warn_no_usage(name: str) -> None:
    """``name`` was to be tracked, but no call was seen in it and its result holds no usage."""
    warn_once(
        f"LLMLab saw no LLM call in {name} and found no usage in what it returned, so nothing was "
        "recorded. Supported clients are recorded by themselves; for any other, pass the "
        "provider's response to LLMLabClient().track(response)."
    )
