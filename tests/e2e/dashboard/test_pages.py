"""What every page must be: right to the digit, free of sideways scroll, errors and strangers."""

import ast
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from llmlab_app.dashboard import components, formatting
from llmlab_app.dashboard.components.onboarding import SNIPPETS
from llmlab_app.dashboard.formatting import call_cost, receipt_line, total
from tests.e2e.conftest import RunningServer
from tests.e2e.dashboard.conftest import OpenPage, loaded

CANARY = '<img src=x onerror="window.harmed=1">'
WIDTHS = (320, 640, 768, 1024, 1280, 1440)


def a_call(server: RunningServer, **wanted: str) -> dict[str, str]:
    calls = server.request("GET", "/api/events", params={"limit": "1", **wanted}).json()["data"]
    return calls[0]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_scrolls_sideways(
    open_page: OpenPage, busy_server: RunningServer, theme: str
) -> None:
    receipt = f"/calls/{a_call(busy_server)['id']}"
    for path, landmark in (
        ("/", ".donut circle"),
        ("/first-run", ".code"),
        (receipt, ".receipt"),
        ("/login", ".form"),
    ):
        page = open_page(path, width=WIDTHS[0], theme=theme)
        page.locator(landmark).first.wait_for()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_cards_show_what_the_api_says(open_page: OpenPage, busy_server: RunningServer) -> None:
    page = loaded(open_page())
    summary = busy_server.request("GET", "/api/costs/summary").json()
    figures = page.locator(".stat .big").all_text_contents()
    periods = ("today", "week", "month", "all_time")
    assert figures == [total(Decimal(summary[period]["cost"])) for period in periods]
    expect(page.locator(".lede")).to_have_text(f"You have spent {figures[2]} this month.")


def test_the_month_by_model_shows_what_the_api_says(
    open_page: OpenPage, busy_server: RunningServer
) -> None:
    page = loaded(open_page())
    summary = busy_server.request("GET", "/api/costs/summary").json()
    since = summary["month"]["first_day"]
    found = busy_server.request(
        "GET", "/api/costs", params={"group_by": "model", "since": since}
    ).json()
    priced = [row for row in found["data"] if Decimal(row["cost"])]
    shown = [
        tuple(row.locator("th, td").all_text_contents())[:2]
        for row in page.locator(".month tbody tr").all()
    ]
    named = dict(pair for pair in shown if not pair[0].startswith("Other"))
    for row in priced:
        if row["key"]["model"] in named:
            assert named[row["key"]["model"]] == total(Decimal(row["cost"]))
    month = total(Decimal(summary["month"]["cost"]))
    assert page.locator(".month tfoot td").first.text_content() == month
    shares = page.locator(".month tbody td:last-child").all_text_contents()
    assert sum(int(share[:-1]) for share in shares if share != "<1%") == 100


def test_the_trend_has_the_same_numbers_as_its_table_and_the_api(
    open_page: OpenPage, busy_server: RunningServer
) -> None:
    page = loaded(open_page())
    page.get_by_label("Show daily spend as a table").click()
    days = page.locator(".trend .tbl tbody tr")
    expect(days).to_have_count(30)
    found = busy_server.request("GET", "/api/costs", params={"group_by": "day"}).json()
    by_day = {row["key"]["day"]: Decimal(row["cost"]) for row in found["data"]}
    shown = page.locator(".trend .tbl tbody td:last-child").all_text_contents()
    assert shown == [total(by_day[day]) for day in sorted(by_day)]
    assert page.locator(".trend .card-head span").text_content() == (
        f"30 days · {total(sum(by_day.values(), Decimal(0)))}"
    )


def test_the_feed_shows_what_the_api_says(open_page: OpenPage, busy_server: RunningServer) -> None:
    call = a_call(busy_server, charge="metered", cost_source="computed")
    page = loaded(open_page())
    row = page.locator(f'.feed tr:has(a[href="/calls/{call["id"]}"])')
    if row.count():  # it may have left the feed already
        assert call_cost(Decimal(call["cost"])) in (row.text_content() or "")


def test_a_receipt_has_the_lines_of_the_api_and_adds_up(
    open_page: OpenPage, busy_server: RunningServer
) -> None:
    call = a_call(busy_server, model="claude-sonnet-4-5")
    receipt = busy_server.request("GET", f"/api/events/{call['id']}/receipt").json()
    page = open_page(f"/calls/{call['id']}")
    expect(page.locator(".rc tfoot td")).to_have_text(receipt_line(Decimal(receipt["cost"])))
    lines = page.locator(".rc tbody td").all_text_contents()
    assert lines == [receipt_line(Decimal(line["cost"])) for line in receipt["lines"]]


def test_an_unpriced_call_shows_words_and_never_zero(
    open_page: OpenPage, busy_server: RunningServer
) -> None:
    call = a_call(busy_server, cost_source="unpriced")
    page = open_page(f"/calls/{call['id']}")
    expect(page.locator(".rc tfoot td")).to_have_text("unpriced")
    expect(page.get_by_text("No cost could be computed: unknown model")).to_be_visible()


@pytest.mark.parametrize("id", ["nonsense", "0192f0c1-0000-7000-8000-000000000000"])
def test_an_unknown_call_is_explained(open_page: OpenPage, id: str) -> None:
    expect(open_page(f"/calls/{id}").get_by_text("No such call")).to_be_visible()


def test_markup_in_names_is_shown_as_text(open_page: OpenPage, busy_server: RunningServer) -> None:
    event = {"provider": "acme", "model": CANARY, "feature": CANARY, "user": CANARY, "cost": "3"}
    tracked = busy_server.request(
        "POST", "/api/events/track", json={**event, "tags": {"team": CANARY}, "error": CANARY}
    )
    assert tracked.status_code == 200, tracked.text
    for path in ("/", f"/calls/{tracked.json()['id']}"):
        page = open_page(path)
        expect(page.get_by_text(CANARY).filter(visible=True).first).to_be_visible()
        assert page.evaluate("window.harmed") is None


def test_a_project_is_chosen_by_the_address_and_survives_a_reload(
    open_page: OpenPage, busy_server: RunningServer
) -> None:
    busy_server.request("POST", "/api/projects", json={"name": "side project"})
    everything = busy_server.request("GET", "/api/costs/summary").json()["all_time"]["cost"]
    page = loaded(open_page())
    page.get_by_label("Project").first.select_option("side project")
    expect(page).to_have_url(f"{busy_server.url}/?project=side+project")
    all_time = page.locator(".stat .big").last
    expect(all_time).to_have_text("$0.00")
    page.reload()
    expect(all_time).to_have_text("$0.00")
    expect(page.get_by_label("Project").first).to_have_value("side project")
    page.get_by_role("link", name="First run").first.click()
    expect(page).to_have_url(f"{busy_server.url}/first-run?project=side+project")
    page.go_back()
    page.get_by_label("Project").first.select_option("All projects")
    expect(all_time).to_have_text(total(Decimal(everything)))


def test_an_unknown_project_is_explained(open_page: OpenPage) -> None:
    page = open_page("/?project=nowhere")
    expect(page.get_by_text("There is no project 'nowhere'")).to_be_visible()


def test_the_theme_follows_the_system_until_chosen_and_is_kept(open_page: OpenPage) -> None:
    page = loaded(open_page(theme="dark"))
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.get_by_label("Theme: follow system").first.click()
    page.get_by_label("Theme: light").first.wait_for()
    light = page.evaluate(background)
    assert light != dark
    page.reload(wait_until="commit")
    page.wait_for_selector("main", state="attached")
    assert page.evaluate(background) == light  # before any script of ours has run: no flash
    page.get_by_label("Theme: light").first.click()
    page.get_by_label("Theme: dark").first.wait_for()
    assert page.evaluate(background) == dark


def test_the_keyboard_reaches_content_rows_and_days(open_page: OpenPage) -> None:
    page = loaded(open_page())
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    assert (skip.bounding_box() or {"x": -1})["x"] >= 0
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.locator(".hit[tabindex='0']").focus()
    expect(page.locator(".hit:focus > .tip")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".hit").nth(28)).to_be_focused()
    newest = page.locator(".feed tbody .name").first
    newest.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Cost receipt")).to_be_visible()


def test_every_snippet_is_code_and_is_copied_whole(open_page: OpenPage) -> None:
    page = open_page("/first-run")
    for name, source in SNIPPETS.items():
        if name != "curl":
            ast.parse(source)
        page.get_by_role("tab", name=name).click()
        page.get_by_role("button", name="Copy").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == source


def test_the_browser_writes_ages_as_the_server_does(open_page: OpenPage) -> None:
    source = Path(components.__path__[0], "age.jsx").read_text()
    function = source[source.index("function formatAge") : source.index("// `at` and `now`")]
    seconds = [0, 4.9, 59, 60, 83, 599, 3_599, 3_600, 86_399, 172_799, 172_800, 10**7]
    page = open_page("/login")
    shown = page.evaluate(f"(all) => {{ {function} return all.map(formatAge) }}", seconds)
    assert shown == [formatting.age(timedelta(seconds=each)) for each in seconds]
