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
from llmlab_app.services.event_pricing import priced
from llmlab_app.services.prices import WorkspacePrices, current_price_book, newest_prices
from llmlab_app.storage.event_rows import StoredEvent
from llmlab_app.storage.ingest import Committed, Outcome, Writer
from llmlab_app.storage.price_terms import StalePrices
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
    """Events ready to store, and the content of the prices they use by ``price_id``.

    ``source`` is what they were priced with: if it changes before the commit, they are priced anew.
    """

    events: Sequence[StoredEvent]
    prices: Mapping[str, object]
    source: WorkspacePrices | None = None


@dataclass(slots=True)
class _Waiting:
    priced: Priced
    answer: asyncio.Future[list[Committed]] = field(default_factory=asyncio.Future[list[Committed]])


@dataclass(frozen=True, slots=True)
class _Prices:
    """What a batch was priced with: ``content`` by ``price_id``, ``sources`` by project."""

    content: Mapping[str, object]
    sources: Mapping[UUID, WorkspacePrices]

    @property
    def versions(self) -> dict[UUID, int]:
        """What the database must still say at the commit."""
        return {source.workspace_id: source.version for source in self.sources.values()}

    @property
    def are_listed(self) -> bool:
        """Whether the list prices among them are still those of this process."""
        return all(source.listed is current_price_book() for source in self.sources.values())


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
        prices = _prices_of([waiting.priced for waiting in batch])
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
    events: Sequence[StoredEvent], prices: _Prices, writer: Writer
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
    events: Sequence[StoredEvent], prices: _Prices, writer: Writer
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
    events: Sequence[StoredEvent], prices: _Prices, writer: Writer
) -> list[Committed]:
    for attempt in range(RETRIES):
        try:
            return await _try(events, prices, writer)
        except _TRANSIENT:
            writer.forget()
            await asyncio.sleep(0.02 * 2**attempt)
    return await _try(events, prices, writer)


async def _try(events: Sequence[StoredEvent], prices: _Prices, writer: Writer) -> list[Committed]:
    """Store ``events``; where their prices changed while they waited, price them anew first."""
    for _ in range(RETRIES):
        if not prices.are_listed:
            events, prices = await _priced_anew(events, prices)
        try:
            return await writer.commit(events, prices.content, prices.versions)
        except StalePrices:
            events, prices = await _priced_anew(events, prices)
    raise Unavailable(
        "The workspace's prices are being changed. Send these events again in a moment.",
        code="prices_changing",
        retry_after_seconds=1,
    )


def _prices_of(parts: Sequence[Priced]) -> _Prices:
    content = {price_id: price for part in parts for price_id, price in part.prices.items()}
    sources = {
        each.event.project_id: part.source for part in parts if part.source for each in part.events
    }
    return _Prices(content, sources)


async def _priced_anew(
    events: Sequence[StoredEvent], prices: _Prices
) -> tuple[Sequence[StoredEvent], _Prices]:
    workspaces = {source.workspace_id for source in prices.sources.values()}
    newest = {workspace_id: await newest_prices(workspace_id) for workspace_id in workspaces}
    parts: list[Priced] = []
    for each in events:
        held = prices.sources.get(each.event.project_id)
        if held is None:
            parts.append(Priced([each], prices.content))
        else:
            source = newest[held.workspace_id]
            parts.append(Priced(*priced([each.event], source.book), source))
    return [each for part in parts for each in part.events], _prices_of(parts)


def _refused(stored: StoredEvent) -> Committed:
    return Committed(
        id=stored.event.id,
        outcome=Outcome.REJECTED,
        cost=None,
        cost_source=CostSource.UNPRICED,
    )
