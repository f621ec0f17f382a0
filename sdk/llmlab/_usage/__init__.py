"""What a provider's answer says that a call consumed, whatever form the answer has.

The shape of the answer decides how it is read (docs/reference/usage.md), so an unknown host with
a known shape works. Nothing here imports a client, makes a call or keeps a text.
"""

from __future__ import annotations

from typing import Optional

from llmlab._usage.answer import read_answer
from llmlab._usage.stream import UsageStream
from llmlab._usage.usage import AdditionalUsage, Usage, storable
from llmlab._usage.values import fields
from llmlab._usage.wire import decode

__all__ = ["AdditionalUsage", "Usage", "UsageStream", "extract_usage", "storable"]


def extract_usage(
    response: object,
    provider: Optional[str] = None,
    api: Optional[str] = None,
    headers: object = None,
) -> Optional[Usage]:
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
        return _extract(response, headers, provider)
    except Exception:  # the SDK is a guest: whatever an object does, the host goes on
        return None


def _extract(response: object, headers: object, provider: Optional[str]) -> Optional[Usage]:
    if isinstance(response, (str, bytes, bytearray)):
        response = decode(response)
    if not isinstance(response, (list, tuple)):
        return read_answer(fields(response), headers, provider)
    stream = UsageStream()
    for event in response:
        stream.add(event)
    return stream.usage(headers, provider)
