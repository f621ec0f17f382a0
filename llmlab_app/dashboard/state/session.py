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


def selected_project(state: rx.State) -> str | None:
    """The project that the address names, None for all of them."""
    return state.router.url.query_parameters.get("project") or None


async def visitor(state: rx.State, project: str | None = None) -> Principal | None:
    """Who looks, at one project or at all of them; None for nobody we know.

    Raises:
        NotFound, Conflict: there is no such project, or no longer.
    """
    try:
        return await authenticate_session(session_cookie(state), datetime.now(UTC), project)
    except Unauthenticated:
        return None
