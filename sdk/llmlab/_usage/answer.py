"""One whole answer of a provider: where its usage lies, and everything read from it."""

from __future__ import annotations

from typing import Any, Mapping

from llmlab._usage import headers as response_headers
from llmlab._usage.about import (
    LONGEST_TIER,
    finish_reason_of,
    model_of,
    normal_tier,
    response_id_of,
    service_tier_of,
)
from llmlab._usage.bare import bare_counts
from llmlab._usage.bedrock import read_metrics
from llmlab._usage.fees import add_fees
from llmlab._usage.money import reported_cost
from llmlab._usage.openai import read_chat
from llmlab._usage.shapes import read_usage, told
from llmlab._usage.usage import Usage, usage_of
from llmlab._usage.values import NONE, Fields, dollars, fields, first, name

METRICS = "amazon-bedrock-invocationMetrics"

_ENVELOPES = ("response", "message", "interaction", "delta", "metadata")
"""Parts of an event that are an answer themselves, or the end of one (Bedrock: metadata)."""


def read_answer(
    answer: Fields, headers: object = None, provider: str | None = None
) -> Usage | None:
    """Usage of ``answer``, or None if there is none in it."""
    beside = NONE
    if headers is not None or "ResponseMetadata" in answer:
        beside = response_headers.told(headers or response_headers.of_boto(answer))
    batch = "custom_id" in answer
    holder, usage = locate(_in_batch_line(answer) if batch else answer)
    model = model_of(holder)
    counts = read_usage(usage, model) if usage else None
    if counts is None:
        usage, counts = _beside(holder, beside)
    if counts is None:
        return None
    add_fees(counts, usage, holder)
    counts["model"] = model
    counts["response_id"] = response_id_of(holder)
    counts["finish_reason"] = finish_reason_of(holder)
    counts["service_tier"] = "batch" if batch else service_tier_of(holder, usage)
    counts["_raw"] = usage
    if "cost" in usage or "cost_in_usd_ticks" in usage:
        counts["reported_cost"] = reported_cost(usage, provider)
    if "inference_geo" in usage or "speed" in usage:
        counts["inference_geo"] = name(usage.get("inference_geo"), LONGEST_TIER)
        counts["speed"] = name(usage.get("speed"), LONGEST_TIER)
    if beside:
        _add_headers(counts, beside)
    return usage_of(counts)


def locate(event: Fields) -> tuple[Fields, Fields]:
    """The part of ``event`` that is the answer, and its usage object (empty if there is none)."""
    usage = event.get("usage") or _usage_in(event)
    if usage:
        return event, fields(usage)
    for part in _ENVELOPES:
        inner = event.get(part)
        if inner:
            holder = fields(inner)
            usage = _usage_in(holder)
            if usage:
                return holder, fields(usage)
    groq = event.get("x_groq")
    usage = fields(groq).get("usage") if groq else None
    return event, fields(usage or first(event.get("choices")).get("usage"))  # the latter: Moonshot


def _usage_in(holder: Fields) -> Any:
    usage = holder.get("usage") or holder.get("usageMetadata") or holder.get("usage_metadata")
    if usage:
        return usage
    meta = holder.get("meta")  # Cohere v1
    return meta if meta and "billed_units" in fields(meta) else None


def _in_batch_line(line: Fields) -> Fields:
    """The answer inside a line of OpenAI's or Anthropic's batch output."""
    openai = fields(fields(line.get("response")).get("body"))
    return openai or fields(fields(line.get("result")).get("message"))


def _beside(holder: Fields, headers: Mapping[str, str]) -> tuple[Fields, dict[str, Any] | None]:
    """Counts that are in no usage object: the metrics of a stream, bare ones, headers."""
    metrics = fields(holder.get(METRICS))
    bare = None if metrics else bare_counts(holder)
    if bare:
        return bare, told(read_chat(bare), bare)
    metrics = metrics or response_headers.metrics(headers)
    return metrics, told(read_metrics(metrics), metrics)


def _add_headers(counts: dict[str, Any], headers: Mapping[str, str]) -> None:
    """Tier and price from headers, where the body does not tell."""
    if counts["service_tier"] is None:
        counts["service_tier"] = normal_tier(headers.get(response_headers.TIER))
    if counts.get("reported_cost") is None:
        counts["reported_cost"] = dollars(headers.get(response_headers.COST))
