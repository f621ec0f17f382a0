"""Durable ingest: events a second by HTTP, and the CPU of server and database an event.

    uv run python -m tests.benchmarks.ingest [--seconds 5]

Everything runs on loopback, client included, on whatever cores there are.
CPU is what the kernel accounts to the server's processes, so a busy machine doesn't blur it.
"""

import argparse
import asyncio
import json
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2

from llmlab_app.domain.identity import uuid7
from tests.e2e.conftest import RunningServer, fresh_home, running

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    """One series: what went through, and what it cost the server."""

    name: str
    events: int
    seconds: float
    server_cpu: float
    database_cpu: float
    latencies: list[float]

    def line(self) -> str:
        p95 = sorted(self.latencies)[int(len(self.latencies) * 0.95)] * 1_000
        return (
            f"{self.name:24} {self.events / self.seconds:>9,.0f}/s"
            f" {self.server_cpu / self.events * 1e6:>9.0f} us"
            f" {self.database_cpu / self.events * 1e6:>9.0f} us {p95:>8.0f} ms"
        )


def event(rng: random.Random) -> dict[str, object]:
    return {
        "id": str(uuid7(datetime.now(UTC), rng.randbytes(10))),
        "provider": "openai",
        "model": rng.choice(["gpt-4o", "gpt-4o-mini", "gpt-5", "text-embedding-3-small"]),
        "usage": {
            "input_tokens": rng.randrange(1_000, 9_000),
            "cache_read_tokens": rng.randrange(1_000),
            "output_tokens": rng.randrange(1, 900),
        },
        "feature": rng.choice(["chat", "search", "triage", "summarise"]),
        "user": f"u{rng.randrange(500)}",
        "tags": {"team": rng.choice(["red", "blue"])},
        "latency_ms": rng.randrange(200, 9_000),
        "stream": True,
        "response_id": f"chatcmpl-{rng.randrange(10**12)}",
        "sdk": "llmlab-python/0.1.0",
    }


async def load(
    server: RunningServer, name: str, size: int, connections: int, seconds: float
) -> Measured:
    """Post batches of ``size`` (1: single events) over so many connections for a while."""
    rng = random.Random(7)
    path = "/api/events/track" if size == 1 else "/api/events/batch"

    def bodies() -> Iterator[bytes]:
        while True:
            events = [event(rng) for _ in range(size)]
            yield json.dumps(events[0] if size == 1 else {"events": events}).encode()

    made = bodies()
    prepared = [next(made) for _ in range(int(seconds * 12_000 / size) + connections)]
    sent: list[float] = []
    async with httpx2.AsyncClient(
        base_url=server.url,
        headers={"X-API-Key": server.api_key, "Content-Type": "application/json"},
        limits=httpx2.Limits(max_connections=connections),
        timeout=30,
    ) as client:

        async def post() -> None:
            body = prepared.pop()
            started = time.perf_counter()
            answer = await client.post(path, content=body)
            answer.raise_for_status()
            sent.append(time.perf_counter() - started)

        before = server_cpu(server), database_cpu(server)
        started = time.perf_counter()
        await asyncio.gather(
            *(_until(started + seconds, prepared, post) for _ in range(connections))
        )
        took = time.perf_counter() - started
        after = server_cpu(server), database_cpu(server)
    return Measured(name, len(sent) * size, took, after[0] - before[0], after[1] - before[1], sent)


async def _until(end: float, prepared: list[bytes], post: Callable[[], Awaitable[None]]) -> None:
    while prepared and time.perf_counter() < end:
        await post()


def server_cpu(server: RunningServer) -> float:
    return sum(map(cpu, [server.process.pid, *children(server.process.pid)]))


def database_cpu(server: RunningServer) -> float:
    [pid_file] = server.home.rglob("postmaster.pid")
    postmaster = int(pid_file.read_text().split()[0])
    return sum(map(cpu, [postmaster, *children(postmaster)]))


def children(pid: int) -> list[int]:
    found: list[int] = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, listing.read_text().split()):
            found += [*children(child), child]
    return found


def cpu(pid: int) -> float:
    """Seconds of CPU that a process and its ended children have used."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11:13])) / TICKS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5)
    seconds = parser.parse_args().seconds
    print(f"{'':24} {'events':>11} {'server CPU':>12} {'database':>12} {'p95':>11}")
    with fresh_home() as home, running(home, {"LLMLAB_RUN_JOBS": "0"}) as server:
        asyncio.run(load(server, "warm-up", 100, 4, 1))
        for name, size, connections in (
            ("batches of 100, 8 conn", 100, 8),
            ("batches of 1000, 4 conn", 1_000, 4),
            ("single events, 64 conn", 1, 64),
        ):
            print(asyncio.run(load(server, name, size, connections, seconds)).line(), flush=True)


if __name__ == "__main__":
    main()
