"""A real Chromium on a real server, signed in, with an ear for whatever goes wrong on a page."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response
from playwright.sync_api import sync_playwright as start_playwright

from scripts.chromium import NAMES
from scripts.sample_usage import sample_events, send
from tests.e2e.conftest import RunningServer, fresh_home, running

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; never a downloaded one.

    One a module, not a session: as long as it lives its event loop runs in this thread, and no
    async test can run beside it.
    """
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    assert chromium, "There is no Chromium on the PATH: run the tests by `make test`."
    with start_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def busy_server(built_dashboard: None) -> Iterator[RunningServer]:
    """A server with months of usage; tests may add to it."""
    with fresh_home() as home, running(home, {"TZ": "Europe/Berlin"}) as server:
        send(server.url, server.api_key, sample_events(datetime.now(UTC)))
        yield server


@dataclass
class Overheard:
    """What went wrong on the pages of a test."""

    own_host: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def listen_to(self, page: Page) -> None:
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("response", self._note_response)
        page.on("request", lambda request: self._note_address(request.url))
        page.on("websocket", lambda socket: self._note_address(socket.url))

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.type}: {message.text}")

    def _note_response(self, response: Response) -> None:
        if response.status >= 400:
            self.errors.append(f"{response.status} {response.url}")

    def _note_address(self, url: str) -> None:
        if urlsplit(url).netloc not in ("", self.own_host):
            self.foreign.append(url)


@contextmanager
def signed_in(browser: Browser, server: RunningServer) -> Iterator[OpenPage]:
    """Open pages of ``server`` as its owner; whatever went wrong there fails the test."""
    link = server.request("POST", "/api/setup-links").json()["path"]
    overheard = Overheard(urlsplit(server.url).netloc)
    contexts: list[BrowserContext] = []
    door = browser.new_context()
    door.request.get(server.url + link)
    session = door.storage_state()
    door.close()

    def open_page(path: str = "/", *, width: int = 1280, theme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=theme,
            storage_state=session,
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        overheard.listen_to(page)
        page.goto(server.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not overheard.errors
    assert not overheard.foreign


@pytest.fixture
def open_page(browser: Browser, busy_server: RunningServer) -> Iterator[OpenPage]:
    """Open pages of the busy server, signed in."""
    with signed_in(browser, busy_server) as opens:
        yield opens


def loaded(page: Page) -> Page:
    """The Overview once its figures are there."""
    page.locator(".stat .big", has_text="$").first.wait_for()
    page.locator(".feed tbody tr").first.wait_for()
    return page
