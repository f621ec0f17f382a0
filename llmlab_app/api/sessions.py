"""``/api/sessions``, ``/api/setup-links`` and ``/setup``: signing browsers in and out."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from llmlab_app.api import bodies
from llmlab_app.api.auth import (
    BY_KEY_OR_SESSION,
    OPEN,
    SESSION_COOKIE,
    principal,
    session_principal,
)
from llmlab_app.api.clock import now
from llmlab_app.api.openapi import body_of
from llmlab_app.api.render import instant
from llmlab_app.api.schemas import PasswordIn
from llmlab_app.api.setup_page import USED_LINK_PAGE
from llmlab_app.domain.access import BrowserSession, Principal
from llmlab_app.domain.errors import Unauthenticated
from llmlab_app.services import access
from llmlab_app.services.access import SESSION_LIFETIME, SignedIn
from llmlab_app.settings import get_settings

router = APIRouter(tags=["sessions"])
Caller = Annotated[Principal, Depends(principal)]
Browser = Annotated[Principal, Depends(session_principal)]
Now = Annotated[datetime, Depends(now)]


@router.get("/setup", include_in_schema=False)
async def set_up(request: Request, now: Now, token: str = "") -> Response:
    """Sign the browser in by a link that works once, and show the dashboard."""
    try:
        signed_in = await access.redeem_setup_token(token, user_agent=_user_agent(request), now=now)
    except Unauthenticated:
        return HTMLResponse(USED_LINK_PAGE, status_code=401)
    response = RedirectResponse("/", status_code=303)
    _set_cookie(response, signed_in)
    return response


@router.post("/api/setup-links", status_code=201)
async def create_setup_link(caller: Caller, now: Now) -> dict[str, Any]:
    """A link that signs a browser in once, within an hour; needs an admin's workspace key."""
    path = await access.mint_setup_link(now, principal=caller)
    return {"path": path, "expires_at": instant(now + access.SETUP_LINK_LIFETIME)}


@router.post("/api/sessions", status_code=201, openapi_extra=body_of(PasswordIn) | OPEN)
async def sign_in(request: Request, response: Response, now: Now) -> dict[str, Any]:
    """Sign in with the owner's password: sets the cookie `llmlab_session`."""
    body = await bodies.read(request, PasswordIn)
    signed_in = await access.sign_in(
        body.password, client=_client(request), user_agent=_user_agent(request), now=now
    )
    _set_cookie(response, signed_in)
    return {"id": str(signed_in.session_id), "expires_at": instant(signed_in.expires_at)}


@router.get("/api/sessions")
async def list_sessions(caller: Caller, now: Now) -> dict[str, Any]:
    """The browsers that are signed in, last used first."""
    found = await access.list_sessions(caller, now)
    return {"data": [_json(session, caller) for session in found]}


@router.delete("/api/sessions/current", status_code=204, openapi_extra=BY_KEY_OR_SESSION)
async def sign_out(caller: Browser, response: Response, now: Now) -> None:
    """Sign this browser out."""
    if caller.session_id is not None:
        await access.revoke_session(caller, caller.session_id, now)
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="lax")


@router.delete("/api/sessions/{session_id}", status_code=204, openapi_extra=BY_KEY_OR_SESSION)
async def revoke_session(session_id: UUID, caller: Browser, now: Now) -> None:
    """Sign another browser out."""
    await access.revoke_session(caller, session_id, now)


def _set_cookie(response: Response, signed_in: SignedIn) -> None:
    response.set_cookie(
        SESSION_COOKIE,
        signed_in.cookie,
        max_age=int(SESSION_LIFETIME.total_seconds()),
        path="/",
        httponly=True,  # no script can read it
        samesite="lax",  # links from elsewhere work, foreign forms don't
        secure=(get_settings().public_url or "").startswith("https:"),
    )


def _client(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _user_agent(request: Request) -> str:
    return request.headers.get("User-Agent", "unknown")


def _json(session: BrowserSession, caller: Principal) -> dict[str, Any]:
    return {
        "id": str(session.id),
        "user_agent": session.user_agent,
        "created_at": instant(session.created_at),
        "last_used_at": instant(session.last_used_at),
        "expires_at": instant(session.expires_at),
        "current": session.id == caller.session_id,
    }
