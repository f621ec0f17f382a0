"""The schedule itself: every job does its work, and doing it again changes nothing."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.schedule import SCHEDULE, Job
from jobs.scheduler import running_jobs
from llmlab_app.storage.database import copy_transaction, transaction
from tests.factories import tenant

pytestmark = pytest.mark.usefixtures("database")

DECEMBER = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)


def job(name: str) -> Job:
    (found,) = (each for each in SCHEDULE if each.name == name)
    return found


async def rows(sql: str) -> list[Any]:
    async with copy_transaction() as connection:
        return await (await connection.execute(sql.encode())).fetchall()


async def months() -> list[str]:
    found = await rows("SELECT inhrelid::regclass::text FROM pg_inherits ORDER BY 1")
    return [name for (name,) in found if name.startswith("event_") and name[6:].isdigit()]


async def test_this_month_and_the_next_three_have_a_partition_over_the_turn_of_the_year() -> None:
    await job("make months").run(now=DECEMBER)

    assert await months() == ["event_202612", "event_202701", "event_202702", "event_202703"]


@pytest.mark.parametrize("each", SCHEDULE, ids=lambda each: each.name)
async def test_a_job_that_runs_twice_changes_nothing(each: Job) -> None:
    async with transaction() as session:
        await tenant(session)
    now = datetime.now(UTC)

    await each.run(now=now)
    before = await months(), await rows("SELECT * FROM analysis")
    await each.run(now=now)

    assert (await months(), await rows("SELECT * FROM analysis")) == before


async def test_a_job_that_fails_runs_again_and_stops_no_other() -> None:
    ran: list[str] = []

    async def fail(*, now: datetime) -> None:
        ran.append("fail")
        raise ZeroDivisionError

    async def work(*, now: datetime) -> None:
        ran.append("work")

    every = timedelta(seconds=0.05)
    schedule = (Job("fail", every, fail, "a test"), Job("work", every, work, "a test"))
    async with running_jobs(schedule):
        async with asyncio.timeout(20):
            while ran.count("fail") < 3 or ran.count("work") < 3:
                await asyncio.sleep(0.02)


async def test_a_job_is_never_run_beside_itself_and_is_stopped_at_the_end() -> None:
    events: list[str] = []

    async def slow(*, now: datetime) -> None:
        events.append("begin")
        try:
            await asyncio.sleep(60)
        finally:
            events.append("end")

    schedule = (Job("slow", timedelta(seconds=0.05), slow, "a test"),)
    async with running_jobs(schedule):
        async with asyncio.timeout(20):
            while not events:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        assert events == ["begin"]

    assert events == ["begin", "end"]
