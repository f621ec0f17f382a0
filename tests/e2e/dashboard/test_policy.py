"""The content security policy, as Chromium reads it."""

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import RunningServer
from tests.e2e.dashboard.conftest import OpenPage


@pytest.mark.parametrize("path", ["/", "/first-run", "/login"])
def test_a_page_works_on_a_second_visit(open_page: OpenPage, path: str) -> None:
    """The second answer is a 304, whose headers replace those that the browser has stored."""
    page = open_page(path)
    page.wait_for_load_state("networkidle")
    page.reload()
    page.wait_for_load_state("networkidle")
    expect(page.locator("main")).not_to_be_empty()


def test_a_script_that_we_did_not_build_does_not_run(
    browser: Browser, server: RunningServer
) -> None:
    page = browser.new_page()
    page.goto(f"{server.url}/login")
    run = page.evaluate(
        """() => {
            const script = document.createElement('script');
            script.textContent = 'window.ran = true';
            document.head.append(script);
            return window.ran === true;
        }"""
    )
    assert not run


def test_names_that_look_like_html_are_text(
    open_page: OpenPage, busy_server: RunningServer
) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    event = {"model": hostile, "provider": "openai", "feature": hostile, "cost": "1"}
    assert busy_server.request("POST", "/api/events/track", json=event).status_code == 200
    page = open_page()
    expect(page.get_by_text(hostile).filter(visible=True).first).to_be_visible()
    assert page.locator("img[src='x']").count() == 0
