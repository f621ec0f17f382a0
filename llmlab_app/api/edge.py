"""The outermost layer: every request and every websocket passes here first.

Refuses foreign hosts and origins, bounds and inflates bodies, and puts security and cache headers
on every answer. It logs nothing of a request.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path

from granian.utils.proxies import wrap_asgi_with_proxy_headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmlab_app.api.content_security import NO_PAGE, page_policy
from llmlab_app.api.errors import problem_of
from llmlab_app.api.request_body import Disconnected, read_body
from llmlab_app.api.trust import Trust
from llmlab_app.domain.errors import LLMLabError
from llmlab_app.settings import Settings

_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    # Not no-referrer: with it a browser sends "Origin: null" with our own forms.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_A_YEAR = b"max-age=31536000"
_NO_PAGE = NO_PAGE.encode()

Header = tuple[bytes, bytes]


def guarded(app: ASGIApp, settings: Settings, frontend: Path | None) -> ASGIApp:
    """``app`` behind the edge.

    Args:
        app: API and dashboard.
        settings: Which names we go by, and whose X-Forwarded-For we believe.
        frontend: Folder of the built dashboard (``build/client``), None for a bare API.
    """
    edge = Edge(app, settings, frontend)
    if not settings.trusted_proxies:
        return edge
    return wrap_asgi_with_proxy_headers(edge, trusted_hosts=settings.trusted_proxies)


class Edge:
    """The ASGI middleware; see ``guarded``."""

    def __init__(self, app: ASGIApp, settings: Settings, frontend: Path | None) -> None:
        self._app = app
        self._trust = Trust.of(settings)
        self._page_policy = page_policy(frontend).encode()
        is_https = (settings.public_url or "").startswith("https:")
        only_https: tuple[Header, ...] = ((b"strict-transport-security", _A_YEAR),)
        self._always = _ALWAYS + only_https if is_https else _ALWAYS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        send = self._with_headers(scope, send)
        try:
            method = scope.get("method", "GET")
            self._trust.check(scope["type"], method, scope["path"], scope["headers"])
            if scope["type"] == "http" and method not in _WITHOUT_BODY:
                scope, receive = await read_body(scope, receive)
        except LLMLabError as error:
            await problem_of(error)(scope, receive, send)
        except Disconnected:
            return
        else:
            await self._app(scope, receive, send)

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                said = {name.lower(): value for name, value in message.get("headers", ())}
                ours = self._headers(scope["path"], message["status"], said)
                missing = [pair for pair in ours if pair[0] not in said]
                message["headers"] = [*message.get("headers", ()), *missing]
            await send(message)

        return send_with_headers

    def _headers(self, path: str, status: int, said: Mapping[bytes, bytes]) -> Iterator[Header]:
        """What an answer carries, unless the route says otherwise itself."""
        is_page = said.get(b"content-type", b"").startswith(b"text/html")
        yield from self._always
        if status != HTTPStatus.NOT_MODIFIED:  # has no type; the browser keeps the page's policy
            yield b"content-security-policy", self._page_policy if is_page else _NO_PAGE
        if path.startswith("/assets/") and status in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
            # The names of built files hold a hash of their content.
            yield b"cache-control", b"public, %s, immutable" % _A_YEAR
        elif path.startswith("/api/"):
            yield b"cache-control", b"no-store"  # somebody's costs
        elif is_page:
            yield b"cache-control", b"no-cache"
