"""The edge around a small app, spoken to in raw ASGI: a client library would tidy headers up."""

import gzip
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from llmlab_app.api.edge import guarded
from llmlab_app.api.request_body import MAX_BODY_BYTES, MAX_INFLATED_BYTES
from llmlab_app.settings import Settings

PUBLIC = Settings(public_url="https://llmlab.example.com", trusted_proxies="10.0.0.0/8")
OWN = "127.0.0.1:8484"


@dataclass
class App:
    """Answers everything with what it was sent; remembers whether it was reached."""

    content_type: bytes = b"application/json"
    status: int = 200
    extra: list[tuple[bytes, bytes]] = field(default_factory=list)
    scope: Scope | None = None
    body: bytes = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            return
        more = scope["method"] not in ("GET", "HEAD")
        while more:
            message = await receive()
            self.body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = [(b"content-type", self.content_type), *self.extra]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        assert self.headers["content-type"] == "application/problem+json"
        return json.loads(self.body)["code"]


async def ask(
    app: App,
    method: str = "GET",
    path: str = "/",
    *,
    headers: Iterable[tuple[str, str]] = (),
    host: str | None = OWN,
    body: Iterable[bytes] = (b"",),
    settings: Settings | None = None,
    frontend: Path | None = None,
    type: str = "http",
) -> Answer:
    """The answer to one request; a 101 for an accepted websocket."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    if host is not None:
        raw.append((b"host", host.encode("latin-1")))
    scope: dict[str, Any] = {"type": type, "path": path, "headers": raw, "query_string": b""}
    if type == "http":
        scope["method"] = method
    scope["client"] = ("10.1.2.3", 55)
    chunks = list(body)
    sent: list[Message] = []

    async def receive() -> Message:
        if type == "websocket":
            return {"type": "websocket.connect"}
        if not chunks:
            return {"type": "http.disconnect"}
        chunk = chunks.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

    async def send(message: Message) -> None:
        sent.append(message)

    await guarded(app, settings or Settings(), frontend)(scope, receive, send)
    if sent[0]["type"] == "websocket.accept":
        return Answer(101, {}, b"")
    answered = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], answered, b"".join(m.get("body", b"") for m in sent[1:]))


# Hosts


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8484", "localhost", "localhost:1", "LOCALHOST:8484", "[::1]",
     "[::1]:8484"],
)  # fmt: skip
@pytest.mark.parametrize("type", ["http", "websocket"])
async def test_loopback_names_are_ours_with_any_port(host: str, type: str) -> None:
    answer = await ask(App(), host=host, type=type)
    assert answer.status in (200, 101)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8484", "localhost.evil.example", "127.0.0.1.evil.example",
     "localhost.", "127.0.0.2", "0.0.0.0:8484", "[::2]", "[::ffff:127.0.0.1]", "llmlab.example.com",
     "2130706433"],
)  # fmt: skip
@pytest.mark.parametrize("type", ["http", "websocket"])
async def test_a_foreign_host_is_misdirected(host: str, type: str) -> None:
    app = App()
    answer = await ask(app, host=host, type=type)
    assert (answer.status, answer.code) == (421, "foreign_host")
    assert app.scope is None


@pytest.mark.parametrize(
    "host",
    [None, "", " ", "localhost:", "localhost:x", "user@localhost", "localhost/", "localhost,evil",
     "::1", "[::1", "localhost:123456", "lоcalhost".encode().decode("latin-1"), "a b"],
)  # fmt: skip
async def test_a_host_that_is_missing_or_no_host_is_malformed(host: str | None) -> None:
    answer = await ask(App(), host=host)
    assert (answer.status, answer.code) == (400, "invalid_host")


async def test_two_hosts_are_malformed_even_if_both_are_ours() -> None:
    answer = await ask(App(), headers=[("host", OWN)])
    assert (answer.status, answer.code) == (400, "invalid_host")


@pytest.mark.parametrize("host", ["llmlab.example.com", "LLMLab.Example.Com:443", "localhost"])
async def test_the_public_name_is_ours_beside_the_loopback_names(host: str) -> None:
    answer = await ask(App(), host=host, settings=PUBLIC)
    assert answer.status == 200


async def test_the_address_that_we_listen_at_is_ours() -> None:
    settings = Settings(host="192.168.1.5", public_url="https://llmlab.example.com")
    answer = await ask(App(), host="192.168.1.5:8484", settings=settings)
    assert answer.status == 200


# Origins


FOREIGN = ["http://evil.example", "null", "", "http://localhost:8484", "http://127.0.0.1",
           "http://127.0.0.1:84840", "ftp://127.0.0.1:8484", "127.0.0.1:8484",
           "http://127.0.0.1:8484.evil.example"]  # fmt: skip


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_page_of_another_origin_can_not_write(origin: str, method: str) -> None:
    app = App()
    answer = await ask(app, method, "/api/events/track", headers=[("origin", origin)])
    assert (answer.status, answer.code) == (403, "foreign_origin")
    assert app.scope is None


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_page_of_another_origin_can_not_open_the_websocket(origin: str) -> None:
    answer = await ask(App(), path="/_event/", type="websocket", headers=[("origin", origin)])
    assert (answer.status, answer.code) == (403, "foreign_origin")


async def test_a_page_of_another_origin_can_not_poll_instead_of_a_websocket() -> None:
    answer = await ask(App(), path="/_event/", headers=[("origin", "http://localhost:3000")])
    assert answer.status == 403


@pytest.mark.parametrize(
    ("site", "status"),
    [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)],
)
async def test_without_an_origin_the_browsers_own_word_counts(site: str, status: int) -> None:
    answer = await ask(App(), "POST", headers=[("sec-fetch-site", site)])
    assert answer.status == status


@pytest.mark.parametrize("type", ["http", "websocket"])
async def test_our_own_pages_may_write_and_connect(type: str) -> None:
    for host in (OWN, "localhost:8484", "[::1]:8484"):
        headers = [("origin", f"http://{host}"), ("sec-fetch-site", "same-origin")]
        answer = await ask(App(), "POST", headers=headers, host=host, type=type)
        assert answer.status in (200, 101)


async def test_programs_send_no_origin_and_may_write() -> None:
    answer = await ask(App(), "POST", headers=[("authorization", "Bearer x")])
    assert answer.status == 200


@pytest.mark.parametrize("host", ["llmlab.example.com", OWN])
async def test_the_public_origin_may_write_whatever_host_the_proxy_passes_on(host: str) -> None:
    headers = [("origin", "https://llmlab.example.com")]
    answer = await ask(App(), "POST", headers=headers, host=host, settings=PUBLIC)
    assert answer.status == 200


async def test_the_public_origin_is_known_without_its_default_port() -> None:
    settings = Settings(public_url="https://LLMLab.example.com:443/")
    headers = [("origin", "https://llmlab.example.com")]
    answer = await ask(App(), "POST", headers=headers, settings=settings)
    assert answer.status == 200


async def test_reading_from_elsewhere_is_left_to_the_browser_which_shows_nobody_the_answer() -> (
    None
):
    answer = await ask(App(), headers=[("origin", "http://evil.example")])
    assert answer.status == 200
    assert not any(name.startswith("access-control") for name in answer.headers)
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


# Bodies


async def test_a_body_arrives_whole_however_it_was_cut() -> None:
    app = App()
    await ask(app, "POST", body=[b"a", b"", b"bc"])
    assert app.body == b"abc"


async def test_a_body_of_exactly_one_mebibyte_is_taken() -> None:
    answer = await ask(App(), "POST", body=[b"x" * MAX_BODY_BYTES])
    assert answer.status == 200


async def test_one_byte_more_is_too_large_whatever_the_headers_promise() -> None:
    app = App()
    chunks = [b"x" * 1000] * (MAX_BODY_BYTES // 1000 + 1)
    answer = await ask(app, "POST", headers=[("content-length", "5")], body=chunks)
    assert (answer.status, answer.code) == (413, "body_too_large")
    assert app.scope is None


async def test_a_gzip_body_is_inflated_before_the_app_sees_it() -> None:
    app = App()
    await ask(app, "POST", headers=[("content-encoding", "GZIP")], body=[gzip.compress(b"{}")])
    assert app.body == b"{}"
    headers = dict(app.scope["headers"]) if app.scope else {}
    assert headers[b"content-length"] == b"2"
    assert b"content-encoding" not in headers


@pytest.mark.parametrize("extra", [0, 1])
async def test_a_gzip_body_may_hold_eight_mebibytes_and_no_more(extra: int) -> None:
    bomb = gzip.compress(b"x" * (MAX_INFLATED_BYTES + extra))
    answer = await ask(App(), "POST", headers=[("content-encoding", "gzip")], body=[bomb])
    if extra:
        assert (answer.status, answer.code) == (413, "inflated_body_too_large")
    else:
        assert answer.status == 200


async def test_a_bomb_is_never_inflated_beyond_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    make = zlib.decompressobj

    class Watched:
        def __init__(self, bits: int) -> None:
            self.inner = make(bits)

        def decompress(self, data: bytes, most: int) -> bytes:
            asked.append(most)
            return self.inner.decompress(data, most)

    monkeypatch.setattr(zlib, "decompressobj", Watched)
    bomb = gzip.compress(bytes(1 << 26))
    assert len(bomb) < MAX_BODY_BYTES
    answer = await ask(App(), "POST", headers=[("content-encoding", "gzip")], body=[bomb])
    assert answer.status == 413
    assert asked == [MAX_INFLATED_BYTES + 1]


@pytest.mark.parametrize(
    "body",
    [b"not gzip", gzip.compress(b"{}")[:-1], gzip.compress(b"{}") + b"x", zlib.compress(b"{}"), b"",
     gzip.compress(b"{}") * 2, gzip.compress(b"") * 50_000],
    ids=["no gzip", "cut short", "a tail", "zlib", "empty", "two members", "many members"],
)  # fmt: skip
async def test_bad_gzip_is_malformed(body: bytes) -> None:
    answer = await ask(App(), "POST", headers=[("content-encoding", "gzip")], body=[body])
    assert (answer.status, answer.code) == (400, "bad_gzip")


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "x"])
async def test_another_encoding_is_malformed(encoding: str) -> None:
    answer = await ask(App(), "POST", headers=[("content-encoding", encoding)], body=[b"{}"])
    assert (answer.status, answer.code) == (400, "unknown_encoding")


async def test_two_encodings_in_two_headers_are_malformed() -> None:
    headers = [("content-encoding", "gzip"), ("content-encoding", "gzip")]
    answer = await ask(App(), "POST", headers=headers, body=[gzip.compress(b"{}")])
    assert answer.code == "unknown_encoding"


async def test_a_caller_that_leaves_in_the_middle_of_its_body_never_reaches_the_app() -> None:
    app = App()
    sent: list[Message] = []
    messages = iter([{"type": "http.request", "body": b"{", "more_body": True},
                     {"type": "http.disconnect"}])  # fmt: skip

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"host", b"localhost")]}
    await guarded(app, Settings(), None)(scope, receive, send)
    assert app.scope is None
    assert sent == []


# Headers of the answer


@pytest.mark.parametrize("status", [200, 404, 500])
async def test_every_answer_carries_the_security_headers(status: int) -> None:
    answer = await ask(App(status=status), path="/api/health")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "strict-transport-security" not in answer.headers


async def test_a_refusal_of_the_edge_carries_them_too() -> None:
    answer = await ask(App(), host="evil.example")
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_https_is_remembered_where_the_public_url_has_it() -> None:
    answer = await ask(App(), settings=PUBLIC)
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_a_page_may_run_its_own_inline_scripts_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "index.html").write_text(
        '<script type="module">let a = 1;</script><script src="/x.js"></script>'
    )
    answer = await ask(App(b"text/html; charset=utf-8"), frontend=tmp_path)
    policy = dict(
        part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; ")
    )
    assert policy["script-src"] == "'self' 'sha256-xY6QKfH9PRsQnLz56nj6MBwiK5oHg+im1Jkpdp1x/Ck='"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["default-src"] == "'none'"
    assert "unsafe-eval" not in answer.headers["content-security-policy"]


async def test_a_page_that_did_not_change_keeps_its_policy() -> None:
    """A 304 has no type, and its headers replace those that the browser has stored."""
    app = App(status=304)
    answer = await ask(app)
    assert "content-security-policy" not in answer.headers


@pytest.mark.parametrize(
    ("path", "content_type", "status", "caching"),
    [
        ("/assets/app-3f2a.js", b"text/javascript", 200, "public, max-age=31536000, immutable"),
        ("/assets/app-3f2a.js", b"text/javascript", 304, "public, max-age=31536000, immutable"),
        ("/assets/gone.js", b"text/html", 404, "no-cache"),
        ("/", b"text/html", 200, "no-cache"),
        ("/api/costs/summary", b"application/json", 200, "no-store"),
        ("/app.css", b"text/css", 200, None),
    ],
)
async def test_built_files_are_kept_for_a_year_and_pages_are_asked_for_again(
    path: str, content_type: bytes, status: int, caching: str | None
) -> None:
    answer = await ask(App(content_type, status), path=path)
    assert answer.headers.get("cache-control") == caching


async def test_what_a_route_says_itself_is_left_alone() -> None:
    own = [(b"cache-control", b"private, max-age=5"), (b"content-security-policy", b"sandbox")]
    answer = await ask(App(extra=own), path="/api/costs")
    assert answer.headers["cache-control"] == "private, max-age=5"
    assert answer.headers["content-security-policy"] == "sandbox"


@pytest.mark.parametrize(
    ("settings", "client"), [(PUBLIC, "203.0.113.9"), (Settings(), "10.1.2.3")]
)
async def test_x_forwarded_for_counts_from_a_trusted_proxy_only(
    settings: Settings, client: str
) -> None:
    app = App()
    await ask(app, headers=[("x-forwarded-for", "1.1.1.1, 203.0.113.9")], settings=settings)
    assert app.scope is not None
    assert app.scope["client"][0] == client


async def test_starting_and_stopping_pass_through() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def nothing(*_: object) -> Message:
        return {}

    await guarded(app, Settings(), None)({"type": "lifespan"}, nothing, nothing)
    assert seen == ["lifespan"]
