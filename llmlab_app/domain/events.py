"""One provider call as reported, and what it cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from llmlab_app.domain.usage import TokenUsage


class Charge(StrEnum):
    """Whether a call is spend. Totals, budgets and alerts count ``METERED`` only."""

    METERED = "metered"
    EQUIVALENT = "equivalent"
    """Subscription use, valued at API prices."""
    PROBABLE = "probable"
    """Timed out or aborted: the provider may bill it."""
    UNBILLED = "unbilled"
    """Refused before any work (400, 401, 403, 404, 429)."""
    TEST = "test"


class CostSource(StrEnum):
    """Where ``cost`` comes from."""

    COMPUTED = "computed"
    REPORTED = "reported"
    UNPRICED = "unpriced"


class Status(StrEnum):
    """How the call ended."""

    OK = "ok"
    ERROR = "error"


class RejectionReason(StrEnum):
    """The closed list of reasons for refusing an event (``code`` in the answer)."""

    INVALID_EVENT = "invalid_event"
    CONTRADICTORY_USAGE = "contradictory_usage"
    ID_TIME_MISMATCH = "id_time_mismatch"
    TIME_OUT_OF_RANGE = "time_out_of_range"
    MISSING_TIME = "missing_time"
    MISSING_USAGE = "missing_usage"
    MONTH_SEALED = "month_sealed"
    UNSTORABLE = "unstorable"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdditionalUsage:
    """Usage billed beside the top level, possibly at another model's price."""

    model: str
    usage: TokenUsage


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEvent:
    """One provider call. Content-free: counts, times and names, never a prompt or an answer.

    ``usage`` is None when the call failed or answered without usage: unknown, not zero.
    ``total_tokens`` is a bare total that enters no input or output sum. ``units`` are billables
    beside the tokens (images, seconds, searches), keyed by name. ``reported_cost`` is in US
    dollars as said by the caller or the provider.
    """

    project_id: UUID
    id: UUID
    occurred_at: datetime
    received_at: datetime
    provider: str
    model: str
    request_model: str | None = None
    operation: str = "chat"
    usage: TokenUsage | None = None
    total_tokens: int | None = None
    units: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    additional_usage: tuple[AdditionalUsage, ...] = ()
    raw_usage: Mapping[str, object] = field(default_factory=dict[str, object])
    usage_estimated: bool = False
    charge: Charge = Charge.METERED
    service_tier: str = "default"
    speed: str | None = None
    region: str | None = None
    reported_cost: Decimal | None = None
    feature: str = ""
    user: str | None = None
    session: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    latency_ms: int | None = None
    time_to_first_token_ms: int | None = None
    stream: bool = False
    status: Status = Status.OK
    error: str | None = None
    finish_reason: str | None = None
    retries: int = 0
    response_id: str | None = None
    prompt_hash: str | None = None
    prefix_hashes: tuple[str, ...] = ()
    revision: int = 0
    sdk: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCost:
    """The money of one event, in US dollars; None is unknown and never 0.

    ``list_cost`` is quantity × dated list price, ``effective_cost`` the same after overrides and
    discounts, ``reported_cost`` what the caller or provider said, ``cost`` the one that counts.
    ``price_id`` names the immutable row of ``price_used`` that reproduces it.
    """

    list_cost: Decimal | None
    effective_cost: Decimal | None
    reported_cost: Decimal | None
    cost: Decimal | None
    source: CostSource
    price_id: str | None = None
    unpriced_reason: str | None = None


GATEWAYS = frozenset({"openrouter", "litellm", "portkey", "vercel"})
"""Providers that are themselves the biller, so that what they report is what is paid."""
