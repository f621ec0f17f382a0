import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from llmlab_app.domain.errors import Unavailable
from llmlab_app.domain.usage import TokenUsage
from llmlab_app.services.commit_queue import CommitQueue, Priced
from llmlab_app.storage.database import transaction
from llmlab_app.storage.event_rows import StoredEvent
from llmlab_app.storage.ingest import Outcome
from llmlab_app.storage.pulse import PulseSender, pulses
from tests.factories import NOON, stored, tenant
from tests.integration.storage.ledger_checks import assert_rollups_equal_events


@pytest.fixture
async def project(database: str) -> UUID:
    async with transaction() as session:
        return (await tenant(session)).project_ids[0]


@pytest.fixture
async def queue(database: str) -> AsyncIterator[CommitQueue]:
    pulse = PulseSender()
    pulse.start()
    queue = CommitQueue(capacity=5_000, writers=2, pulse=pulse)
    queue.start()
    yield queue
    await queue.stop()
    await pulse.stop()


def events(project: UUID, count: int) -> list[StoredEvent]:
    return [
        stored(project_id=project, occurred_at=NOON + timedelta(milliseconds=n))
        for n in range(count)
    ]


async def send(queue: CommitQueue, batch: Sequence[StoredEvent]) -> list[Outcome]:
    return [each.outcome for each in await queue.commit(Priced(batch, {}))]


async def test_requests_at_once_are_each_answered_for_their_own_events(
    queue: CommitQueue, project: UUID
) -> None:
    batches = [events(project, 1 + n % 7) for n in range(60)]
    answers = await asyncio.gather(*(queue.commit(Priced(batch, {})) for batch in batches))
    for batch, answer in zip(batches, answers, strict=True):
        assert [each.id for each in answer] == [each.event.id for each in batch]
    await assert_rollups_equal_events()


async def test_a_batch_sent_by_two_senders_at_once_is_counted_once(
    queue: CommitQueue, project: UUID
) -> None:
    batch = events(project, 500)
    outcomes = await asyncio.gather(*(send(queue, batch) for _ in range(6)))
    assert sum(each.count(Outcome.ACCEPTED) for each in outcomes) == 500
    await assert_rollups_equal_events()


async def test_one_poisonous_event_among_a_thousand_rejects_itself_alone(
    queue: CommitQueue, project: UUID
) -> None:
    batch = events(project, 1_000)
    # More than the column holds: only the database can refuse it.
    poison = TokenUsage(input_tokens=2**40)
    batch[617] = replace(batch[617], event=replace(batch[617].event, usage=poison))
    others = asyncio.create_task(send(queue, events(project, 200)))
    outcomes = await send(queue, batch)
    assert outcomes.count(Outcome.REJECTED) == 1
    assert outcomes[617] is Outcome.REJECTED
    assert await others == [Outcome.ACCEPTED] * 200
    await assert_rollups_equal_events()


async def test_a_repeated_id_in_one_batch_is_one_event(queue: CommitQueue, project: UUID) -> None:
    [once] = events(project, 1)
    newer = replace(once, event=replace(once.event, revision=2))
    assert await send(queue, [once, once, newer, once]) == [
        Outcome.ACCEPTED,
        Outcome.DUPLICATE,
        Outcome.ACCEPTED,
        Outcome.DUPLICATE,
    ]
    await assert_rollups_equal_events()


async def test_a_full_queue_refuses_at_once_and_stores_nothing_of_it(
    queue: CommitQueue, project: UUID
) -> None:
    with pytest.raises(Unavailable) as error:
        await queue.commit(Priced(events(project, 5_001), {}))
    assert error.value.code == "queue_full"
    assert error.value.retry_after_seconds
    assert await send(queue, events(project, 5_000)) == [Outcome.ACCEPTED] * 5_000


async def test_stopping_commits_what_waits(database: str, project: UUID) -> None:
    queue = CommitQueue(capacity=5_000, writers=2, pulse=PulseSender())
    queue.start()
    waiting = [asyncio.create_task(send(queue, events(project, 10))) for _ in range(20)]
    await asyncio.sleep(0)
    await queue.stop()
    assert await asyncio.gather(*waiting) == [[Outcome.ACCEPTED] * 10] * 20
    with pytest.raises(Unavailable):
        await queue.commit(Priced(events(project, 1), {}))


async def test_a_writer_survives_a_month_dropped_behind_its_back(
    queue: CommitQueue, project: UUID, database: str
) -> None:
    await send(queue, events(project, 3))
    with psycopg.connect(database.replace("+psycopg", "")) as connection:
        connection.execute("DROP TABLE event_202611")
    assert await send(queue, events(project, 3)) == [Outcome.ACCEPTED] * 3


async def test_a_commit_is_felt_as_a_pulse(queue: CommitQueue, project: UUID) -> None:
    listening = pulses()
    await anext(listening)  # connected: the first one comes by polling
    pulse = asyncio.ensure_future(anext(listening))
    await asyncio.sleep(0.05)
    started = asyncio.get_running_loop().time()
    await send(queue, events(project, 1))
    await pulse
    assert asyncio.get_running_loop().time() - started < 1.5
    await listening.aclose()
