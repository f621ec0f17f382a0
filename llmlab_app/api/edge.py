"""The outermost layer: every request and every websocket passes here first.

Refuses foreign hosts and origins, bounds and inflates bodies, and puts security and cache headers
on every answer. It logs nothing of a request.
"""

from http import HTTPStatus
from pathlib import Path

from granian.utils.proxies import wrap_asgi_with_proxy_headers
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmlab_app.api.content_security import NO_PAGE, page_policy
from llmlab_app.api.errors import problem_of
from llmlab_app.api.request_body import Disconnected, read_body
from llmlab_app.api.trust import Trust
from llmlab_app.domain.errors import LLMLabError
from llmlab_app.settings import Settings

_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with it a browser sends "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_A_YEAR = "max-age=31536000"


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
        self._page_policy = page_policy(frontend)
        self._always = dict(_ALWAYS)
        if (settings.public_url or "").startswith("https:"):
            self._always["Strict-Transport-Security"] = _A_YEAR

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
                message.setdefault("headers", [])
                self._add_headers(MutableHeaders(scope=message), scope, message["status"])
            await send(message)

        return send_with_headers

    def _add_headers(self, headers: MutableHeaders, scope: Scope, status: int) -> None:
        is_page = headers.get("content-type", "").startswith("text/html")
        for name, value in self._always.items():
            headers.setdefault(name, value)
        if status != HTTPStatus.NOT_MODIFIED:  # without a type; the browser keeps the page's policy
            policy = self._page_policy if is_page else NO_PAGE
            headers.setdefault("Content-Security-Policy", policy)
        if (caching := _caching(scope["path"], status, is_page=is_page)) is not None:
            headers.setdefault("Cache-Control", caching)


def _caching(path: str, status: int, *, is_page: bool) -> str | None:
    """How long an answer may be kept: the names of built files hold a hash of their content."""
    if path.startswith("/assets/") and status in (200, 304):
        return f"public, {_A_YEAR}, immutable"
    if path.startswith("/api/"):
        return "no-store"  # somebody's costs
    return "no-cache" if is_page else None
