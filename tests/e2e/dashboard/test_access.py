"""A hidden page is no protection: without a session there is nothing to see, whatever is asked."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, WebSocket, expect

from tests.e2e.conftest import RunningServer, StartServer
from tests.e2e.dashboard.conftest import signed_in

PASSWORD = "correct horse battery staple"


@pytest.fixture
def stranger(browser: Browser, busy_server: RunningServer) -> Page:
    return browser.new_context().new_page()


def test_a_stranger_is_sent_to_the_door_and_learns_nothing(
    stranger: Page, busy_server: RunningServer
) -> None:
    received: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: received.append(str(frame)))

    stranger.on("websocket", listen)
    stranger.goto(busy_server.url)
    expect(stranger.get_by_role("heading", name="Open LLMLab")).to_be_visible()
    assert stranger.url == f"{busy_server.url}/login"
    assert received
    assert not any("claude" in frame or "$" in frame.replace("$/", "") for frame in received)


def test_a_revoked_session_stops_showing_anything(
    browser: Browser, busy_server: RunningServer
) -> None:
    with signed_in(browser, busy_server) as open_page:
        page = open_page()
        page.locator(".stat .big", has_text="$").first.wait_for()
        mine = busy_server.request("GET", "/api/sessions").json()["data"][0]["id"]
        page.request.delete(f"{busy_server.url}/api/sessions/{mine}")
        busy_server.request(
            "POST", "/api/events/track", json={"provider": "a", "model": "b", "cost": "1"}
        )
        expect(page.get_by_text("You are signed out")).to_be_visible(timeout=15_000)
        expect(page.locator(".stat .big", has_text="$")).to_have_count(0)


def test_the_owner_signs_in_with_the_password_and_out_again(
    browser: Browser, start_server: StartServer, home: Path
) -> None:
    file = home / "password"
    file.write_text(PASSWORD)
    file.chmod(0o600)
    server = start_server(home, LLMLAB_OWNER_PASSWORD_FILE=str(file))
    page = browser.new_context().new_page()
    page.goto(server.url)
    page.get_by_label("Owner password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("That isn't the password")).to_be_visible()
    page.get_by_label("Owner password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("No calls yet. Send one")).to_be_visible()
    assert page.evaluate("document.cookie") == ""
    page.get_by_label("Sign out").first.click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(server.url)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
