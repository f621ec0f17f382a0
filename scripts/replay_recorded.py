"""Replay recorded provider responses through the real clients, instrumented, into a server.

    uv run python scripts/replay_recorded.py [--limit 200]

A loopback server answers like the provider did, byte for byte; the openai, anthropic and
google-genai clients of this environment call it and know nothing of it; our SDK watches them and
reports to the server of ``~/.llmlab/config.json`` (or ``LLMLAB_SERVER`` and ``LLMLAB_API_KEY``).
The recordings lie beside the checkout, in ``../shared/corpora``.
"""

import argparse
import gzip
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpora" / "recorded.jsonl.gz"
RECORD_HEADER = "X-Replay-Record"
_MESSAGES: Any = [{"role": "user", "content": "replayed"}]

Record = dict[str, Any]


@dataclass(frozen=True)
class Replayed:
    """What happened to a record: the client returned, or refused the recorded body."""

    record: Record
    error: str | None


def replayable_records(corpus: Path = CORPUS) -> Iterator[Record]:
    """Complete recordings with usage that one of the three clients can be made to ask for."""
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            complete = record["expected_status"] == "usage" and not record["response_trimmed"]
            ambiguous = (record.get("expected") or {}).get("ambiguous")
            if complete and not ambiguous and record["status"] == 200 and _call_of(record):
                yield record


def replay(records: list[Record]) -> list[Replayed]:
    """Make the real client of each record ask for it once more."""
    with recorded_provider(records) as url:
        clients = Clients(url)
        return [_replay_one(record, clients) for record in records]


def _replay_one(record: Record, clients: "Clients") -> Replayed:
    call = _call_of(record)
    assert call is not None
    try:
        call(clients, record)
    except Exception as error:
        return Replayed(record, f"{type(error).__name__}: {str(error)[:120]}")
    return Replayed(record, None)


class Clients:
    """The clients as anyone would make them, but for where they call; streams are read to the end.

    A header tells the loopback provider which recording is asked for.
    """

    def __init__(self, url: str) -> None:
        import anthropic
        import openai
        from google import genai

        self.openai = openai.OpenAI(base_url=f"{url}/v1", api_key="replay", max_retries=0)
        self.anthropic = anthropic.Anthropic(base_url=url, api_key="replay", max_retries=0)
        self.google = genai.Client(api_key="replay", http_options={"base_url": url})

    def chat(self, record: Record) -> None:
        self._drain(
            self.openai.chat.completions.create(messages=_MESSAGES, **self._options(record)), record
        )

    def completion(self, record: Record) -> None:
        self.openai.completions.create(prompt="replayed", **self._options(record))

    def response(self, record: Record) -> None:
        self._drain(self.openai.responses.create(input="replayed", **self._options(record)), record)

    def message(self, record: Record) -> None:
        create = self.anthropic.messages.create
        self._drain(create(max_tokens=16, messages=_MESSAGES, **self._options(record)), record)

    def content(self, record: Record) -> None:
        models = self.google.models
        call = models.generate_content_stream if record["streaming"] else models.generate_content
        header: Any = {"http_options": {"headers": {RECORD_HEADER: record["id"]}}}
        self._drain(call(model=_model(record), contents="replayed", config=header), record)

    def _options(self, record: Record) -> dict[str, Any]:
        return {
            "model": _model(record),
            "stream": record["streaming"],
            "extra_headers": {RECORD_HEADER: record["id"]},
        }

    def _drain(self, answer: Any, record: Record) -> None:
        if record["streaming"]:
            for _ in answer:
                pass


def _model(record: Record) -> str:
    return record["request_model"] or record["response_model"] or "unnamed"


_CALLS: dict[tuple[str, str, str], Callable[[Clients, Record], None]] = {
    ("openai", "chat.completions", "json"): Clients.chat,
    ("openai", "chat.completions", "sse"): Clients.chat,
    ("openai", "completions", "json"): Clients.completion,
    ("openai", "responses", "json"): Clients.response,
    ("openai", "responses", "sse"): Clients.response,
    ("anthropic", "messages", "json"): Clients.message,
    ("anthropic", "messages", "sse"): Clients.message,
    ("google", "generateContent", "json"): Clients.content,
    ("google", "generateContent", "sse"): Clients.content,
}


def _call_of(record: Record) -> Callable[[Clients, Record], None] | None:
    return _CALLS.get((record["provider"], record["api"], record["response_format"]))


@contextmanager
def recorded_provider(records: list[Record]) -> Iterator[str]:
    """A loopback provider that answers with the record that the request's header names."""
    answers = {record["id"]: _answer(record) for record in records}

    class Provider(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            content_type, body = answers[self.headers[RECORD_HEADER]]
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _answer(record: Record) -> tuple[str, bytes]:
    if record["response_format"] == "sse":
        return "text/event-stream", record["response"].encode()
    return "application/json", json.dumps(record["response"]).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=int, default=None, help="replay only so many records")
    arguments = parser.parse_args()
    if not CORPUS.exists():
        raise SystemExit(f"There are no recordings at {CORPUS}.")

    import llmlab

    llmlab.instrument()
    records = list(replayable_records())[: arguments.limit]
    started = time.perf_counter()
    outcomes = Counter(each.error is None for each in replay(records))
    seconds = time.perf_counter() - started
    with llmlab.LLMLabClient() as client:
        client.flush(timeout=60)
        print(f"{outcomes[True]} calls replayed in {seconds:.1f} s; {outcomes[False]} bodies that")
        print(f"the client itself refused. SDK: {client.stats}")


if __name__ == "__main__":
    main()
