"""Newer prices from where they are published: taken when sound, left alone when not."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from llmlab_app.adapters.price_feed import bundled_price_feed
from llmlab_app.domain.pricing import ModelPrice
from llmlab_app.services import prices
from llmlab_app.services.prices import current_price_book, refresh_price_book
from llmlab_app.settings import Settings

NOW = datetime(2026, 11, 23, tzinfo=UTC)


class Feed:
    """What a server publishes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.status = 200
        self.body = b""

    def publish(self, number: int) -> None:
        """That many models of a provider nobody heard of, $1 in and $2 out."""
        models = [
            {
                "id": f"made-up-{n}",
                "match": {"equals": f"made-up-{n}"},
                "prices": {"input_mtok": 1, "output_mtok": 2},
            }
            for n in range(number)
        ]
        provider = {"id": "made-up", "name": "Made up", "api_pattern": "made", "models": models}
        self.body = json.dumps([provider]).encode()


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Feed]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(published.status)
            self.end_headers()
            self.wfile.write(published.body)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    published = Feed(f"http://127.0.0.1:{server.server_port}/data.json")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    settings = Settings(price_feed_url=published.url)
    monkeypatch.setattr(prices, "get_settings", lambda: settings)
    monkeypatch.setattr(prices, "_book", None)
    yield published
    server.shutdown()
    thread.join()
    server.server_close()


def price_of(model: str) -> object:
    return current_price_book().price_at(provider="made-up", model=model, at=NOW)


async def test_newer_prices_count_from_now_on(feed: Feed) -> None:
    feed.publish(bundled_price_feed().model_count)

    await refresh_price_book(now=NOW)

    found = price_of("made-up-7")
    assert isinstance(found, ModelPrice)
    assert found.unit_prices["output"] == Decimal(2)
    assert bundled_price_feed().version not in current_price_book().version


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]", b'[{"id": 1}]'])
async def test_what_is_no_price_list_changes_nothing(feed: Feed, body: bytes) -> None:
    before = current_price_book()
    feed.body = body

    await refresh_price_book(now=NOW)

    assert current_price_book() is before


async def test_an_error_or_a_cut_list_changes_nothing(feed: Feed) -> None:
    before = current_price_book()
    feed.publish(bundled_price_feed().model_count // 2)
    await refresh_price_book(now=NOW)
    feed.publish(bundled_price_feed().model_count)
    feed.status = 503
    await refresh_price_book(now=NOW)

    assert current_price_book() is before


async def test_without_a_url_the_installed_prices_are_read_again_and_stay() -> None:
    before = current_price_book()

    await refresh_price_book(now=NOW)

    assert current_price_book() is before
