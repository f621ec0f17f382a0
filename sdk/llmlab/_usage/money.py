"""What a provider or gateway says that the call cost, in US dollars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlab._usage.values import Fields, dollars, fields

if TYPE_CHECKING:
    from decimal import Decimal

_GATEWAYS = ("openrouter", "litellm", "portkey", "vercel")
"""Providers whose bare ``usage.cost`` is believed to be US dollars charged."""
_TICK_DIGITS = 10
"""xAI's ``cost_in_usd_ticks`` are 1e-10 dollars (docs.x.ai, "Cost tracking")."""


def reported_cost(usage: Fields, provider: str | None = None) -> Decimal | None:
    """The money in ``usage``, or None.

    A bare ``cost`` of an unknown host could be in any currency or in credits, so it is believed
    only beside OpenRouter's other fields or from a known gateway.
    """
    cost = usage.get("cost")
    if cost is None:
        return _from_ticks(usage.get("cost_in_usd_ticks"))
    breakdown = fields(cost)
    if breakdown:  # Perplexity: {"input_tokens_cost": …, "total_cost": …}
        return dollars(breakdown.get("total_cost"))
    if usage.get("is_byok"):
        return _with_own_key(cost, fields(usage.get("cost_details")))
    if "is_byok" in usage or "cost_details" in usage or provider in _GATEWAYS:
        return dollars(cost)
    return None


def _with_own_key(fee: object, details: Fields) -> Decimal | None:
    """With the caller's own key ``cost`` is the gateway's fee; the provider bills the tokens.

    Without a fee the gateway charged nothing, which says nothing of what the call cost.
    """
    charged, upstream = dollars(fee), dollars(details.get("upstream_inference_cost"))
    if not charged or upstream is None:
        return None
    return charged + upstream


def _from_ticks(ticks: object) -> Decimal | None:
    whole = isinstance(ticks, int) and 0 <= ticks <= 10**16
    return dollars(f"{ticks}e-{_TICK_DIGITS}") if whole else None
