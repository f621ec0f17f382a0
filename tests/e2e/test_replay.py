"""The main job on real input: recorded answers → real clients → SDK → server → every figure.

The independent sum takes the corpus' own token counts, multiplies them here by the unit prices of
the price book, and knows nothing of the SDK, the ledger or the rollups.
"""

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest
from playwright.sync_api import Browser

from llmlab_app.dashboard.formatting import total
from llmlab_app.domain.pricing import ModelPrice, PriceBook
from llmlab_app.services.prices import current_price_book
from scripts.replay_recorded import CORPUS, Record, replayable_records
from tests.e2e.conftest import LLMLAB, ROOT, RunningServer, fresh_home, running
from tests.e2e.dashboard.conftest import browser, loaded, signed_in

__all__ = ["browser"]  # a fixture: the last test asks for it by name
pytestmark = pytest.mark.skipif(
    not CORPUS.exists(), reason="no recordings beside the checkout (../shared)"
)


@pytest.fixture(scope="module")
def replayed(built_dashboard: None) -> Iterator[RunningServer]:
    """A server that has received every replayable recording, delivered to the last event."""
    with fresh_home() as home, running(home) as server:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", ROOT / "scripts" / "replay_recorded.py"],
            env={**os.environ, "LLMLAB_HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=170,
            check=True,
        )
        assert "; 0 bodies" in done.stdout
        yield server


@pytest.fixture(scope="module")
def expected() -> "Expected":
    return Expected.of(replayable_records(), current_price_book(), datetime.now(UTC))


class NoUnitPriceError(Exception):
    """Something was consumed that the price book has no price for."""


class Expected:
    """Totals computed here and nowhere else."""

    def __init__(self) -> None:
        self.cost = Decimal(0)
        self.calls = 0
        self.unpriced: Counter[str] = Counter()
        self.input_tokens = 0
        self.output_tokens = 0

    @classmethod
    def of(cls, records: Iterator[Record], book: PriceBook, at: datetime) -> "Expected":
        self = cls()
        for record in records:
            self._add(record, book, at)
        return self

    def _add(self, record: Record, book: PriceBook, at: datetime) -> None:
        usage: dict[str, Any] = record["expected"]
        self.calls += 1
        self.input_tokens += usage["total_input"]
        self.output_tokens += usage["output"]
        price = book.price_at(
            provider=record["provider"],
            model=record["response_model"] or record["request_model"],
            at=at,
            service_tier=usage.get("service_tier") or "default",
            region=usage.get("inference_geo"),
            input_tokens=usage["total_input"],
        )
        if not isinstance(price, ModelPrice):
            self._without_price(usage, price.reason)
            return
        try:
            lines = _lines(defaultdict(int, usage), price, book, record, at)
            cost = sum(lines, Decimal(0))
        except NoUnitPriceError:
            self._without_price(usage, "missing_unit_price")
            return
        if cost or price.is_free:
            self.cost += cost
        else:
            self.unpriced["zero_price"] += 1

    def _without_price(self, usage: dict[str, Any], reason: str) -> None:
        """What the answer itself said counts where there is no price."""
        if "reported_cost_usd" in usage:
            self.cost += Decimal(str(usage["reported_cost_usd"]))
        else:
            self.unpriced[reason] += 1


def _lines(
    usage: defaultdict[str, Any], price: ModelPrice, book: PriceBook, record: Record, at: datetime
) -> Iterator[Decimal]:
    """Quantity × unit price of every disjoint part of a recorded usage."""

    def line(quantity: int, *classes: str) -> Decimal:
        name = next((name for name in classes if name in price.unit_prices), None)
        if name is None:
            raise NoUnitPriceError(f"{price.model}: {classes}")
        unit_price = price.unit_prices[name]
        return (quantity * unit_price / 1_000_000).quantize(Decimal("1e-12"), ROUND_HALF_EVEN)

    media = {kind: usage[f"input_{kind}"] for kind in ("audio", "image", "video")}
    cached_audio = usage["cache_read_audio"]
    media["audio"] -= cached_audio
    if quantity := usage["input"] - sum(media.values()):
        yield line(quantity, "input")
    for kind, quantity in media.items():
        if quantity:
            yield line(quantity, f"input_{kind}", "input")
    if quantity := usage["cache_read"] - cached_audio:
        yield line(quantity, "cache_read", "input")
    if cached_audio:
        yield line(cached_audio, "cache_read_audio", "cache_read", "input")
    if quantity := usage["cache_write_5m"] + usage["cache_write"]:
        yield line(quantity, "cache_write", "input")
    if usage["cache_write_1h"]:
        yield line(usage["cache_write_1h"], "cache_write_1h")
    made = {kind: usage[f"output_{kind}"] for kind in ("audio", "image")}
    if quantity := usage["output"] - sum(made.values()):
        yield line(quantity, "output")
    for kind, quantity in made.items():
        if quantity:
            yield line(quantity, f"output_{kind}", "output")
    if searches := usage["web_search_requests"]:
        once = "grounded_prompt" in price.unit_prices
        yield line(1 if once else searches, "grounded_prompt" if once else "web_search")
    if files := _file_searches(record):
        yield line(files, "file_search_call")
    for extra in usage["extra_billed"] or ():
        companion = book.price_at(
            provider=record["provider"],
            model=extra.get("model") or record["response_model"],
            at=at,
            input_tokens=extra["input"],
        )
        assert isinstance(companion, ModelPrice)
        yield from _lines(defaultdict(int, extra), companion, book, record, at)


def _file_searches(record: Record) -> int:
    """Searches in files, which OpenAI bills each and lists among the output only."""
    if record["api"] != "responses":
        return 0
    if record["response_format"] == "json":
        return sum(item["type"] == "file_search_call" for item in record["response"]["output"])
    done = '"type":"response.output_item.done"'
    return sum(
        line.replace(" ", "").count('"type":"file_search_call"')
        for line in record["response"].splitlines()
        if done in line.replace(" ", "")
    )


def test_every_recording_arrives_exactly_once(replayed: RunningServer, expected: Expected) -> None:
    summary = replayed.request("GET", "/api/costs/summary").json()
    assert summary["all_time"]["events"] == expected.calls
    assert summary["all_time"]["unpriced_events"] == expected.unpriced.total()


def test_the_api_agrees_to_the_last_digit(replayed: RunningServer, expected: Expected) -> None:
    period = replayed.request("GET", "/api/costs/summary").json()["all_time"]
    assert Decimal(period["cost"]) == expected.cost
    assert period["input_tokens"] == expected.input_tokens
    assert period["output_tokens"] == expected.output_tokens


def test_a_breakdown_adds_up_to_the_same_digits(
    replayed: RunningServer, expected: Expected
) -> None:
    for dimension in ("model", "provider", "feature", "day", "project", "user"):
        found = replayed.request("GET", f"/api/costs?group_by={dimension}").json()
        assert sum(Decimal(row["cost"]) for row in found["data"]) == expected.cost, dimension


def test_the_terminal_agrees_to_the_last_digit(replayed: RunningServer, expected: Expected) -> None:
    said = subprocess.run(
        [LLMLAB, "status", "--json"],
        env={**os.environ, "LLMLAB_HOME": str(replayed.home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Decimal(json.loads(said.stdout)["summary"]["all_time"]["cost"]) == expected.cost


def test_the_dashboard_shows_the_same_total(
    browser: Browser, replayed: RunningServer, expected: Expected
) -> None:
    with signed_in(browser, replayed) as open_page:
        page = loaded(open_page())
        assert page.locator(".stat .big").all_text_contents()[3] == total(expected.cost)
