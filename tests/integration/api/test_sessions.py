"""A browser's way in and out, through the edge as it is served."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from pathlib import Path

import httpx2
import pytest

from llmlab_app.api import sessions
from llmlab_app.api.app import create_api
from llmlab_app.api.edge import guarded
from llmlab_app.services import access
from llmlab_app.services.credentials import forget_credentials
from llmlab_app.services.setup import prepare
from llmlab_app.settings import Settings

SUMMARY = "/api/costs/summary"
PASSWORD = "correct horse battery"
OWN_PAGE = {"Origin": "http://127.0.0.1:8484", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def settings(database: str, tmp_path: Path) -> Settings:
    """An installation after its first start, in local mode."""
    forget_credentials()
    settings = Settings(home=tmp_path)
    await prepare(settings, timezone="UTC", now=datetime.now(UTC))
    return settings


def browser_for(settings: Settings) -> httpx2.AsyncClient:
    app = guarded(create_api(), settings, None)
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app, client=("10.9.9.9", 1)),
        base_url="http://127.0.0.1:8484",
        headers={"User-Agent": "Firefox"},
    )


@pytest.fixture
async def browser(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser that knows nothing yet."""
    async with browser_for(settings) as client:
        yield client


@pytest.fixture
async def link(settings: Settings) -> str:
    return await access.mint_setup_link(datetime.now(UTC))


def cookie_of(answer: httpx2.Response) -> dict[str, str]:
    morsel = SimpleCookie(answer.headers["set-cookie"])["llmlab_session"]
    return {name: value for name, value in morsel.items() if value} | {"value": morsel.value}


async def test_a_setup_link_signs_in_and_leaves_the_token_behind(
    browser: httpx2.AsyncClient, link: str
) -> None:
    answer = await browser.get(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = cookie_of(answer)
    assert cookie["httponly"]
    assert cookie["samesite"] == "lax"
    assert cookie["path"] == "/"
    assert "secure" not in cookie  # plain http on loopback
    assert (await browser.get(SUMMARY)).status_code == 200


async def test_the_cookie_is_secure_where_the_public_url_is_https(
    browser: httpx2.AsyncClient, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = Settings(public_url="https://llmlab.example.com")
    monkeypatch.setattr(sessions, "get_settings", lambda: public)
    assert cookie_of(await browser.get(link))["secure"]


async def test_a_used_or_made_up_link_gets_a_page_that_says_what_to_do(
    browser: httpx2.AsyncClient, link: str
) -> None:
    await browser.get(link)
    browser.cookies.clear()
    for path in (link, "/setup?token=made-up", "/setup", "/setup?token=" + "x" * 5000):
        answer = await browser.get(path)
        assert answer.status_code == 401
        assert answer.headers["content-type"].startswith("text/html")
        assert "llmlab open" in answer.text
        assert "set-cookie" not in answer.headers
    assert (await browser.get(SUMMARY)).status_code == 401


async def test_the_page_of_a_link_that_does_not_work_repeats_nothing_of_it(
    browser: httpx2.AsyncClient,
) -> None:
    answer = await browser.get("/setup", params={"token": "<script>alert(1)</script>"})
    assert "alert" not in answer.text


async def test_a_head_request_does_not_use_a_link_up(
    browser: httpx2.AsyncClient, link: str
) -> None:
    await browser.head(link)
    assert (await browser.get(link)).status_code == 303


async def test_a_cookie_opens_gets_and_writes_nothing(
    browser: httpx2.AsyncClient, link: str
) -> None:
    await browser.get(link)
    assert (await browser.get("/api/projects")).status_code == 200
    for method, path in (
        ("POST", "/api/events/track"),
        ("POST", "/api/projects"),
        ("POST", "/api/keys"),
        ("POST", "/api/setup-links"),
        ("DELETE", "/api/keys/x"),
    ):
        answer = await browser.request(method, path, headers=OWN_PAGE)
        assert (answer.status_code, answer.json()["code"]) == (401, "no_credentials")


async def test_signing_out_ends_the_session_and_drops_the_cookie(
    browser: httpx2.AsyncClient, link: str
) -> None:
    await browser.get(link)
    kept = dict(browser.cookies)
    answer = await browser.delete("/api/sessions/current", headers=OWN_PAGE)
    assert answer.status_code == 204
    assert not browser.cookies
    browser.cookies.update(kept)
    assert (await browser.get(SUMMARY)).status_code == 401


async def test_another_sites_page_can_not_sign_a_browser_out(
    browser: httpx2.AsyncClient, link: str
) -> None:
    await browser.get(link)
    foreign = {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"}
    answer = await browser.delete("/api/sessions/current", headers=foreign)
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    assert (await browser.get(SUMMARY)).status_code == 200


async def test_a_browser_signs_another_one_out(settings: Settings, link: str) -> None:
    async with browser_for(settings) as one, browser_for(settings) as other:
        await one.get(link)
        await other.get(await access.mint_setup_link(datetime.now(UTC)))
        listed = (await one.get("/api/sessions")).json()["data"]
        assert [each["user_agent"] for each in listed] == ["Firefox", "Firefox"]
        [elsewhere] = [each["id"] for each in listed if not each["current"]]
        answer = await one.delete(f"/api/sessions/{elsewhere}", headers=OWN_PAGE)
        assert answer.status_code == 204
        assert (await other.get(SUMMARY)).status_code == 401
        assert (await one.get(SUMMARY)).status_code == 200


async def test_the_key_in_the_config_file_mints_a_link_that_works(
    browser: httpx2.AsyncClient, settings: Settings
) -> None:
    config = json.loads((settings.home / "config.json").read_text())
    answer = await browser.post(
        "/api/setup-links", headers={"Authorization": f"Bearer {config['api_key']}"}
    )
    assert answer.status_code == 201
    assert (await browser.get(answer.json()["path"])).status_code == 303


# The owner's password


@pytest.fixture
async def with_password(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same installation off loopback."""
    (tmp_path / "password").write_text(PASSWORD)
    public = settings.model_copy(update={"owner_password_file": tmp_path / "password"})
    monkeypatch.setattr(access, "get_settings", lambda: public)
    monkeypatch.setattr(access, "_tries", access.MovingWindowRateLimiter(access.MemoryStorage()))
    await prepare(public, timezone="UTC", now=datetime.now(UTC))


@pytest.mark.usefixtures("with_password")
async def test_the_owners_password_opens_a_session(browser: httpx2.AsyncClient) -> None:
    answer = await browser.post("/api/sessions", json={"password": PASSWORD}, headers=OWN_PAGE)
    assert answer.status_code == 201
    assert cookie_of(answer)["httponly"]
    assert cookie_of(answer)["value"] not in answer.text
    assert (await browser.get(SUMMARY)).status_code == 200


@pytest.mark.usefixtures("with_password")
async def test_a_wrong_password_opens_nothing_and_the_sixth_try_waits(
    browser: httpx2.AsyncClient,
) -> None:
    for _ in range(5):
        answer = await browser.post("/api/sessions", json={"password": "wrong password"})
        assert (answer.status_code, answer.json()["code"]) == (401, "wrong_password")
        assert "set-cookie" not in answer.headers
    answer = await browser.post("/api/sessions", json={"password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_sign_ins")
    assert 1 <= int(answer.headers["retry-after"]) <= 60


@pytest.mark.usefixtures("with_password")
@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"{}", 422), (b'{"password":5}', 422),
     (b'{"password":"x","next":"//evil"}', 422), (b"password=x", 400)],
)  # fmt: skip
async def test_a_sign_in_that_is_not_well_formed_is_refused(
    browser: httpx2.AsyncClient, body: bytes, status: int
) -> None:
    assert (await browser.post("/api/sessions", content=body)).status_code == status


@pytest.mark.usefixtures("with_password")
async def test_another_sites_page_can_not_sign_a_browser_in(browser: httpx2.AsyncClient) -> None:
    answer = await browser.post(
        "/api/sessions", json={"password": PASSWORD}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert not browser.cookies


async def test_in_local_mode_there_is_no_password_to_try(browser: httpx2.AsyncClient) -> None:
    answer = await browser.post("/api/sessions", json={"password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (403, "no_owner_password")
    assert "llmlab open" in answer.json()["detail"]
