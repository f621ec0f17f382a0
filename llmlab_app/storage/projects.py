"""Workspaces, projects and keys, in SQL."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.access import KeyRecord, Project, Scope
from llmlab_app.domain.errors import Unavailable
from llmlab_app.domain.keys import ApiKey
from llmlab_app.storage.tables import ApiKeyRow, MemberRow, ProjectRow, WorkspaceRow

_FIRST_START_LOCK = 0x11AB_0002


async def lock_first_start(session: AsyncSession) -> None:
    """Wait until no other server is making the workspace; held until the transaction ends."""
    await session.exec(select(func.pg_advisory_xact_lock(_FIRST_START_LOCK)))


async def first_workspace_id(session: AsyncSession) -> UUID | None:
    """The installation's own workspace, None before the first start."""
    first = select(WorkspaceRow.id).order_by(col(WorkspaceRow.created_at)).limit(1)
    return (await session.exec(first)).first()


async def installed_workspace_id(session: AsyncSession) -> UUID:
    """The installation's own workspace.

    Raises:
        Unavailable: the first start hasn't made it yet.
    """
    workspace_id = await first_workspace_id(session)
    if workspace_id is None:
        raise Unavailable("LLMLab isn't set up yet. Start it with `llmlab up`.", code="not_set_up")
    return workspace_id


async def add_workspace(
    session: AsyncSession, *, name: str, timezone: str, owner: str, now: datetime
) -> UUID:
    """A new workspace with its owner; returns its id."""
    workspace = WorkspaceRow(name=name, timezone=timezone, created_at=now)
    session.add(workspace)
    await session.flush()
    session.add(MemberRow(workspace_id=workspace.id, name=owner, role="owner", created_at=now))
    await session.flush()
    return workspace.id


async def projects_of(session: AsyncSession, workspace_id: UUID) -> tuple[Project, ...]:
    """All projects of a workspace by name, archived ones too."""
    rows = await session.exec(
        select(ProjectRow)
        .where(ProjectRow.workspace_id == workspace_id)
        .order_by(col(ProjectRow.name))
    )
    return tuple(_project(row) for row in rows)


async def add_or_restore_project(
    session: AsyncSession, *, workspace_id: UUID, name: str, now: datetime
) -> Project | None:
    """The new project, or the archived one of that name brought back; None if it is in use."""
    added = (
        insert(ProjectRow)
        .values(workspace_id=workspace_id, name=name, created_at=now)
        .on_conflict_do_update(
            index_elements=["workspace_id", "name"],
            set_={"archived_at": None},
            where=col(ProjectRow.archived_at).is_not(None),
        )
        .returning(ProjectRow)
    )
    row = (await session.exec(added)).scalar_one_or_none()
    return _project(row) if row else None


async def archive_project(
    session: AsyncSession, *, workspace_id: UUID, project_id: UUID, now: datetime
) -> None:
    """Close a project and revoke its keys; what was booked to it stays."""
    await session.exec(
        update(ProjectRow)
        .where(
            col(ProjectRow.workspace_id) == workspace_id,
            col(ProjectRow.id) == project_id,
            col(ProjectRow.archived_at).is_(None),
        )
        .values(archived_at=now)
    )
    await session.exec(
        update(ApiKeyRow)
        .where(
            col(ApiKeyRow.workspace_id) == workspace_id,
            col(ApiKeyRow.project_id) == project_id,
            col(ApiKeyRow.revoked_at).is_(None),
        )
        .values(revoked_at=now)
    )


async def keys_of(
    session: AsyncSession, workspace_id: UUID, project_id: UUID | None
) -> tuple[KeyRecord, ...]:
    """All keys of a workspace, or of one project in it; newest first, revoked ones too."""
    query = (
        select(ApiKeyRow, ProjectRow.name)
        .join(ProjectRow, isouter=True)
        .where(ApiKeyRow.workspace_id == workspace_id)
        .order_by(col(ApiKeyRow.created_at).desc(), col(ApiKeyRow.public_id))
    )
    if project_id is not None:
        query = query.where(ApiKeyRow.project_id == project_id)
    return tuple(_key_record(row, project) for row, project in await session.exec(query))


async def add_key(
    session: AsyncSession,
    key: ApiKey,
    *,
    workspace_id: UUID,
    project_id: UUID | None,
    name: str,
    scopes: Iterable[Scope],
    now: datetime,
) -> None:
    """Keep the public half of ``key`` and the hash of its secret."""
    session.add(
        ApiKeyRow(
            public_id=key.public_id,
            workspace_id=workspace_id,
            project_id=project_id,
            name=name,
            secret_sha256=key.secret_sha256(),
            scopes=sorted(scopes),
            created_at=now,
        )
    )
    await session.flush()


async def revoke_key(
    session: AsyncSession,
    *,
    workspace_id: UUID,
    project_id: UUID | None,
    public_id: str,
    now: datetime,
) -> bool:
    """Revoke a key of the workspace, or of one project in it; False if there is no such key.

    Revoking it again changes nothing.
    """
    found = select(ApiKeyRow).where(
        ApiKeyRow.workspace_id == workspace_id, ApiKeyRow.public_id == public_id
    )
    if project_id is not None:
        found = found.where(ApiKeyRow.project_id == project_id)
    row = (await session.exec(found.with_for_update())).first()
    if row is None:
        return False
    row.revoked_at = row.revoked_at or now
    return True


def _project(row: ProjectRow) -> Project:
    return Project(id=row.id, name=row.name, created_at=row.created_at, archived_at=row.archived_at)


def _key_record(row: ApiKeyRow, project: str | None) -> KeyRecord:
    return KeyRecord(
        public_id=row.public_id,
        name=row.name,
        project=project,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
