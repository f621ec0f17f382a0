"""Runs the schedule inside the app: on the server that leads, and some jobs on every one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from time import perf_counter

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from jobs.schedule import SCHEDULE, Job
from llmlab_app.services.leadership import leadership

GRACE_SECONDS = 3600
"""A job that a sleeping laptop missed by less still runs; a later one waits for its next turn."""

START_SECONDS = 10.0
"""After the start the first page comes first, then the jobs."""

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def running_jobs(schedule: Sequence[Job] = SCHEDULE) -> AsyncIterator[None]:
    """Run ``schedule`` as long as the block runs; needs an open database, and waits for none."""
    led = asyncio.create_task(_lead(tuple(job for job in schedule if not job.on_every_server)))
    try:
        async with _ticking(tuple(job for job in schedule if job.on_every_server)):
            yield
    finally:
        led.cancel()
        await asyncio.wait([led])


async def _lead(jobs: Sequence[Job]) -> None:
    """Run ``jobs`` whenever this server leads, for ever."""
    while True:
        async with leadership() as lead:
            _log.info("this server runs the jobs")
            async with _ticking(jobs):
                await lead.lost()
            _log.warning("lost the lead: the jobs are stopped")


@asynccontextmanager
async def _ticking(jobs: Sequence[Job]) -> AsyncIterator[None]:
    """Run ``jobs`` soon and then each at its interval; what is running at the end is cancelled."""
    scheduler = AsyncIOScheduler(timezone=UTC)
    runs: set[asyncio.Task[None]] = set()
    for job in jobs:
        scheduler.add_job(
            _run,
            "interval",
            args=(job, runs),
            seconds=job.every.total_seconds(),
            next_run_time=datetime.now(UTC) + min(job.every, timedelta(seconds=START_SECONDS)),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=GRACE_SECONDS,
        )
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)  # in the loop's next round it cancels what runs
        if runs:
            await asyncio.wait(list(runs))  # so that the database may be closed after us


async def _run(job: Job, runs: "set[asyncio.Task[None]]") -> None:
    task = asyncio.current_task()
    assert task is not None  # a coroutine of the scheduler runs in a task
    runs.add(task)
    started = perf_counter()
    try:
        await job.run(now=datetime.now(UTC))
    except asyncio.CancelledError:
        _log.info("job stopped", job=job.name)  # ends the task: the scheduler is shutting down
    except Exception:
        _log.exception("job failed; it runs again at its next turn", job=job.name)
    else:
        _log.info("job done", job=job.name, seconds=round(perf_counter() - started, 3))
    finally:
        runs.discard(task)
