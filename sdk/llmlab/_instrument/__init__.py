"""Makes provider clients report by themselves: one choke point a client, on its class."""

from __future__ import annotations

from functools import partial
from typing import Mapping

from llmlab._config import is_disabled
from llmlab._instrument import botocore, google_genai, openai_like, openai_v0, threads
from llmlab._instrument.hosts import name_hosts
from llmlab._instrument.imports import Patch, forget, when_imported
from llmlab._instrument.patching import restore, switch


def patch_openai() -> None:
    """Openai as it has been since 1.0, or as it was before."""
    if openai_v0.is_installed():
        openai_v0.patch()
    else:
        openai_like.patch("openai", "openai")


_PATCHES: dict[str, Patch] = {
    "openai": patch_openai,
    "anthropic": partial(openai_like.patch, "anthropic", "anthropic"),
    "groq": partial(openai_like.patch, "groq", "groq"),
    "cerebras.cloud.sdk": partial(openai_like.patch, "cerebras.cloud.sdk", "cerebras"),
    "google.genai._api_client": google_genai.patch,
    "botocore.client": botocore.patch,
    "threading": threads.patch_threads,
    "concurrent.futures.thread": threads.patch_pools,
}


def instrument(*, hosts: Mapping[str, str] | None = None) -> None:
    """Record every call of the openai, anthropic and google-genai clients in this process.

    Call it once, at start-up; again does nothing. It does not matter whether clients exist
    already or are imported later.

    Args:
        hosts: Who bills at hosts of your own: ``{"localhost:11434": "ollama"}``. Other
            OpenAI-compatible servers on your machine count as ``openai``.
    """
    if is_disabled():
        return
    if hosts:
        name_hosts(hosts)
    watch()
    switch.everything = True


def uninstrument() -> None:
    """Undo ``instrument()``: every method is again what it was."""
    switch.everything = False
    forget()
    restore()
    _watching.clear()


def watch() -> None:
    """Be ready to record calls inside scopes that capture. Cheap to repeat."""
    if not _watching and not is_disabled():
        _watching.append(True)
        when_imported(_PATCHES)


_watching: list[bool] = []
