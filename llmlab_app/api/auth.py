"""Who sends a request, as FastAPI dependencies.

A key comes as ``Authorization: Bearer`` or ``X-API-Key``. A browser's cookie opens GETs and the
few session routes only, so that no foreign page can make a browser write (CSRF).
"""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from llmlab_app.api.clock import now
from llmlab_app.domain.access import Principal
from llmlab_app.domain.errors import Unauthenticated
from llmlab_app.services.access import authenticate_key, authenticate_session

SESSION_COOKIE = "llmlab_session"
PROJECT_HEADER = "X-LLMLab-Project"

_bearer = HTTPBearer(auto_error=False, description="An API key: `llmlab_…`.")
_key_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="The same key.")
_cookie = APIKeyCookie(
    name=SESSION_COOKIE, auto_error=False, description="A signed-in browser; GETs only."
)


async def sent_key(
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    key_header: Annotated[str | None, Security(_key_header)],
) -> str | None:
    """The key in the request, None without one."""
    return bearer.credentials if bearer else key_header


async def principal(
    request: Request,
    key: Annotated[str | None, Depends(sent_key)],
    cookie: Annotated[str | None, Security(_cookie)],
    at: Annotated[datetime, Depends(now)],
) -> Principal:
    """The caller: by its key, or on a GET by its browser's session.

    Raises:
        Unauthenticated: no credentials, or none of ours.
    """
    if key is not None:
        return await authenticate_key(key, request.headers.get(PROJECT_HEADER) or None, at)
    if cookie is not None and request.method in ("GET", "HEAD"):
        return await authenticate_session(cookie, at)
    raise _no_credentials()


async def session_principal(
    request: Request,
    key: Annotated[str | None, Depends(sent_key)],
    cookie: Annotated[str | None, Security(_cookie)],
    at: Annotated[datetime, Depends(now)],
) -> Principal:
    """The caller of a session route: a browser may sign out, so its cookie counts always.

    The edge has refused requests that another site's page made a browser send.

    Raises:
        Unauthenticated: no credentials, or none of ours.
    """
    if key is None and cookie is not None:
        return await authenticate_session(cookie, at)
    return await principal(request, key, cookie, at)


def _no_credentials() -> Unauthenticated:
    return Unauthenticated(
        "Send your key as `Authorization: Bearer llmlab_…` or `X-API-Key: llmlab_…`.",
        code="no_credentials",
    )
