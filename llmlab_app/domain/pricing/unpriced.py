"""Why a call has no cost. Unknown is never 0."""

from dataclasses import dataclass
from enum import StrEnum


class UnpricedReason(StrEnum):
    """The closed list of reasons (``unpriced_reason`` of an event)."""

    UNKNOWN_MODEL = "unknown_model"
    """No price for this provider and model: map it, or give it a price of your own."""
    UNKNOWN_TIER = "unknown_tier"
    """The model is known, but not at this service tier at that time."""
    UNKNOWN_SPEED = "unknown_speed"
    """The model is known, but not at this speed at that time."""
    NO_PRICE_THEN = "no_price_then"
    """The model is known, but no price was in force at that instant."""
    VARYING_UPSTREAM = "varying_upstream"
    """A gateway chose among hosts with different prices: only its own figure is right."""
    MISSING_UNIT_PRICE = "missing_unit_price"
    """The call consumed something that the price does not list."""
    ZERO_PRICE = "zero_price"
    """The price says $0, and nobody said that this model is free."""
    NO_USAGE = "no_usage"
    """The call reported no usage."""
    TOTAL_ONLY = "total_only"
    """Only a bare total of tokens: input and output have different prices."""
    UNBILLED = "unbilled"
    """Refused before any work: there is nothing to price."""


@dataclass(frozen=True, slots=True)
class Unpriced:
    """No price, with the reason and the words for a person."""

    reason: UnpricedReason
    detail: str
