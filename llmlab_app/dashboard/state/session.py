"""Who looks at a page. Any connected client can send any event, so every handler asks."""

from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie

import reflex as rx

from llmlab_app.domain.access import Principal
from llmlab_app.domain.errors import Unauthenticated
from llmlab_app.services.access import authenticate_session

_SESSION_COOKIE = "llmlab_session"
LOGIN = "/login"


def session_cookie(state: rx.State) -> str:
    """The browser's session, as its websocket sent it; empty without one."""
    try:
        cookies = SimpleCookie(state.router.headers.cookie)
    except CookieError:
        return ""
    return cookies[_SESSION_COOKIE].value if _SESSION_COOKIE in cookies else ""


async def visitor(state: rx.State) -> Principal | None:
    """Who looks, or None for nobody we know."""
    try:
        return await authenticate_session(session_cookie(state), datetime.now(UTC))
    except Unauthenticated:
        return None
