"""Real HTTP servers on this machine: any, and one that speaks LLMLab's contract."""

from __future__ import annotations

import json
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, NamedTuple


class Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Answer(NamedTuple):
    """``body`` is bytes or JSON; a list of bytes goes out piece by piece (server-sent events)."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = {}  # noqa: RUF012  # never changed


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


class Loopback:
    """An HTTP server on a free port of 127.0.0.1, answering as ``answer`` says."""

    def __init__(self, answer: Callable[[Request], Answer], port: int = 0) -> None:
        self.requests: list[Request] = []
        self.answer = answer
        self._server = _Server(("127.0.0.1", port), self._handler())
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, body)
                loopback.requests.append(request)
                self._send(loopback.answer(request))

            do_GET = do_POST = _serve  # noqa: N815  # names that http.server calls

            def _send(self, answer: Answer) -> None:
                pieces = answer.body if isinstance(answer.body, list) else None
                whole = answer.body
                if pieces is None and not isinstance(whole, bytes):
                    whole = json.dumps(whole).encode()
                kind = "text/event-stream" if pieces is not None else "application/json"
                headers = {"Content-Type": kind, **answer.headers}
                if pieces is None:
                    headers["Content-Length"] = str(len(whole))
                else:
                    headers["Transfer-Encoding"] = "chunked"
                self.send_response(answer.status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if pieces is None:
                    self.wfile.write(whole)
                    return
                for piece in pieces:
                    if callable(piece):
                        piece()
                    else:
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.write(b"0\r\n\r\n")

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, BrokenPipeError):  # the client had enough
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                return

        return Handler


class IngestServer:
    """Speaks the contract of ``/api/events/batch`` and keeps what it accepts."""

    def __init__(self, port: int = 0) -> None:
        self.events: dict[str, dict[str, Any]] = {}
        self.batches: list[int] = []
        self.duplicates = 0
        self.fields: list[str] | None = None
        self.reject: Callable[[dict[str, Any]], str | None] = lambda event: None
        self.before: Callable[[Request], Answer | None] = lambda request: None
        self._lock = threading.Lock()
        self.loopback = Loopback(self._answer, port)
        self.url = self.loopback.url

    @property
    def requests(self) -> list[Request]:
        return self.loopback.requests

    def stop(self) -> None:
        self.loopback.stop()

    def wait_for(self, count: int, seconds: float = 10.0) -> list[dict[str, Any]]:
        """The events, once there are ``count`` of them."""
        deadline = time.monotonic() + seconds
        while len(self.events) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.events) == count, f"{len(self.events)} of {count} events arrived"
        return list(self.events.values())

    def _answer(self, request: Request) -> Answer:
        special = self.before(request)
        if special is not None:
            return special
        if request.path == "/api/health":
            return Answer(
                {
                    "status": "ok",
                    "version": "0.1.0",
                    "event_fields": self.fields,
                    "ingest_url": None,
                }
            )
        if request.path != "/api/events/batch":
            return Answer({"code": "not_found"}, 404)
        body = request.body
        if request.headers.get("content-encoding") == "gzip":
            body = zlib.decompress(body, 31)
        with self._lock:
            return Answer(self._take(json.loads(body)["events"]))

    def _take(self, events: list[dict[str, Any]]) -> dict[str, Any]:
        results, rejected = [], []
        self.batches.append(len(events))
        for index, event in enumerate(events):
            code = self.reject(event)
            if self.fields is not None and not code and set(event) - set(self.fields):
                code = "invalid_event"
            known = event.get("id") in self.events
            status = "rejected" if code else "duplicate" if known else "accepted"
            cost = None if code or not event.get("usage") else "0.00042"
            source = "computed" if cost else "unpriced"
            results.append(
                {"id": event.get("id"), "status": status, "cost": cost, "cost_source": source}
            )
            if code:
                rejected.append({"index": index, "code": code, "detail": "because of the test"})
            elif known and event.get("revision", 0) <= self.events[event["id"]].get("revision", 0):
                self.duplicates += 1
            else:
                self.events[event["id"]] = event
        accepted = sum(result["status"] == "accepted" for result in results)
        return {"accepted": accepted, "duplicates": 0, "rejected": rejected, "results": results}
