"""Who is asking: keys, browser sessions, the links and the password that open them.

Unknown, revoked and wrong credentials get the same answer, so that none tells which it was.
"""

import math
import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv4Address, ip_address, ip_network
from uuid import UUID

import structlog
from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.access import BrowserSession, Principal, Scope
from llmlab_app.domain.errors import (
    InvalidInput,
    NotAllowed,
    NotFound,
    TooManyRequests,
    Unauthenticated,
)
from llmlab_app.domain.keys import parse_key
from llmlab_app.services.credentials import (
    find_key,
    find_session,
    forget_credentials,
    note_key_use,
    note_session_use,
)
from llmlab_app.services.owner_password import adopt_owner_password, is_right
from llmlab_app.settings import get_settings
from llmlab_app.storage import audit, sessions
from llmlab_app.storage.access import Owner, owner_of
from llmlab_app.storage.database import transaction
from llmlab_app.storage.projects import installed_workspace_id

SESSION_LIFETIME = timedelta(days=30)
SESSION_IDLE = timedelta(days=14)
SETUP_LINK_LIFETIME = timedelta(hours=1)
TRIES = parse("5/minute")
_TOKEN_BYTES = 32
_MAX_USER_AGENT = 200

_tries = MovingWindowRateLimiter(MemoryStorage())
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A browser that has just signed in. ``cookie`` is shown to it once and kept as a hash."""

    session_id: UUID
    cookie: str = field(repr=False)
    expires_at: datetime


async def authenticate_key(token: str, project_name: str | None, now: datetime) -> Principal:
    """The caller that holds the key ``token``.

    Args:
        token: The key as sent.
        project_name: What ``X-LLMLab-Project`` names, None without it.
        now: The moment of the request.

    Raises:
        Unauthenticated: no such key, or it is revoked.
        NotAllowed, NotFound, Conflict: the project can't be selected, see ``Grant.principal``.
    """
    key = parse_key(token)
    known = await find_key(key.public_id, now)
    if known is None or not key.fits(known.secret_sha256):
        raise Unauthenticated(
            "This key isn't valid here: it is unknown or revoked. Create one in Settings, or run "
            "`llmlab init`.",
            code="invalid_key",
        )
    await note_key_use(known, now)
    return known.grant.principal(project_name)


async def authenticate_session(
    cookie: str, now: datetime, project_name: str | None = None
) -> Principal:
    """The caller whose browser holds ``cookie``, the value of ``llmlab_session``.

    Args:
        cookie: As sent.
        now: The moment of the request.
        project_name: The project that the page shows, None for all of them.

    Raises:
        Unauthenticated: no such session, or it was revoked or has expired.
        NotFound, Conflict: the project can't be selected, see ``Grant.principal``.
    """
    known = await find_session(_hash(cookie), now)
    if known is None or known.expires_at <= now or known.last_used_at <= now - SESSION_IDLE:
        raise Unauthenticated(
            "You are not signed in, or no longer. Sign in again: open /login.",
            code="not_signed_in",
        )
    await note_session_use(known, now)
    return known.grant.principal(project_name)


async def sign_in(password: str, *, client: str, user_agent: str, now: datetime) -> SignedIn:
    """Sign the owner's browser in.

    Args:
        password: As typed.
        client: The caller's address; tries are counted by it.
        user_agent: What the browser calls itself, to recognise it in a list.
        now: The moment of the request.

    Raises:
        TooManyRequests: more than five tries in a minute, right or wrong.
        NotAllowed: this server has no owner password.
        Unauthenticated: the password is wrong.
    """
    await _count_try(client)
    owner = await _owner_with_password(now)
    if not owner.password_hash or not await is_right(password, owner.password_hash):
        _log.warning("sign_in_refused", client=client)
        raise Unauthenticated("That isn't the password. Try again.", code="wrong_password")
    async with transaction() as session:
        return await _open_session(session, owner.member_id, "password", user_agent, now)


async def redeem_setup_token(token: str, *, user_agent: str, now: datetime) -> SignedIn:
    """Sign a browser in by a set-up link, which works once.

    Raises:
        Unauthenticated: the link is unknown, used or too old.
    """
    async with transaction() as session:
        member_id = await sessions.use_setup_token(session, _hash(token), now)
        if member_id is None:
            raise Unauthenticated(
                "This link was used already, has expired or is incomplete. Run `llmlab open` for "
                "a new one.",
                code="invalid_setup_link",
            )
        return await _open_session(session, member_id, "set-up link", user_agent, now)


async def mint_setup_link(now: datetime, *, principal: Principal | None = None) -> str:
    """Path and query of a link that signs the owner's browser in, once, within an hour.

    Args:
        now: The moment of the request.
        principal: Who asks over the network; None is ``llmlab up`` itself.

    Raises:
        NotAllowed: the caller isn't an admin of the workspace.
    """
    if principal is not None:
        principal.require(Scope.ADMIN)
        principal.require_workspace()
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    async with transaction() as session:
        workspace_id = (
            principal.workspace_id if principal else await installed_workspace_id(session)
        )
        owner = await owner_of(session, workspace_id)
        await sessions.add_setup_token(
            session,
            token_sha256=_hash(token),
            member_id=owner.member_id,
            expires_at=now + SETUP_LINK_LIFETIME,
        )
        audit.record(
            session,
            workspace_id=workspace_id,
            actor=principal.name if principal else "llmlab up",
            action="setup_link.created",
            target=str(owner.member_id),
            at=now,
        )
    return f"/setup?token={token}"


async def list_sessions(principal: Principal, now: datetime) -> tuple[BrowserSession, ...]:
    """The browsers that are signed in to the workspace; last used first."""
    principal.require(Scope.ADMIN)
    principal.require_workspace()
    async with transaction() as session:
        return await sessions.live_sessions(
            session, principal.workspace_id, now=now, used_after=now - SESSION_IDLE
        )


async def revoke_session(principal: Principal, session_id: UUID, now: datetime) -> None:
    """Sign a browser out: one's own, or as an admin any of the workspace.

    Raises:
        NotFound: the workspace has no such session.
    """
    if session_id != principal.session_id:
        principal.require(Scope.ADMIN)
        principal.require_workspace()
    async with transaction() as session:
        if not await sessions.revoke_session(
            session, workspace_id=principal.workspace_id, session_id=session_id, now=now
        ):
            raise NotFound("There is no such session.", code="unknown_session")
        audit.record(
            session,
            workspace_id=principal.workspace_id,
            actor=principal.name,
            action="session.revoked",
            target=str(session_id),
            at=now,
        )
    forget_credentials()


async def _owner_with_password(now: datetime) -> Owner:
    path = get_settings().owner_password_file
    if path is None:
        raise NotAllowed(
            "This server has no owner password. Run `llmlab open` on its machine, or open the "
            "link that `llmlab up` printed.",
            code="no_owner_password",
        )
    async with transaction() as session:
        workspace_id = await installed_workspace_id(session)
    try:
        await adopt_owner_password(workspace_id, path, now)
    except InvalidInput as error:  # the password in force stays; the caller learns nothing
        _log.warning("owner_password_not_adopted", reason=error.code)
    async with transaction() as session:
        return await owner_of(session, workspace_id)


async def _open_session(
    session: AsyncSession, member_id: UUID, means: str, user_agent: str, now: datetime
) -> SignedIn:
    cookie = secrets.token_urlsafe(_TOKEN_BYTES)
    session_id = await sessions.add_session(
        session,
        token_sha256=_hash(cookie),
        member_id=member_id,
        user_agent=user_agent[:_MAX_USER_AGENT],
        now=now,
        expires_at=now + SESSION_LIFETIME,
    )
    audit.record(
        session,
        workspace_id=await sessions.workspace_of_member(session, member_id),
        actor=means,
        action="session.opened",
        target=str(session_id),
        at=now,
    )
    return SignedIn(session_id=session_id, cookie=cookie, expires_at=now + SESSION_LIFETIME)


async def _count_try(client: str) -> None:
    who = _client_network(client)
    if await _tries.hit(TRIES, "owner", who):
        return
    window = await _tries.get_window_stats(TRIES, "owner", who)
    raise TooManyRequests(
        "Too many tries. Wait a minute, or run `llmlab open` on the server's machine.",
        code="too_many_sign_ins",
        retry_after_seconds=max(1, math.ceil(window.reset_time - time.time())),
    )


def _client_network(client: str) -> str:
    """The address, or the /64 of an IPv6 address: one subscriber has 2^64 of them."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    if isinstance(address, IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ip_network((address, 64), strict=False))


def _hash(token: str) -> bytes:
    """What we keep of a token. It is 256 random bits, so a fast hash is right."""
    return sha256(token.encode("utf-8", "replace")).digest()
