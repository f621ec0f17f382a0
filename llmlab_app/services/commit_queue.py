"""Commit a batch: the second half of ingestion.

Requests leave their priced events here and wait. Each writer takes everything that waits, commits
it in one transaction and answers every request, so that a busy server commits large batches and an
idle one answers at once. The queue is bounded: when it is full, nothing is accepted.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
import structlog

from llmlab_app.domain.errors import LLMLabError, Unavailable
from llmlab_app.domain.events import CostSource
from llmlab_app.storage.event_rows import StoredEvent
from llmlab_app.storage.ingest import Committed, Outcome, Writer
from llmlab_app.storage.pulse import PulseSender

BATCH_EVENTS = 5_000
RETRIES = 5
_Numbered = tuple[int, StoredEvent]
_log = structlog.get_logger(__name__)

_TRANSIENT = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.UniqueViolation,  # two writers that made the same month at the same moment
    psycopg.errors.DuplicateTable,
    psycopg.errors.CheckViolation,  # a month that another process dropped
    psycopg.errors.InternalError,
)


@dataclass(frozen=True, slots=True)
class Priced:
    """Events ready to store, and the content of the prices they use by ``price_id``."""

    events: Sequence[StoredEvent]
    prices: Mapping[str, object]


@dataclass(slots=True)
class _Waiting:
    priced: Priced
    answer: asyncio.Future[list[Committed]] = field(default_factory=asyncio.Future[list[Committed]])


class CommitQueue:
    """The bounded queue and its writers; one a process, started in the app's lifespan."""

    def __init__(self, *, capacity: int, writers: int, pulse: PulseSender) -> None:
        self._capacity = capacity
        self._writers = writers
        self._pulse = pulse
        self._waiting: deque[_Waiting] = deque()
        self._events = 0
        self._arrived = asyncio.Condition()
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start the writers; needs a running event loop."""
        self._tasks = [
            asyncio.create_task(self._write(), name=f"ingest-writer-{number}")
            for number in range(self._writers)
        ]

    async def stop(self) -> None:
        """Commit what waits, then end the writers."""
        async with self._arrived:
            self._closing = True
            self._arrived.notify_all()
        await asyncio.gather(*self._tasks)

    async def commit(self, priced: Priced) -> list[Committed]:
        """Store the events and say what became of each, in order; returns after the commit.

        Raises:
            Unavailable: the queue is full, the server stops, or the database is away.
        """
        if not priced.events:
            return []
        if self._closing or self._events + len(priced.events) > self._capacity:
            raise Unavailable(
                "Too many events are waiting to be stored. Nothing of this request was; "
                "send it again in a moment.",
                code="queue_full",
                retry_after_seconds=1,
            )
        waiting = _Waiting(priced)
        self._events += len(priced.events)
        self._waiting.append(waiting)
        async with self._arrived:
            self._arrived.notify()
        return await waiting.answer

    async def _write(self) -> None:
        writer = Writer()
        try:
            while batch := await self._take():
                await self._answer(batch, writer)
        finally:
            await writer.close()

    async def _take(self) -> list[_Waiting]:
        """Everything that waits, up to a batch; empty when the queue is closed and drained."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: bool(self._waiting) or self._closing)
        taken: list[_Waiting] = []
        size = 0
        while self._waiting and (not taken or size < BATCH_EVENTS):
            waiting = self._waiting.popleft()
            size += len(waiting.priced.events)
            taken.append(waiting)
        self._events -= size
        return taken

    async def _answer(self, batch: Sequence[_Waiting], writer: Writer) -> None:
        """Answer every request of ``batch``; a writer survives whatever happens to one batch."""
        events = [event for waiting in batch for event in waiting.priced.events]
        prices = {key: value for each in batch for key, value in each.priced.prices.items()}
        try:
            committed = iter(await _commit(events, prices, writer))
        except Exception as error:
            _log.warning("batch not stored", events=len(events), error=type(error).__name__)
            for waiting in batch:
                _fail(waiting.answer, error)
            return
        for waiting in batch:
            answers = [next(committed) for _ in waiting.priced.events]
            if not waiting.answer.cancelled():
                waiting.answer.set_result(answers)
        self._pulse.notify()


def _fail(answer: "asyncio.Future[list[Committed]]", error: Exception) -> None:
    if answer.cancelled():
        return
    known = error if isinstance(error, LLMLabError) else None
    answer.set_exception(
        known
        or Unavailable(
            "These events could not be stored. Send them again in a moment.",
            retry_after_seconds=2,
        )
    )


async def _commit(
    events: Sequence[StoredEvent], prices: Mapping[str, object], writer: Writer
) -> list[Committed]:
    """What became of each event, however often a key repeats within ``events``."""
    answers: dict[int, Committed] = {}
    remaining = list(enumerate(events))
    while remaining:
        distinct, remaining = _split_distinct(remaining)
        numbers, batch = zip(*distinct, strict=True)
        stored = await _commit_or_bisect(batch, prices, writer)
        answers.update(zip(numbers, stored, strict=True))
    return [answers[number] for number in range(len(events))]


def _split_distinct(numbered: Sequence[_Numbered]) -> tuple[list[_Numbered], list[_Numbered]]:
    """The first event of every key, and the rest for a later transaction."""
    seen: set[tuple[UUID, UUID]] = set()
    first: list[_Numbered] = []
    rest: list[_Numbered] = []
    for number, stored in numbered:
        key = (stored.event.project_id, stored.event.id)
        (rest if key in seen else first).append((number, stored))
        seen.add(key)
    return first, rest


async def _commit_or_bisect(
    events: Sequence[StoredEvent], prices: Mapping[str, object], writer: Writer
) -> list[Committed]:
    """Store ``events``; when PostgreSQL refuses a value, reject only the event that carries it."""
    try:
        return await _commit_with_retry(events, prices, writer)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        if len(events) == 1:
            _log.warning("event refused by the database", error=type(error).__name__)
            return [_refused(events[0])]
        middle = len(events) // 2
        return [
            *await _commit_or_bisect(events[:middle], prices, writer),
            *await _commit_or_bisect(events[middle:], prices, writer),
        ]


async def _commit_with_retry(
    events: Sequence[StoredEvent], prices: Mapping[str, object], writer: Writer
) -> list[Committed]:
    for attempt in range(RETRIES):
        try:
            return await writer.commit(events, prices)
        except _TRANSIENT:
            writer.forget()
            await asyncio.sleep(0.02 * 2**attempt)
    return await writer.commit(events, prices)


def _refused(stored: StoredEvent) -> Committed:
    return Committed(
        id=stored.event.id,
        outcome=Outcome.REJECTED,
        cost=None,
        cost_source=CostSource.UNPRICED,
    )
