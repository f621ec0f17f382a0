"""Which reader understands a usage object: its own keys decide, never a provider's name."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from llmlab._usage.anthropic import read_messages
from llmlab._usage.bedrock import read_converse
from llmlab._usage.cohere import read_cohere
from llmlab._usage.gemini import read_interactions, read_usage_metadata
from llmlab._usage.openai import read_chat, read_duration, read_responses
from llmlab._usage.values import Fields, fields

Counts = Dict[str, Any]

_ANTHROPIC = (
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation",
    "server_tool_use",
    "iterations",
)


def read_usage(usage: Fields, model: str | None = None) -> Counts | None:
    """Values of ``Usage``'s attributes, or None if ``usage`` holds no count that we know."""
    if "prompt_tokens" in usage or "completion_tokens" in usage:
        counts = read_chat(usage)
    elif "input_tokens" in usage or "output_tokens" in usage:
        counts = read_messages(usage, model) if _is_anthropic(usage) else read_responses(usage)
    else:
        counts = _read_rarer(usage)
    return None if counts is None else told(counts, usage)


def told(counts: Counts, usage: Fields) -> Counts | None:
    """``counts``, or None if nothing in ``usage`` was a number: unknown is never 0."""
    if counts.get("input_tokens") or any(counts.values()):
        return counts
    return counts if _says_zero(usage) else None


def _read_rarer(usage: Fields) -> Counts | None:
    if any(key in usage for key in _GEMINI):
        return read_usage_metadata(usage)
    if "inputTokens" in usage or "outputTokens" in usage:
        return read_converse(usage)
    if "billed_units" in usage or "tokens" in usage:
        return read_cohere(usage)
    if "total_input_tokens" in usage or "total_output_tokens" in usage:
        return read_interactions(usage)
    if usage.get("type") == "duration":
        return read_duration(usage)
    return read_chat(usage) if "total_tokens" in usage else None


_GEMINI = (
    "promptTokenCount",
    "prompt_token_count",
    "totalTokenCount",
    "total_token_count",
    "candidatesTokenCount",
    "candidates_token_count",
)


def _is_anthropic(usage: Fields) -> bool:
    if usage.get("input_tokens_details") or usage.get("input_token_details"):
        return False
    if any(key in usage for key in _ANTHROPIC):
        return True
    return "thinking_tokens" in fields(usage.get("output_tokens_details"))


def _says_zero(usage: Fields) -> bool:
    """Whether a number stands there: an explicit 0 is an answer, null and nothing are none."""
    values = usage.values() if isinstance(usage, Mapping) else ()
    return any(isinstance(value, (int, float)) and value == 0 for value in values)
