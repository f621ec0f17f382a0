"""What a key or a cookie grants, in SQL."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.access import Grant, Scope
from llmlab_app.storage.projects import projects_of
from llmlab_app.storage.tables import ApiKeyRow, MemberRow, RoleRow, SessionRow


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
        select(ApiKeyRow).where(
            ApiKeyRow.public_id == public_id, col(ApiKeyRow.revoked_at).is_(None)
        )
    )
    if (row := found.first()) is None:
        return None
    grant = Grant(
        workspace_id=row.workspace_id,
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
        select(SessionRow, MemberRow, RoleRow.scopes)
        .join(MemberRow, col(MemberRow.id) == SessionRow.member_id)
        .join(RoleRow, col(RoleRow.name) == MemberRow.role)
        .where(SessionRow.token_sha256 == token_sha256, col(SessionRow.revoked_at).is_(None))
    )
    if (found_row := found.first()) is None:
        return None
    row, member, scopes = found_row
    grant = Grant(
        workspace_id=member.workspace_id,
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
    session: AsyncSession, public_id: str, now: datetime, every: timedelta
) -> None:
    """Write down that the key was used, unless another process did less than ``every`` ago."""
    await session.exec(
        update(ApiKeyRow)
        .where(
            col(ApiKeyRow.public_id) == public_id,
            col(ApiKeyRow.last_used_at).is_(None) | (col(ApiKeyRow.last_used_at) <= now - every),
        )
        .values(last_used_at=now)
    )


async def note_session_use(
    session: AsyncSession, session_id: UUID, now: datetime, every: timedelta
) -> None:
    """Write down that the session was used, unless another process did less than ``every`` ago."""
    await session.exec(
        update(SessionRow)
        .where(col(SessionRow.id) == session_id, col(SessionRow.last_used_at) <= now - every)
        .values(last_used_at=now)
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
