"""A server of which only the jobs run: ``python server.py DATABASE_URL``. Tests kill it.

Every run of a job leaves a row in ``run``: who did it, and when.
"""

import asyncio
import os
import sys
from datetime import datetime, timedelta

from jobs.schedule import Job
from jobs.scheduler import running_jobs
from llmlab_app.storage.database import close_database, copy_transaction, open_database


async def led(*, now: datetime) -> None:
    await leave_a_row("led")


async def everywhere(*, now: datetime) -> None:
    await leave_a_row("everywhere")


async def leave_a_row(job: str) -> None:
    async with copy_transaction() as connection:
        await connection.execute(
            "INSERT INTO run VALUES (%s, %s, clock_timestamp())", (os.getpid(), job)
        )


SCHEDULE = (
    Job("led", timedelta(seconds=0.2), led, "a test"),
    Job("everywhere", timedelta(seconds=0.2), everywhere, "a test", on_every_server=True),
)


async def main(url: str) -> None:
    open_database(url)
    async with running_jobs(SCHEDULE):
        await asyncio.to_thread(sys.stdin.read)
    await close_database()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
