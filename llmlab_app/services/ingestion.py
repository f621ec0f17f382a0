"""Accept events: normalise → reject with a closed reason → price at ``occurred_at`` → enqueue.

``commit_queue`` does the second half. An event is acknowledged after its commit, never before.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from llmlab_app.domain.access import Principal, Scope
from llmlab_app.domain.errors import InvalidInput, Unavailable
from llmlab_app.domain.events import CostSource, RejectionReason, UsageEvent
from llmlab_app.domain.normalise import ReportedEvent, normalise
from llmlab_app.services.commit_queue import CommitQueue, Priced
from llmlab_app.services.event_pricing import priced
from llmlab_app.services.prices import prices_in_force
from llmlab_app.settings import Settings
from llmlab_app.storage.ingest import Outcome
from llmlab_app.storage.pulse import PulseSender

_queue: CommitQueue | None = None
_pulse = PulseSender()


def start_ingestion(settings: Settings) -> None:
    """Start this process's writers; needs a running event loop and an open database."""
    global _queue
    _queue = CommitQueue(
        capacity=settings.ingest_queue_events, writers=settings.ingest_writers, pulse=_pulse
    )
    _pulse.start()
    _queue.start()


async def stop_ingestion() -> None:
    """Commit what waits, then stop."""
    global _queue
    if _queue is not None:
        await _queue.stop()
        await _pulse.stop()
        _queue = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why an event was refused: a ``RejectionReason`` and what to do about it."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventResult:
    """What became of one event; ``cost`` in US dollars, None if unpriced or rejected."""

    outcome: Outcome
    id: UUID | None = None
    cost: Decimal | None = None
    cost_source: CostSource = CostSource.UNPRICED
    rejection: Rejection | None = None


async def track(
    principal: Principal, reported: Sequence[ReportedEvent | Rejection], *, now: datetime
) -> list[EventResult]:
    """Store events and say what became of each, in order; returns after the commit.

    Args:
        principal: Who sends; needs ``events:write``. Events are booked to its project.
        reported: Events, or the refusals of those that could not be parsed.
        now: The instant of arrival.

    Raises:
        NotAllowed: the scope is missing.
        Unavailable: nothing of this was stored; send it again.
    """
    principal.require(Scope.EVENTS_WRITE)
    accepted, results = _accept(principal, reported, now)
    prices = await prices_in_force(principal.workspace_id, now)
    ready = Priced(*priced(accepted, prices.book), prices)
    committed = iter(await _running_queue().commit(ready))
    for number, result in enumerate(results):
        if result is None:
            stored = next(committed)
            results[number] = EventResult(
                outcome=stored.outcome,
                id=stored.id,
                cost=stored.cost,
                cost_source=stored.cost_source,
                rejection=_UNSTORABLE if stored.outcome is Outcome.REJECTED else None,
            )
    return [result for result in results if result is not None]


def _accept(
    principal: Principal, reported: Sequence[ReportedEvent | Rejection], now: datetime
) -> tuple[list[UsageEvent], list[EventResult | None]]:
    """The events to store, and the answers that are known already (None where not)."""
    accepted: list[UsageEvent] = []
    results: list[EventResult | None] = []
    for each in reported:
        event = each if isinstance(each, Rejection) else _normalised(principal, each, now)
        if isinstance(event, Rejection):
            results.append(EventResult(outcome=Outcome.REJECTED, rejection=event))
        else:
            accepted.append(event)
            results.append(None)
    return accepted, results


def _normalised(
    principal: Principal, reported: ReportedEvent, now: datetime
) -> UsageEvent | Rejection:
    try:
        return normalise(
            reported,
            project_id=principal.booking_project_id,
            now=now,
            entropy=os.urandom(10),
        )
    except InvalidInput as error:
        return Rejection(code=error.code, detail=error.detail)


def _running_queue() -> CommitQueue:
    if _queue is None:
        raise Unavailable("The server is starting. Try again in a second.", retry_after_seconds=1)
    return _queue


_UNSTORABLE = Rejection(
    code=RejectionReason.UNSTORABLE,
    detail="The database refused a value of this event. Please report it with the event's shape.",
)
