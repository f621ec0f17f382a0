"""What the SDK adds to one call of a real client, in microseconds of CPU.

    python tests/benchmarks/sdk_overhead.py [--pairs 60] [--profile]

The provider and LLMLab's server are loopback stand-ins in a process of their own. In this process
blocks of calls with and without ``instrument()`` alternate, a few milliseconds apart, so that a
busy machine disturbs both alike; the figure is the median of the paired differences, with its
quartiles. ``caller`` is the CPU of the calling thread; ``all`` is the CPU of the whole process,
delivery included: each block ends with a flush.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import json
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

CHUNKS = 200
USAGE = {
    "prompt_tokens": 412,
    "completion_tokens": CHUNKS,
    "total_tokens": 612,
    "prompt_tokens_details": {"cached_tokens": 128, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 32,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}
MESSAGES_USAGE = {
    "input_tokens": 284,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 128,
    "output_tokens": CHUNKS,
    "service_tier": "standard",
}
TEXT = "Counting tokens means multiplying them by the price of that day. " * 6
ABOUT = {
    "id": "chatcmpl-BvQ0fake0123456789abcdefghij",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "service_tier": "default",
    "system_fingerprint": "fp_34a54ae93c",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--profile", action="store_true", help="where the time of a chat call goes")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(serve())
        return
    with (
        subprocess.Popen(
            [sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True
        ) as servers,
        tempfile.TemporaryDirectory() as home,
    ):
        try:
            assert servers.stdout is not None
            measure(int(servers.stdout.readline()), home, arguments.pairs, arguments.profile)
        finally:
            servers.terminate()


def measure(port: int, home: str, pairs: int, profile: bool) -> None:
    address = f"http://127.0.0.1:{port}"
    key = "llmlab_bench_secret"
    os.environ.update(LLMLAB_HOME=home, LLMLAB_SERVER=address, LLMLAB_API_KEY=key)
    import anthropic
    import llmlab
    import openai

    chat: Any = {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "What did we spend last week?"}],
    }
    client = openai.OpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0)
    claude = anthropic.Anthropic(base_url=address, api_key="x", max_retries=0)
    asynchronous = openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0)
    loop = asyncio.new_event_loop()

    def stream() -> None:
        options = {"include_usage": True}
        for _ in client.chat.completions.create(**chat, stream=True, stream_options=options):
            pass

    async def fifty() -> None:
        await asyncio.gather(*[asynchronous.chat.completions.create(**chat) for _ in range(50)])

    flush = llmlab.LLMLabClient().flush
    scenarios: list[tuple[str, Callable[[], object], int, int]] = [
        ("chat", lambda: client.chat.completions.create(**chat), 20, 1),
        (
            "anthropic message",
            lambda: claude.messages.create(
                model="claude-test-1", max_tokens=9, messages=chat["messages"]
            ),
            20,
            1,
        ),
        (f"stream of {CHUNKS} chunks", stream, 4, 1),
        ("50 asyncio calls", lambda: loop.run_until_complete(fifty()), 2, 50),
    ]
    if profile:
        show_profile(llmlab, scenarios[0][1], flush)
        return
    print(f"{'µs a call':24} {'without':>8} {'caller':>16} {'all':>16}")
    for name, call, repeats, calls in scenarios:
        samples: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        for pair in range(pairs + 3):
            for is_on in (True, False) if pair % 2 else (False, True):
                switch = llmlab.instrument if is_on else llmlab.uninstrument
                switch()
                sample = block(call, repeats, flush)
                if pair >= 3:
                    samples[is_on].append(tuple(value / calls for value in sample))
        base = statistics.median(all_ for _, all_ in samples[False])
        columns = []
        for clock in (0, 1):
            added = [
                on[clock] - off[clock]
                for on, off in zip(samples[True], samples[False], strict=True)
            ]
            low, middle, high = statistics.quantiles(added, n=4)
            columns.append(f"{middle:6.0f} ({low:.0f}…{high:.0f})")
        print(f"{name:24} {base:8.0f} {columns[0]:>16} {columns[1]:>16}")


def block(
    call: Callable[[], object], repeats: int, flush: Callable[[], bool]
) -> tuple[float, float]:
    """CPU of the calling thread and of the process, in microseconds a call."""
    gc.collect()
    flush()
    everything, caller = time.process_time(), time.thread_time()
    for _ in range(repeats):
        call()
    caller = time.thread_time() - caller
    flush()
    everything = time.process_time() - everything
    return caller / repeats * 1e6, everything / repeats * 1e6


def show_profile(llmlab: Any, call: Callable[[], object], flush: Callable[[], bool]) -> None:
    llmlab.instrument()
    for _ in range(50):
        call()
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(1000):
        call()
    profiler.disable()
    flush()
    pstats.Stats(profiler).sort_stats("tottime").print_stats("llmlab|json|posix", 25)


def answers() -> dict[str, bytes]:
    """Complete HTTP responses by what they answer."""

    def whole(body: object) -> bytes:
        text = json.dumps(body, separators=(",", ":")).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        return head % len(text) + text

    def chunk(delta: dict[str, str], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return piece({**ABOUT, "object": "chat.completion.chunk", "choices": [choice]})

    def piece(event: object) -> bytes:
        text = b"data: " + json.dumps(event, separators=(",", ":")).encode() + b"\n\n"
        return b"%x\r\n%s\r\n" % (len(text), text)

    message = {"role": "assistant", "content": TEXT, "refusal": None, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {**ABOUT, "object": "chat.completion.chunk", "choices": [], "usage": USAGE}
    done = b"data: [DONE]\n\n"
    return {
        "chat": whole({**ABOUT, "object": "chat.completion", "choices": [choice], "usage": USAGE}),
        "message": whole(
            {
                "id": "msg_01",
                "type": "message",
                "role": "assistant",
                "model": "claude-test-1",
                "content": [{"type": "text", "text": TEXT}],
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "usage": MESSAGES_USAGE,
            }
        ),
        "stream": b"".join(
            [
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n",
                chunk({"role": "assistant", "content": ""}),
                *(chunk({"content": f"word{number} "}) for number in range(CHUNKS)),
                chunk({}, "stop"),
                piece(usage),
                b"%x\r\n%s\r\n" % (len(done), done),
                b"0\r\n\r\n",
            ]
        ),
        "health": whole({"status": "ok"}),
    }


class StandIn(asyncio.Protocol):
    """Answers every request with prepared bytes."""

    prepared = answers()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        fields = head.lower().split(b"\r\n")
        lengths = [int(field[15:]) for field in fields if field.startswith(b"content-length:")]
        if len(body) < (lengths[0] if lengths else 0):
            return
        self.buffer = b""
        self.transport.write(self.answer(head, body))

    def answer(self, head: bytes, body: bytes) -> bytes:
        if b"/api/events/batch" in head:
            return accepted(body)
        if b"/messages" in head:
            return self.prepared["message"]
        if b"/chat/completions" in head:
            return self.prepared["stream" if b'"stream":true' in body else "chat"]
        return self.prepared["health"]


def accepted(body: bytes) -> bytes:
    events = json.loads(body)["events"]
    results = [
        {"id": event["id"], "status": "accepted", "cost": "0.00042", "cost_source": "computed"}
        for event in events
    ]
    text = json.dumps({"accepted": len(events), "rejected": [], "results": results}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(text) + text


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(StandIn, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    main()
