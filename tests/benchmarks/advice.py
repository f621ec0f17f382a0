"""How long the advice for a million calls takes: ``python -m tests.benchmarks.advice [CALLS]``.

Fills a throwaway embedded PostgreSQL with made-up calls, then runs ``refresh`` as the API does, and
prints its wall time, the memory it needed and how long the event loop was ever held up.
"""

import asyncio
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from llmlab_app.adapters.embedded_postgres import EmbeddedPostgres
from llmlab_app.domain.access import Principal
from llmlab_app.services.recommendations import refresh
from llmlab_app.services.upkeep import make_months_ahead
from llmlab_app.storage.database import (
    close_database,
    copy_transaction,
    open_database,
    transaction,
)
from llmlab_app.storage.migrations import migrate
from tests.factories import tenant

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)  # 30 days that lie in one month
CALLS = """
    INSERT INTO event (project_id, id, ts, received_at, cost, list_cost, effective_cost,
        input_tokens, cache_read_tokens, output_tokens, has_usage, usage_estimated, stream, retries,
        charge, status, cost_source, provider, model, operation, service_tier, feature)
    SELECT %(project)s, gen_random_uuid(), %(now)s::timestamptz - n * interval '2.59 seconds',
        now(), cost, cost, cost, i, i / 3, o, true, false, false, 0, 'metered', 'ok', 'computed',
        (ARRAY['openai', 'openai', 'anthropic', 'openai'])[1 + n %% 4],
        (ARRAY['gpt-4o', 'gpt-4.1', 'claude-haiku-4-5', 'gpt-6-luna'])[1 + n %% 4],
        'chat', 'default', 'feature-' || n %% 23
    FROM (SELECT n, i, o, i::bigint * 2500000 + o::bigint * 10000000 AS cost FROM (
        SELECT n, (200 + 8000 * random() ^ 3)::int AS i, (10 + 1500 * random() ^ 3)::int AS o
        FROM generate_series(1, %(calls)s) n) numbers) calls
"""
ROLLUP = """
    INSERT INTO rollup_day (project_id, day, provider, model, feature, charge, slot, events,
        unpriced_events, errors, input_tokens, cache_read_tokens, cache_write_tokens,
        output_tokens, reasoning_tokens, latency_ms, cost)
    SELECT project_id, ts::date, provider, model, feature, charge, 0, count(*),
        0, 0, 0, 0, 0, 0, 0, 0, sum(cost) FROM event GROUP BY 1, 2, 3, 4, 5, 6
"""


async def fill(calls: int) -> Principal:
    async with transaction() as session:
        principal = await tenant(session)
    await make_months_ahead(now=NOW.replace(month=10))
    async with copy_transaction() as connection:
        project = principal.project_ids[0]
        await connection.execute(CALLS.encode(), {"project": project, "now": NOW, "calls": calls})
        await connection.execute(ROLLUP.encode())
    return principal


async def longest_pause() -> float:
    """Seconds that the event loop was held up at most, until cancelled."""
    longest = 0.0
    try:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            longest = max(longest, time.perf_counter() - began - 0.005)
    except asyncio.CancelledError:
        return longest


async def measure(url: str, calls: int) -> None:
    await migrate(url)
    open_database(url)
    principal = await fill(calls)
    before = peak_megabytes()
    watch = asyncio.create_task(longest_pause())
    began = time.perf_counter()
    report = await refresh(principal, now=NOW)
    seconds = time.perf_counter() - began
    watch.cancel()
    print(f"calls analysed       {calls:,}")
    print(f"recommendations      {len(report.recommendations)}")
    print(f"time                 {seconds:.1f} s")
    print(f"peak memory          {peak_megabytes():.0f} MB ({before:.0f} MB before)")
    print(f"event loop held up   {1000 * await watch:.0f} ms at most")
    await close_database()


def peak_megabytes() -> float:
    """Most memory that this process ever had resident."""
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / (1024**2 if sys.platform == "darwin" else 1024)


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(prefix="llmlab-bench-") as home:
        Path(home).chmod(0o755)  # as root another user runs the cluster inside
        with EmbeddedPostgres(Path(home), settings={"fsync": "off"}) as url:
            asyncio.run(measure(url, calls))


if __name__ == "__main__":
    main()
