"""What response headers tell: counts that a body leaves out, the tier, and a gateway's price."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from llmlab._usage.values import Attributes, Fields, fields, items

_METRICS = {
    "x-amzn-bedrock-input-token-count": "inputTokenCount",
    "x-amzn-bedrock-output-token-count": "outputTokenCount",
    "x-amzn-bedrock-cache-read-input-token-count": "cacheReadInputTokenCount",
    "x-amzn-bedrock-cache-write-input-token-count": "cacheWriteInputTokenCount",
}
TIER = "x-amzn-bedrock-service-tier"
COST = "x-litellm-response-cost"
"""What LiteLLM's proxy says that the call cost, in US dollars."""


def told(headers: object) -> dict[str, str]:
    """The headers that say something about usage, by lower-case name."""
    found: dict[str, str] = {}
    for key, value in _pairs(headers):
        label = _text(key).lower()
        if label in _METRICS or label in (TIER, COST):
            found[label] = _text(value)
    return found


def metrics(found: Mapping[str, str]) -> dict[str, str]:
    """Bedrock's counts among ``found``, under the names of its invocation metrics."""
    return {_METRICS[label]: value for label, value in found.items() if label in _METRICS}


def of_boto(answer: Fields) -> object:
    """The headers that boto3 keeps in every answer, else None."""
    return fields(answer.get("ResponseMetadata")).get("HTTPHeaders")


def _pairs(headers: object) -> Iterable[tuple[Any, Any]]:
    listed: Any = Attributes(headers).get("items")
    try:
        told: Any = listed() if callable(listed) else items(headers)
        return list(told)
    except Exception:
        return []


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ""
