"""Money moves, and the page moves with it."""

from dataclasses import replace
from decimal import Decimal
from math import ceil
from statistics import median
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from llmlab_app.dashboard.formatting import total
from tests.e2e.conftest import RunningServer, fresh_home, running
from tests.e2e.dashboard.conftest import OpenPage, loaded, signed_in

COST = Decimal("0.25")
# Resolves in the frame in which both the newest row and the first card show what is expected.
SHOWN = """([model, figure]) => new Promise((resolve) => {
  const text = (selector) => document.querySelector(selector)?.textContent;
  const look = () =>
    text(".feed tbody .name") === model && text(".stat .big") === figure
      ? resolve()
      : requestAnimationFrame(look);
  look();
})"""


def track(server: RunningServer, model: str, **fields: Any) -> None:
    event = {"provider": "acme", "model": model, "cost": str(COST), **fields}
    answer = server.request("POST", "/api/events/track", json=event)
    assert answer.status_code == 200, answer.text


def spent_today(server: RunningServer) -> Decimal:
    return Decimal(server.request("GET", "/api/costs/summary").json()["today"]["cost"])


def newest(page: Page) -> Any:
    return page.locator(".feed tbody .name").first


@pytest.mark.parametrize("events", [8, pytest.param(50, marks=pytest.mark.verify)])
def test_an_event_appears_in_feed_and_cards(
    open_page: OpenPage, busy_server: RunningServer, events: int
) -> None:
    page = loaded(open_page())
    waits: list[float] = []
    for number in range(events):
        expected = [f"measured-{events}-{number}", total(spent_today(busy_server) + COST)]
        began = perf_counter()
        track(busy_server, expected[0])
        page.evaluate(SHOWN, expected)
        waits.append(perf_counter() - began)
        page.wait_for_timeout(1_200)  # spaced, so that none rides on the push before it
    waits.sort()
    print(
        f"\nPOST until visible in feed and card, {events} spaced events:"
        f" median {median(waits):.2f} s, p95 {waits[ceil(events * 0.95) - 1]:.2f} s,"
        f" max {waits[-1]:.2f} s"
    )


def test_a_burst_of_events_ends_with_the_last_one_on_screen(
    open_page: OpenPage, busy_server: RunningServer
) -> None:
    page = loaded(open_page())
    for number in range(40):
        track(busy_server, f"burst-{number}")
    expect(newest(page)).to_have_text("burst-39")
    expect(page.locator(".stat .big").first).to_have_text(total(spent_today(busy_server)))


def test_the_feed_stands_still_under_the_pointer_and_catches_up(
    open_page: OpenPage, busy_server: RunningServer
) -> None:
    page = loaded(open_page())
    before = newest(page).text_content()
    newest(page).hover()
    expect(page.get_by_text("Holding still")).to_be_visible()
    track(busy_server, "while-reading")
    expect(page.locator(".stat .big").first).to_have_text(total(spent_today(busy_server)))
    assert newest(page).text_content() == before
    page.mouse.move(0, 0)
    expect(newest(page)).to_have_text("while-reading")


def test_a_test_event_is_shown_and_counts_towards_nothing(
    open_page: OpenPage, busy_server: RunningServer
) -> None:
    before = spent_today(busy_server)
    page = open_page("/first-run")
    page.get_by_role("button", name="Send a test event").click()
    expect(page.get_by_text("Test event received")).to_be_visible()
    page.get_by_role("link", name="Overview").first.click()
    expect(newest(page)).to_have_text("gpt-4o-minitest")
    assert spent_today(busy_server) == before


def test_the_first_call_turns_the_welcome_into_numbers(browser: Browser) -> None:
    with fresh_home() as home, running(home) as server, signed_in(browser, server) as open_page:
        page = open_page()
        expect(page.get_by_text("Waiting for your first call")).to_be_visible()
        expect(page.locator(".stat .big").first).to_have_text("$0.00")
        track(server, "first-of-all")
        expect(page.get_by_text("You have spent $0.25 this month.")).to_be_visible()
        expect(page.get_by_text("Waiting for your first call")).not_to_be_visible()


def test_the_page_recovers_from_a_restart_of_the_server(browser: Browser) -> None:
    with fresh_home() as home:
        with running(home) as server:
            port = str(urlsplit(server.url).port)
            door = browser.new_context()
            page = door.new_page()
            page.goto(server.sign_in_url)
            expect(page.locator(".stat .big").first).to_have_text("$0.00")
            server.stop()
            expect(page.get_by_text("Live updates paused")).to_be_visible(timeout=30_000)
        with running(home, {"LLMLAB_PORT": port}) as restarted:
            again = replace(restarted, url=server.url)
            track(again, "after-the-restart")
            expect(newest(page)).to_have_text("after-the-restart", timeout=30_000)
            expect(page.get_by_text("Live updates paused")).not_to_be_visible()
            track(again, "live-again")
            expect(newest(page)).to_have_text("live-again")
        door.close()
