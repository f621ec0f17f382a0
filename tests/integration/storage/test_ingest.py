from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from llmlab_app.domain.errors import Unavailable
from llmlab_app.domain.events import AdditionalUsage, Charge, Status
from llmlab_app.domain.identity import uuid7
from llmlab_app.domain.usage import USAGE_FIELDS, TokenUsage
from llmlab_app.storage.database import copy_transaction, transaction
from llmlab_app.storage.event_queries import call_by_id
from llmlab_app.storage.event_rows import StoredEvent
from llmlab_app.storage.ingest import Committed, Outcome, Writer
from tests.factories import NOON, cost, store, stored, tenant
from tests.integration.storage.ledger_checks import assert_rollups_equal_events

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def project() -> UUID:
    async with transaction() as session:
        return (await tenant(session, timezone="Asia/Kathmandu")).project_ids[0]


async def commit(*events: StoredEvent) -> list[Committed]:
    return await store(events)


async def read(id: UUID, project: UUID) -> StoredEvent | None:
    async with transaction() as session:
        return await call_by_id(session, projects=[project], id=id)


async def count() -> int:
    async with copy_transaction() as connection:
        cursor = await connection.execute("SELECT count(*) FROM event")
        return (await cursor.fetchone() or (0,))[0]


async def test_every_field_of_an_event_comes_back_as_it_was_stored(project: UUID) -> None:
    given = stored(
        "1.000000000001",
        project_id=project,
        usage=TokenUsage(**dict.fromkeys(USAGE_FIELDS, 0) | {"input_tokens": 7}),
        total_tokens=9,
        model="tab\tback\\slash é 🦊",
        request_model="alias",
        feature="",
        user="u",
        session="s",
        tags={"team": 'quo"te\\', "a": "b"},
        units={"images": Decimal("1.5")},
        additional_usage=(AdditionalUsage(model="m", usage=TokenUsage(input_tokens=3)),),
        raw_usage={"prompt_tokens": 7, "nested": {"x": [1, None]}},
        usage_estimated=True,
        charge=Charge.PROBABLE,
        service_tier="flex",
        speed="fast",
        region="us",
        latency_ms=12,
        time_to_first_token_ms=3,
        stream=True,
        status=Status.ERROR,
        error="Timeout",
        finish_reason="stop",
        retries=2,
        response_id="r",
        prompt_hash="p",
        prefix_hashes=("a", "b"),
        revision=4,
        sdk="test/1",
        operation="embeddings",
    )
    await commit(given)
    assert await read(given.event.id, project) == given


async def test_a_call_without_usage_stays_unknown_and_is_not_zero(project: UUID) -> None:
    given = stored(None, project_id=project, usage=None)
    [answer] = await commit(given)
    back = await read(given.event.id, project)
    assert answer.cost is None
    assert back is not None
    assert back.event.usage is None
    assert back.cost.cost is None


async def test_a_batch_sent_six_times_is_counted_once(project: UUID) -> None:
    batch = [stored(project_id=project, occurred_at=NOON + timedelta(seconds=n)) for n in range(50)]
    first = await commit(*batch)
    for _ in range(5):
        again = await commit(*batch)
        assert {answer.outcome for answer in again} == {Outcome.DUPLICATE}
        assert [a.cost for a in again] == [a.cost for a in first]
    assert await count() == 50
    await assert_rollups_equal_events()


async def test_a_duplicate_answers_with_the_stored_cost(project: UUID) -> None:
    given = stored("0.5", project_id=project)
    await commit(given)
    [answer] = await commit(StoredEvent(event=given.event, cost=cost("99")))
    assert (answer.outcome, answer.cost) == (Outcome.DUPLICATE, Decimal("0.5"))


async def test_old_and_new_events_of_one_batch_are_told_apart(project: UUID) -> None:
    old, new = stored(project_id=project), stored(project_id=project)
    await commit(old)
    answers = await commit(new, old)
    assert [answer.outcome for answer in answers] == [Outcome.ACCEPTED, Outcome.DUPLICATE]


async def test_months_are_made_as_events_need_them(project: UUID) -> None:
    instants = [datetime(year, month, 1, tzinfo=UTC) for year in (2022, 2026) for month in (1, 12)]
    await commit(*(stored(project_id=project, occurred_at=at) for at in instants))
    assert await count() == 4


async def test_a_writer_connects_anew_after_its_connection_was_lost(project: UUID) -> None:
    writer = Writer()
    await writer.commit([stored(project_id=project)], {})
    async with copy_transaction() as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        )
    with pytest.raises(Unavailable):
        await writer.commit([stored(project_id=project)], {})
    [answer] = await writer.commit([stored(project_id=project)], {})
    assert answer.outcome is Outcome.ACCEPTED
    await writer.close()


async def test_two_writers_have_two_slots(project: UUID) -> None:
    writers = Writer(), Writer()
    for writer in writers:
        await writer.commit([stored(project_id=project)], {})
    async with copy_transaction() as connection:
        cursor = await connection.execute("SELECT slot FROM rollup_day ORDER BY slot")
        assert await cursor.fetchall() == [(0,), (1,)]
    for writer in writers:
        await writer.close()
    await assert_rollups_equal_events()


async def test_a_higher_revision_amends_and_rollups_follow(project: UUID) -> None:
    first = stored("1", project_id=project, model="claude-haiku-4-5", usage_estimated=True)
    final = StoredEvent(
        event=replace(
            first.event,
            revision=1,
            usage=TokenUsage(input_tokens=5, output_tokens=6),
            model="claude-sonnet-4-5",
            feature="chat",
        ),
        cost=cost("2.5"),
    )
    await commit(first)
    [answer] = await commit(final)
    assert (answer.outcome, answer.cost) == (Outcome.ACCEPTED, Decimal("2.5"))
    assert await read(first.event.id, project) == final
    await assert_rollups_equal_events()


@pytest.mark.parametrize("revision", [0, 1])
async def test_an_equal_or_lower_revision_changes_nothing(project: UUID, revision: int) -> None:
    newest = stored("1", project_id=project, revision=1)
    await commit(newest)
    late = StoredEvent(event=replace(newest.event, revision=revision), cost=cost("9"))
    [answer] = await commit(late)
    assert answer.outcome is Outcome.DUPLICATE
    assert await read(newest.event.id, project) == newest


async def test_twenty_events_of_a_million_dollars_add_up(project: UUID) -> None:
    await commit(*(stored("1000000", project_id=project) for _ in range(20)))
    await assert_rollups_equal_events()
    async with copy_transaction() as connection:
        cursor = await connection.execute("SELECT sum(cost) FROM rollup_day")
        assert await cursor.fetchone() == (Decimal(20_000_000) * 10**12,)


async def test_the_same_id_in_two_projects_is_two_events() -> None:
    async with transaction() as session:
        one, other = (await tenant(session, projects=2)).project_ids
    id = uuid7(NOON, b"0123456789")
    answers = await commit(stored(project_id=one, id=id), stored(project_id=other, id=id))
    assert [answer.outcome for answer in answers] == [Outcome.ACCEPTED] * 2
