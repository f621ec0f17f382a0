"""Who sends a request, as FastAPI dependencies.

A key comes as ``Authorization: Bearer`` or ``X-API-Key``. A browser's cookie opens GETs and the
few session routes only, so that no foreign page can make a browser write (CSRF).

Headers are read by hand: FastAPI's own security classes are a dependency each, which together cost
more than finding the key. The OpenAPI document is told in ``SCHEMES``.
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request

from llmlab_app.api.clock import now
from llmlab_app.domain.access import Principal
from llmlab_app.domain.errors import Unauthenticated
from llmlab_app.services.access import authenticate_key, authenticate_session

SESSION_COOKIE = "llmlab_session"
PROJECT_HEADER = "X-LLMLab-Project"

SCHEMES: dict[str, dict[str, str]] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key: `llmlab_…`."},
    "header": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same key.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": "A signed-in browser; opens GETs and signing out.",
    },
}
_BY_KEY: list[dict[str, list[str]]] = [{"bearer": []}, {"header": []}]
BY_KEY_OR_SESSION: dict[str, Any] = {"security": [*_BY_KEY, {"session": []}]}
"""``openapi_extra`` of a route that takes ``session_principal``."""
OPEN: dict[str, Any] = {"security": []}
"""``openapi_extra`` of a route that asks nobody who they are."""


def security_of(method: str) -> list[dict[str, list[str]]]:
    """What OpenAPI says of a route that takes ``principal``."""
    return BY_KEY_OR_SESSION["security"] if method == "get" else _BY_KEY


async def principal(request: Request, at: Annotated[datetime, Depends(now)]) -> Principal:
    """The caller: by its key, or on a GET by its browser's session.

    Raises:
        Unauthenticated: no credentials, or none of ours.
    """
    if (key := _sent_key(request)) is not None:
        return await authenticate_key(key, request.headers.get(PROJECT_HEADER) or None, at)
    if request.method in ("GET", "HEAD") and SESSION_COOKIE in request.cookies:
        return await authenticate_session(request.cookies[SESSION_COOKIE], at)
    raise Unauthenticated(
        "Send your key as `Authorization: Bearer llmlab_…` or `X-API-Key: llmlab_…`.",
        code="no_credentials",
    )


async def session_principal(request: Request, at: Annotated[datetime, Depends(now)]) -> Principal:
    """The caller of a session route: a browser may sign out, so its cookie counts always.

    The edge has refused requests that another site's page made a browser send.

    Raises:
        Unauthenticated: no credentials, or none of ours.
    """
    if _sent_key(request) is None and SESSION_COOKIE in request.cookies:
        return await authenticate_session(request.cookies[SESSION_COOKIE], at)
    return await principal(request, at)


def _sent_key(request: Request) -> str | None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    return request.headers.get("X-API-Key") or None
