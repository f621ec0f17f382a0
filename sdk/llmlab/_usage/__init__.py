"""What a provider's answer says that a call consumed, whatever form the answer has.

The shape of the answer decides how it is read (docs/reference/usage.md), so an unknown host with
a known shape works. Nothing here imports a client, makes a call or keeps a text.
"""

from __future__ import annotations

from typing import Any, Iterable, cast

from llmlab._usage.answer import read_answer
from llmlab._usage.stream import UsageStream
from llmlab._usage.usage import AdditionalUsage, Usage, storable
from llmlab._usage.values import fields, items
from llmlab._usage.wire import decode

__all__ = ["AdditionalUsage", "Usage", "UsageStream", "extract_usage", "storable"]


def extract_usage(
    response: object,
    provider: str | None = None,
    api: str | None = None,
    headers: object = None,
) -> Usage | None:
    """Usage of one call, or None if the response holds none. Pure, and never raises.

    Args:
        response: An SDK object, a dict, a list of a stream's events, or the raw body as text or
            bytes (JSON, JSON lines, server-sent events).
        provider: Hint: whether a ``cost`` without other signs is in dollars (``openrouter`` …).
        api: Hint, such as ``chat.completions``; no shape known today is unclear without it.
        headers: Response headers: some models on Bedrock count tokens only there, and LiteLLM's
            proxy puts its price there. boto3's answers bring theirs along.
    """
    try:
        if isinstance(response, dict):
            return read_answer(cast("dict[str, Any]", response), headers, provider)
        if isinstance(response, (str, bytes)):
            response = decode(response)
        if not isinstance(response, (list, tuple)):
            return read_answer(fields(response), headers, provider)
        return _of_stream(items(cast("object", response)), headers, provider)
    except Exception:  # the SDK is a guest: whatever an object does, the host goes on
        return None


def _of_stream(events: Iterable[object], headers: object, provider: str | None) -> Usage | None:
    stream = UsageStream()
    for event in events:
        stream.add(event)
    return stream.usage(headers, provider)
