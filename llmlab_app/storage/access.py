"""Credentials in SQL: what a key or a cookie grants, browser sessions, set-up links, passwords."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.access import BrowserSession, Grant, Scope
from llmlab_app.storage.projects import projects_of
from llmlab_app.storage.tables import (
    ApiKeyRow,
    MemberRow,
    RoleRow,
    SessionRow,
    SetupTokenRow,
    WorkspaceRow,
)


@dataclass(slots=True, kw_only=True)
class KnownKey:
    """A key that isn't revoked. ``last_used_at`` moves while it is remembered."""

    grant: Grant
    public_id: str
    secret_sha256: bytes
    last_used_at: datetime | None


@dataclass(slots=True, kw_only=True)
class KnownSession:
    """A session that isn't revoked. ``last_used_at`` moves while it is remembered."""

    grant: Grant
    id: UUID
    last_used_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who owns a workspace; ``password_hash`` is None in local mode."""

    member_id: UUID
    workspace_id: UUID
    name: str
    password_hash: str | None


async def known_key(session: AsyncSession, public_id: str) -> KnownKey | None:
    """The key, with what it grants; None if it is unknown or revoked."""
    found = await session.exec(
        select(ApiKeyRow, WorkspaceRow.timezone)
        .join(WorkspaceRow)
        .where(ApiKeyRow.public_id == public_id, col(ApiKeyRow.revoked_at).is_(None))
    )
    if (pair := found.first()) is None:
        return None
    row, timezone = pair
    grant = Grant(
        workspace_id=row.workspace_id,
        timezone=timezone,
        project_id=row.project_id,
        projects=await projects_of(session, row.workspace_id),
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        name=f"key {row.public_id} ({row.name})",
    )
    return KnownKey(
        grant=grant,
        public_id=row.public_id,
        secret_sha256=row.secret_sha256,
        last_used_at=row.last_used_at,
    )


async def known_session(session: AsyncSession, token_sha256: bytes) -> KnownSession | None:
    """The browser session, with what its member may do; None if it is unknown or revoked."""
    found = await session.exec(
        select(SessionRow, MemberRow, RoleRow.scopes, WorkspaceRow.timezone)
        .join(MemberRow, col(MemberRow.id) == SessionRow.member_id)
        .join(RoleRow, col(RoleRow.name) == MemberRow.role)
        .join(WorkspaceRow, col(WorkspaceRow.id) == MemberRow.workspace_id)
        .where(SessionRow.token_sha256 == token_sha256, col(SessionRow.revoked_at).is_(None))
    )
    if (found_row := found.first()) is None:
        return None
    row, member, scopes, timezone = found_row
    grant = Grant(
        workspace_id=member.workspace_id,
        timezone=timezone,
        project_id=None,
        projects=await projects_of(session, member.workspace_id),
        scopes=frozenset(Scope(scope) for scope in scopes),
        name=f"member {member.name}",
        session_id=row.id,
    )
    return KnownSession(
        grant=grant, id=row.id, last_used_at=row.last_used_at, expires_at=row.expires_at
    )


async def note_key_use(
    session: AsyncSession, public_id: str, now: datetime, *, at_most_every: timedelta
) -> None:
    """Write down that the key was used, unless that was done a moment ago by somebody else."""
    await session.exec(
        update(ApiKeyRow)
        .where(
            col(ApiKeyRow.public_id) == public_id,
            col(ApiKeyRow.last_used_at).is_(None)
            | (col(ApiKeyRow.last_used_at) <= now - at_most_every),
        )
        .values(last_used_at=now)
    )


async def note_session_use(session: AsyncSession, session_id: UUID, now: datetime) -> None:
    """Write down that the session was used."""
    await session.exec(
        update(SessionRow).where(col(SessionRow.id) == session_id).values(last_used_at=now)
    )


async def owner_of(session: AsyncSession, workspace_id: UUID) -> Owner:
    """The first owner of a workspace."""
    found = await session.exec(
        select(MemberRow)
        .where(MemberRow.workspace_id == workspace_id, MemberRow.role == "owner")
        .order_by(col(MemberRow.created_at))
        .limit(1)
    )
    row = found.one()
    return Owner(
        member_id=row.id,
        workspace_id=row.workspace_id,
        name=row.name,
        password_hash=row.password_hash,
    )


async def set_password_hash(session: AsyncSession, member_id: UUID, password_hash: str) -> None:
    """Replace a member's password."""
    await session.exec(
        update(MemberRow).where(col(MemberRow.id) == member_id).values(password_hash=password_hash)
    )


async def add_session(
    session: AsyncSession,
    *,
    token_sha256: bytes,
    member_id: UUID,
    user_agent: str,
    now: datetime,
    expires_at: datetime,
) -> UUID:
    """Sign a browser in; returns the session's id."""
    row = SessionRow(
        token_sha256=token_sha256,
        member_id=member_id,
        user_agent=user_agent,
        created_at=now,
        last_used_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    await session.flush()
    return row.id


async def live_sessions(
    session: AsyncSession, workspace_id: UUID, *, now: datetime, used_after: datetime
) -> tuple[BrowserSession, ...]:
    """The sessions of a workspace that still open it; last used first."""
    rows = await session.exec(
        select(SessionRow)
        .join(MemberRow)
        .where(
            MemberRow.workspace_id == workspace_id,
            col(SessionRow.revoked_at).is_(None),
            col(SessionRow.expires_at) > now,
            col(SessionRow.last_used_at) > used_after,
        )
        .order_by(col(SessionRow.last_used_at).desc())
    )
    return tuple(_browser_session(row) for row in rows)


async def revoke_session(
    session: AsyncSession, *, workspace_id: UUID, session_id: UUID, now: datetime
) -> bool:
    """Sign a browser of the workspace out; False if it has no such session."""
    found = await session.exec(
        select(SessionRow)
        .join(MemberRow)
        .where(MemberRow.workspace_id == workspace_id, SessionRow.id == session_id)
        .with_for_update(of=SessionRow)
    )
    if (row := found.first()) is None:
        return False
    row.revoked_at = row.revoked_at or now
    return True


async def revoke_sessions_of(session: AsyncSession, member_id: UUID, now: datetime) -> None:
    """Sign a member out everywhere, and close the links that would sign in again."""
    await session.exec(
        update(SessionRow)
        .where(col(SessionRow.member_id) == member_id, col(SessionRow.revoked_at).is_(None))
        .values(revoked_at=now)
    )
    await session.exec(
        update(SetupTokenRow)
        .where(col(SetupTokenRow.member_id) == member_id, col(SetupTokenRow.used_at).is_(None))
        .values(used_at=now)
    )


async def add_setup_token(
    session: AsyncSession, *, token_sha256: bytes, member_id: UUID, expires_at: datetime
) -> None:
    """Keep the hash of a link that signs ``member_id`` in once."""
    session.add(
        SetupTokenRow(token_sha256=token_sha256, member_id=member_id, expires_at=expires_at)
    )
    await session.flush()


async def use_setup_token(session: AsyncSession, token_sha256: bytes, now: datetime) -> UUID | None:
    """The member that the link signs in, for one caller only; None if it is used or too old."""
    used = (
        update(SetupTokenRow)
        .where(
            col(SetupTokenRow.token_sha256) == token_sha256,
            col(SetupTokenRow.used_at).is_(None),
            col(SetupTokenRow.expires_at) > now,
        )
        .values(used_at=now)
        .returning(col(SetupTokenRow.member_id))
    )
    return (await session.exec(used)).scalar_one_or_none()


async def workspace_of_member(session: AsyncSession, member_id: UUID) -> UUID:
    """The workspace that a member belongs to."""
    found = await session.exec(select(MemberRow.workspace_id).where(MemberRow.id == member_id))
    return found.one()


async def delete_expired(session: AsyncSession, before: datetime) -> None:
    """Drop sessions and set-up links that ended before ``before``."""
    for row in (SessionRow, SetupTokenRow):
        await session.exec(delete(row).where(col(row.expires_at) < before))


def _browser_session(row: SessionRow) -> BrowserSession:
    return BrowserSession(
        id=row.id,
        user_agent=row.user_agent,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
    )
