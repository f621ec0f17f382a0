"""The live feed: one row for each of the calls that arrived last."""

from dataclasses import dataclass

from llmlab_app.dashboard import formatting
from llmlab_app.domain.events import Charge, EventCost, Status, UsageEvent
from llmlab_app.services.calls import Call

FEED_ROWS = 8
UNKNOWN = "–"
_LONGEST_ERROR = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    """One call. ``at`` is the start of the call in epoch seconds; ``feature`` empty if untagged.

    ``badge`` names what is unusual about it, empty for a plain call; ``badge_css`` its colour.
    """

    id: str
    href: str
    at: float
    model: str
    feature: str
    tokens_in: str
    tokens_out: str
    latency: str
    cost: str
    badge: str
    badge_css: str


def feed_row(call: Call) -> FeedRow:
    """``call`` as the feed shows it."""
    event = call.event
    badge, badge_css = _badge(event)
    return FeedRow(
        id=str(event.id),
        href=f"/calls/{event.id}",
        at=event.occurred_at.timestamp(),
        model=event.model,
        feature=event.feature,
        tokens_in=formatting.tokens(event.usage.input_tokens) if event.usage else UNKNOWN,
        tokens_out=formatting.tokens(event.usage.output_tokens) if event.usage else UNKNOWN,
        latency=UNKNOWN if event.latency_ms is None else formatting.latency(event.latency_ms),
        cost=cost_text(event, call.cost),
        badge=badge,
        badge_css=badge_css,
    )


def cost_text(event: UsageEvent, cost: EventCost) -> str:
    """The cost of one call; words where it isn't known, because unknown is never $0."""
    if cost.cost is not None:
        return formatting.call_cost(cost.cost)
    return {Charge.UNBILLED: "not billed", Charge.PROBABLE: "probable"}.get(
        event.charge, "unpriced"
    )


def _badge(event: UsageEvent) -> tuple[str, str]:
    if event.status is Status.ERROR:
        return (event.error or "error")[:_LONGEST_ERROR], "badge bad"
    match event.charge:
        case Charge.TEST:
            return "test", "badge acc"
        case Charge.PROBABLE:
            return "probable", "badge warn"
        case Charge.EQUIVALENT:
            return "equivalent", "badge"
        case _:
            return "", ""
