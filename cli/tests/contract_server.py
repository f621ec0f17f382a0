"""A loopback server that speaks the public contract: real HTTP, answers that a test can change."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "llmlab_9Qd4Xk2p_" + "s" * 43 + "c" * 6


def spend(cost: str = "0", events: int = 0, **more: Any) -> dict[str, Any]:
    """Sums over calls as the API answers them."""
    return {
        "cost": cost,
        "events": events,
        "input_tokens": 0,
        "output_tokens": 0,
        "unpriced_events": 0,
        **more,
    }


def period(
    cost: str, events: int, first_day: str, previous_cost: str | None, **more: Any
) -> dict[str, Any]:
    """One of the four figures of the summary."""
    return {**spend(cost, events, **more), "previous_cost": previous_cost, "first_day": first_day}


SUMMARY = {
    "today": period("12.34", 812, "2026-11-23", "10.02"),
    "week": period("12.345", 813, "2026-11-23", "50.1"),
    "month": period("410.16", 9966, "2026-11-01", "380.4444"),
    "all_time": period("1234.5600042", 31002, "2026-01-31", None, unpriced_events=41),
    "currency": "USD",
    "timezone": "Europe/Berlin",
}
_MODELS = {
    "gpt-4o": spend("310.2", 6001, input_tokens=4_100_000, output_tokens=912_345),
    "claude-haiku-4.5": spend("0.00042", 3201, input_tokens=12_345, output_tokens=678),
    "llama-x": spend("0", 41, input_tokens=812, output_tokens=90, unpriced_events=41),
}
COSTS = {
    "data": [{"key": {"model": model}, **figures} for model, figures in _MODELS.items()],
    "total": spend(
        "310.20042", 9243, input_tokens=4_113_157, output_tokens=913_113, unpriced_events=41
    ),
    "source": "rollup",
}
QUOTE = {
    "cost": "0.0003495",
    "currency": "USD",
    "cost_source": "computed",
    "lines": [
        {
            "token_class": "input",
            "quantity": "450",
            "unit_price_per_million": "0.15",
            "cost": "0.0000675",
        },
        {
            "token_class": "cache_read",
            "quantity": "1000",
            "unit_price_per_million": "0.075",
            "cost": "0.000075",
        },
        {
            "token_class": "output",
            "quantity": "345",
            "unit_price_per_million": "0.6",
            "cost": "0.000207",
        },
    ],
    "price_source": "genai-prices",
    "price_source_url": "https://openai.com/api/pricing",
    "effective_from": "2024-07-18T00:00:00Z",
}
SETUP_LINK = {"path": "/setup?token=once", "expires_at": "2026-11-23T16:00:00Z"}
_RECORD = {
    "effective_to": None,
    "created_at": "2026-11-01T09:00:00Z",
    "created_by": "owner",
    "closed_at": None,
    "closed_by": None,
}
OVERRIDE = {
    "id": "0d3c1f8a-1111-4000-8000-000000000001",
    "provider": "openai",
    "model": "gpt-4o",
    "service_tier": None,
    "note": "",
    "unit_prices_per_million": {"input": "2", "output": "8"},
    "effective_from": "2026-11-01T00:00:00Z",
    **_RECORD,
}
DISCOUNT = {
    "id": "5b77aa02-2222-4000-8000-000000000002",
    "provider": "anthropic",
    "model": "*",
    "service_tier": None,
    "note": "spring deal",
    "percent": "12.5",
    "token_classes": None,
    "effective_from": "2026-04-01T00:00:00Z",
    **_RECORD,
}
MAPPING = {
    "id": "9e10c4d7-3333-4000-8000-000000000003",
    "provider": "azure",
    "model": "team-chat",
    "target_provider": "openai",
    "target_model": "gpt-4o-mini",
    "effective_from": "2022-01-01T00:00:00Z",
    **_RECORD,
}
UNPRICED = {
    "data": [
        {
            "provider": "azure",
            "model": "search-bot",
            "reason": "unknown_model",
            "mappable": True,
            "calls": 41,
            "first_seen": "2026-10-02T07:30:00Z",
            "last_seen": "2026-11-22T18:04:11Z",
            "input_tokens": 81_200,
            "output_tokens": 9_012,
        }
    ]
}
DRIFT = {
    "data": [
        {
            "provider": "openrouter",
            "model": "openai/gpt-4o",
            "calls": 812,
            "reported_cost": "12.34",
            "computed_cost": "12.1",
            "difference": "-0.24",
            "ratio": "0.9806",
        }
    ],
    "currency": "USD",
}
REPRICED = {
    "dry_run": True,
    "examined": 9966,
    "amended": 0,
    "price_version": "own prices 3 + llmlab prices 0123456789ab + genai-prices 0.2.3",
    "currency": "USD",
    "months": [
        {
            "month": "2026-08",
            "events": 12,
            "old_cost": "0",
            "new_cost": "1.5",
            "difference": "1.5",
            "unpriced_before": 12,
            "unpriced_after": 0,
            "closed": True,
            "may_change": False,
        },
        {
            "month": "2026-11",
            "events": 41,
            "old_cost": "310.2",
            "new_cost": "271.425",
            "difference": "-38.775",
            "unpriced_before": 0,
            "unpriced_after": 0,
            "closed": False,
            "may_change": True,
        },
    ],
}
TRACKED = {
    "id": "0192f0c1-0000-7000-8000-000000000001",
    "accepted": True,
    "duplicate": False,
    "cost": "0.0003495",
    "cost_source": "computed",
}


def problem(status: int, detail: str, **more: Any) -> tuple[int, dict[str, Any]]:
    """A refusal (RFC 9457)."""
    return status, {
        "type": "about:blank",
        "title": "No",
        "status": status,
        "detail": detail,
        **more,
    }


class ContractServer:
    """Answers by ``METHOD /path``: ``(status, body)``; keeps the requests it saw."""

    def __init__(self, port: int = 0) -> None:
        self.answers: dict[str, tuple[int, Any]] = {
            "GET /api/health": (200, {"status": "ok", "version": "0.1.0", "event_fields": []}),
            "GET /api/costs/summary": (200, SUMMARY),
            "GET /api/costs": (200, COSTS),
            "POST /api/prices/quote": (200, QUOTE),
            "GET /api/prices/overrides": (200, {"data": [OVERRIDE]}),
            "GET /api/prices/discounts": (200, {"data": [DISCOUNT]}),
            "GET /api/prices/mappings": (200, {"data": [MAPPING]}),
            "POST /api/prices/overrides": (201, {**OVERRIDE, "closed": []}),
            "POST /api/prices/discounts": (201, {**DISCOUNT, "closed": []}),
            "POST /api/prices/mappings": (201, {**MAPPING, "closed": []}),
            f"DELETE /api/prices/discounts/{DISCOUNT['id']}": (204, ""),
            "GET /api/prices/unpriced": (200, UNPRICED),
            "GET /api/prices/drift": (200, DRIFT),
            "POST /api/prices/reprice": (200, REPRICED),
            "POST /api/events/track": (200, TRACKED),
            "POST /api/setup-links": (201, SETUP_LINK),
        }
        self.key = KEY
        self.requests: list[Request] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def sent(self, path: str) -> list[Request]:
        """What was asked of ``path``."""
        return [request for request in self.requests if request.path == path]

    def close(self) -> None:
        """Stop listening."""
        self._http.shutdown()
        self._http.server_close()

    def answer(self, request: Request) -> tuple[int, Any]:
        """The answer to a request, after checking its key as the contract says."""
        self.requests.append(request)
        if request.path != "/api/health" and request.key != self.key:
            return problem(401, "This key is not one of ours.")
        return self.answers.get(f"{request.method} {request.path}", problem(404, "No such page."))


class Request:
    """One request as it arrived."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        self.method, self.path = handler.command, parts.path
        self.query = parse_qs(parts.query)
        self.body = json.loads(body) if body else None
        self.headers = dict(handler.headers.items())
        self.key = handler.headers.get("Authorization", "").replace("Bearer ", "", 1)
        self.project = handler.headers.get("X-LLMLab-Project")


def _handler(server: ContractServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, body = server.answer(Request(self))
            is_text = isinstance(body, str)
            content = (body if is_text else json.dumps(body)).encode()
            kind = "text/html" if is_text else "application/json"
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_DELETE = do_GET  # noqa: N815 (the names http.server asks for)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
