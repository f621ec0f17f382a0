"""What stands around the counts: who answered, why it ended, which tier served it."""

from __future__ import annotations

from llmlab._usage.values import Fields, any_of, fields, first, name

MODEL_NAMES = ("model", "modelVersion", "model_version", "model_id")
ID_NAMES = ("id", "responseId", "response_id", "generation_id")
TIERS = {
    "default": "default",
    "standard": "default",
    "on_demand": "default",
    "on_demand_flex": "flex",
    "on_demand_priority": "priority",
}
"""Providers' words for what an event calls by one name; every other word stays as it is."""
_TRAFFIC = {1: "on_demand", 2: "provisioned_throughput"}
"""google.cloud.aiplatform TrafficType, as clients with integer enums write it."""
_FINISH = {1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION", 5: "OTHER"}
"""google.cloud.aiplatform FinishReason, likewise."""
LONGEST_TIER, _LONGEST_REASON = 32, 64


def model_of(answer: Fields) -> str | None:
    """The model that answered."""
    return name(answer.get("model") or any_of(answer, MODEL_NAMES))


def response_id_of(answer: Fields) -> str | None:
    """The provider's own id of the answer."""
    return name(answer.get("id") or any_of(answer, ID_NAMES))


def finish_reason_of(answer: Fields) -> str | None:
    """Why the answer ended, in the provider's word."""
    if "choices" in answer:
        return name(first(answer.get("choices")).get("finish_reason"), _LONGEST_REASON)
    reason = any_of(answer, ("stop_reason", "stopReason", "finish_reason", "done_reason"))
    if reason is None and answer.get("candidates"):
        reason = any_of(first(answer.get("candidates")), ("finishReason", "finish_reason"))
        reason = _FINISH.get(reason, reason) if isinstance(reason, int) else reason
    if reason is None:
        incomplete = answer.get("incomplete_details")
        reason = fields(incomplete).get("reason") if incomplete else answer.get("status")
    return name(reason, _LONGEST_REASON)


def service_tier_of(answer: Fields, usage: Fields) -> str | None:
    """The tier that served the call, in the event's words; None if the answer does not say."""
    tier = answer.get("service_tier") or usage.get("service_tier")
    if isinstance(tier, str) and tier in TIERS:
        return TIERS[tier]
    if tier is None:
        tier = any_of(usage, ("serviceTier", "trafficType", "traffic_type"))
    if tier is None:
        told = answer.get("serviceTier")  # Bedrock: {"type": "flex"}
        tier = told if isinstance(told, str) else fields(told).get("type")
    return None if tier is None else normal_tier(tier)


def normal_tier(tier: object) -> str | None:
    """``tier`` in lower case and in the event's words, None if it is unspecified."""
    if isinstance(tier, int):
        tier = _TRAFFIC.get(tier)
    word = (name(tier, LONGEST_TIER) or "unspecified").lower()
    return None if word.endswith("unspecified") else TIERS.get(word, word)
