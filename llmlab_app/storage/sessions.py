"""Signed-in browsers and the links that sign them in, in SQL."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.access import BrowserSession
from llmlab_app.storage.tables import MemberRow, SessionRow, SetupTokenRow


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
