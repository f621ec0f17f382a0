"""Anthropic's messages, wherever they are served: cache reads and writes lie *beside* the input."""

from __future__ import annotations

from typing import Any

from llmlab._usage.usage import AdditionalUsage, usage_of
from llmlab._usage.values import Fields, count, fields, items, name

_BESIDE_THE_TOTAL = ("compaction", "advisor_message")
"""Iterations that are billed but not part of the top-level counts; ``message`` ones are."""


def read_messages(usage: Fields, model: str | None = None) -> dict[str, Any]:
    """Counts of ``usage``; ``model`` is the one that answered, for iterations that name none."""
    counts = _counts(usage)
    tools = usage.get("server_tool_use")
    if tools is not None:
        counts["web_search_requests"] = count(fields(tools).get("web_search_requests"))
    iterations = usage.get("iterations")
    if iterations:
        counts["additional_usage"] = _additional(iterations, model)
    return counts


def _counts(usage: Fields) -> dict[str, Any]:
    read = count(usage.get("cache_read_input_tokens"))
    written = count(usage.get("cache_creation_input_tokens"))
    hour = 0
    split = usage.get("cache_creation")
    if split is not None:
        lifetimes = fields(split)
        hour = count(lifetimes.get("ephemeral_1h_input_tokens"))
        # Without a split every write is a 5 minute one; with it, the larger figure is the bill.
        written = max(written, hour + count(lifetimes.get("ephemeral_5m_input_tokens")))
    counts: dict[str, Any] = {
        "input_tokens": count(usage.get("input_tokens")) + read + written,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "cache_write_1h_tokens": hour,
        "output_tokens": count(usage.get("output_tokens")),
    }
    details = usage.get("output_tokens_details")
    if details is not None:
        counts["reasoning_tokens"] = count(fields(details).get("thinking_tokens"))
    return counts


def _additional(iterations: object, model: str | None) -> tuple[AdditionalUsage, ...]:
    return tuple(
        AdditionalUsage(
            model=name(iteration.get("model")) or model, usage=usage_of(_counts(iteration))
        )
        for iteration in map(fields, items(iterations))
        if iteration.get("type") in _BESIDE_THE_TOTAL
    )
