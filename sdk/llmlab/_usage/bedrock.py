"""Amazon Bedrock: Converse, Nova, and the invocation metrics of streams and response headers.

Cached and written tokens lie *beside* the input, under two spellings.
"""

from __future__ import annotations

from typing import Any

from llmlab._usage.values import Fields, any_of, count, fields, items


def read_converse(usage: Fields) -> dict[str, Any]:
    """Converse and Nova: ``inputTokens``, ``outputTokens``, ``cacheDetails`` by lifetime."""
    counts = _beside(
        usage.get("inputTokens"),
        usage.get("outputTokens"),
        any_of(usage, ("cacheReadInputTokens", "cacheReadInputTokenCount")),
        any_of(usage, ("cacheWriteInputTokens", "cacheWriteInputTokenCount")),
    )
    if usage.get("inputTokens") is None:
        rest = count(usage.get("totalTokens")) - counts["output_tokens"]
        counts["input_tokens"] = max(counts["input_tokens"], rest)
    written = counts["cache_write_tokens"]
    for entry in map(fields, items(usage.get("cacheDetails"))):
        if entry.get("ttl") == "1h":
            counts["cache_write_1h_tokens"] = min(count(entry.get("inputTokens")), written)
    return counts


def read_metrics(metrics: Fields) -> dict[str, Any]:
    """``amazon-bedrock-invocationMetrics`` in the last chunk of an invoke stream, or headers."""
    return _beside(
        metrics.get("inputTokenCount"),
        metrics.get("outputTokenCount"),
        metrics.get("cacheReadInputTokenCount"),
        metrics.get("cacheWriteInputTokenCount"),
    )


def _beside(fresh: object, answer: object, read: object, written: object) -> dict[str, Any]:
    cache_read, cache_write = count(read), count(written)
    return {
        "input_tokens": count(fresh) + cache_read + cache_write,
        "cache_read_tokens": cache_read,
        "cache_write_tokens": cache_write,
        "output_tokens": count(answer),
    }
