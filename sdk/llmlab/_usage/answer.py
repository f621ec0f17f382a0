"""One whole answer of a provider: where its usage lies, and everything read from it."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Tuple

from llmlab._usage import about
from llmlab._usage import headers as response_headers
from llmlab._usage.bare import bare_counts
from llmlab._usage.bedrock import read_metrics
from llmlab._usage.fees import add_fees
from llmlab._usage.money import reported_cost
from llmlab._usage.openai import add_image_facts, read_chat
from llmlab._usage.shapes import read_usage
from llmlab._usage.usage import Usage, usage_of
from llmlab._usage.values import NONE, Fields, dollars, fields, first, name

METRICS = "amazon-bedrock-invocationMetrics"

_ENVELOPES = ("response", "message", "interaction", "delta")
"""Parts of an event that are an answer themselves, or the end of one."""
_POCKETS = ("metadata", "x_groq")
"""Parts that hold usage only: Bedrock's last event, Groq's last chunk."""


def read_answer(
    answer: Fields, headers: object = None, provider: Optional[str] = None
) -> Optional[Usage]:
    """Usage of ``answer``, or None if there is none in it."""
    told = _told(answer, headers)
    answer, batch = _without_batch_line(answer)
    holder, usage = locate(answer)
    model = about.model_of(holder)
    counts = read_usage(usage, model) if usage else None
    if counts is None:
        usage, counts = _beside(holder, told)
        if counts is None:
            return None
    add_fees(counts, usage, holder)
    if "input_tokens" in usage and ("data" in holder or "b64_json" in holder):
        add_image_facts(counts, holder)
    counts["service_tier"] = batch or about.service_tier_of(holder, usage)
    counts["reported_cost"] = reported_cost(usage, provider)
    counts["model"] = model
    counts["response_id"] = about.response_id_of(holder)
    counts["finish_reason"] = about.finish_reason_of(holder)
    counts["_raw"] = usage
    for key in ("speed", "inference_geo"):
        if key in usage:
            counts[key] = name(usage.get(key), about.LONGEST_TIER)
    return usage_of(_with_headers(counts, told) if told else counts)


def locate(event: Fields) -> Tuple[Fields, Fields]:
    """The part of ``event`` that is the answer, and its usage object (empty if there is none)."""
    usage = _usage_in(event)
    if usage:
        return event, usage
    for part in _ENVELOPES:
        inner = event.get(part)
        if inner:
            holder = fields(inner)
            usage = _usage_in(holder)
            if usage:
                return holder, usage
    for part in _POCKETS:
        inner = event.get(part)
        usage = _usage_in(fields(inner)) if inner else NONE
        if usage:
            return event, usage
    return event, fields(first(event.get("choices")).get("usage"))  # Moonshot's last chunk


def _usage_in(holder: Fields) -> Fields:
    usage = (
        holder.get("usage") or holder.get("usageMetadata") or holder.get("usage_metadata")
    )
    if usage:
        return fields(usage)
    meta = holder.get("meta")
    found = fields(meta) if meta else NONE
    return found if "billed_units" in found else NONE  # Cohere v1


def _without_batch_line(answer: Fields) -> Tuple[Fields, Optional[str]]:
    """The answer inside a line of a batch's output, and the tier that only the line tells."""
    if "custom_id" not in answer:
        return answer, None
    openai = fields(fields(answer.get("response")).get("body"))
    anthropic = fields(fields(answer.get("result")).get("message"))
    return openai or anthropic or NONE, "batch"


def _beside(holder: Fields, told: Mapping[str, str]) -> Tuple[Fields, Optional[Dict[str, Any]]]:
    """Counts that are not in a usage object: metrics of a stream, bare ones, headers."""
    metrics = fields(holder.get(METRICS)) or response_headers.metrics(told)
    bare = None if holder.get(METRICS) else bare_counts(holder)
    if bare:
        return bare, read_chat(bare)
    return (metrics, read_metrics(metrics)) if metrics else (NONE, None)


def _told(answer: Fields, headers: object) -> Mapping[str, str]:
    if headers is None:
        headers = response_headers.of_boto(answer)
    return NONE if headers is None else response_headers.told(headers)


def _with_headers(counts: Dict[str, Any], told: Mapping[str, str]) -> Dict[str, Any]:
    """Tier and price from headers, where the body does not tell."""
    if counts["service_tier"] is None:
        counts["service_tier"] = about.normal_tier(told.get(response_headers.TIER))
    if counts["reported_cost"] is None:
        counts["reported_cost"] = dollars(told.get(response_headers.COST))
    return counts
