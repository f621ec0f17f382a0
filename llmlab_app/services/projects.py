"""Projects and the keys to them. Nothing is deleted: projects are archived, keys revoked."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.access import (
    DEFAULT_PROJECT,
    KeyRecord,
    Principal,
    Project,
    Scope,
    checked_key_name,
    checked_project_name,
)
from llmlab_app.domain.errors import Conflict, FieldError, InvalidInput, NotFound
from llmlab_app.domain.keys import new_key
from llmlab_app.services.credentials import forget_credentials
from llmlab_app.storage import audit
from llmlab_app.storage import projects as stored
from llmlab_app.storage.database import transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that was just created; ``text`` is shown this once."""

    record: KeyRecord
    text: str = field(repr=False)


async def list_projects(principal: Principal) -> tuple[Project, ...]:
    """The projects that the caller may see, by name; archived ones too."""
    principal.require(Scope.READ)
    async with transaction() as session:
        everything = await stored.projects_of(session, principal.workspace_id)
    return tuple(project for project in everything if project.id in principal.project_ids)


async def create_project(principal: Principal, name: str, now: datetime) -> Project:
    """A new project, or the archived one of that name brought back with its history.

    Raises:
        NotAllowed: the caller isn't an admin of the workspace.
        InvalidInput: the name won't do.
        Conflict: there is a project of that name.
    """
    principal.require(Scope.ADMIN)
    principal.require_workspace()
    name = checked_project_name(name)
    async with transaction() as session:
        project = await stored.add_or_restore_project(
            session, workspace_id=principal.workspace_id, name=name, now=now
        )
        if project is None:
            raise Conflict(f"There is a project {name!r} already.", code="project_exists")
        _audit(session, principal, "project.created", project.id, now, name=name)
    forget_credentials()
    return project


async def archive_project(principal: Principal, project_id: UUID, now: datetime) -> None:
    """Close a project and revoke its own keys. Its calls stay in every total.

    Raises:
        NotAllowed: the caller isn't an admin of the workspace.
        NotFound: the workspace has no such project.
        Conflict: it is ``default``, which workspace keys book to.
    """
    principal.require(Scope.ADMIN)
    principal.require_workspace()
    async with transaction() as session:
        project = await _project(session, principal, lambda project: project.id == project_id)
        if project.name == DEFAULT_PROJECT:
            raise Conflict(
                f"The project {DEFAULT_PROJECT!r} can't be archived: calls without a project are "
                "booked to it.",
                code="default_project",
            )
        await stored.archive_project(
            session, workspace_id=principal.workspace_id, project_id=project_id, now=now
        )
        _audit(session, principal, "project.archived", project_id, now, name=project.name)
    forget_credentials()


async def list_keys(principal: Principal) -> tuple[KeyRecord, ...]:
    """The keys that the caller may manage, newest first; revoked ones too.

    Raises:
        NotAllowed: the caller isn't an admin.
    """
    principal.require(Scope.ADMIN)
    async with transaction() as session:
        return await stored.keys_of(session, principal.workspace_id, principal.project_id)


async def create_key(
    principal: Principal,
    *,
    name: str,
    scopes: Iterable[Scope],
    project_name: str | None,
    now: datetime,
) -> NewKey:
    """A new key for one project, or with ``project_name`` None for the whole workspace.

    A project's own admin key makes keys for its project only.

    Raises:
        NotAllowed: the caller isn't an admin of what the key would open.
        InvalidInput: the name won't do, or there are no scopes.
        NotFound: there is no such project.
        Conflict: the project is archived.
    """
    principal.require(Scope.ADMIN)
    if project_name is None:
        principal.require_workspace()
    name, scopes = checked_key_name(name), _checked_scopes(scopes)
    key = new_key(secrets.token_bytes)
    async with transaction() as session:
        project = await _open_project(session, principal, project_name) if project_name else None
        await stored.add_key(
            session,
            key,
            workspace_id=principal.workspace_id,
            project_id=project.id if project else None,
            name=name,
            scopes=scopes,
            now=now,
        )
        _audit(
            session, principal, "key.created", key.public_id, now, name=name, scopes=sorted(scopes)
        )
    record = KeyRecord(
        public_id=key.public_id, name=name, project=project_name, scopes=scopes, created_at=now
    )
    return NewKey(record=record, text=key.reveal())


async def revoke_key(principal: Principal, public_id: str, now: datetime) -> None:
    """Make a key useless: here at once, in other server processes within two seconds.

    Raises:
        NotAllowed: the caller isn't an admin.
        NotFound: no such key where the caller is one.
    """
    principal.require(Scope.ADMIN)
    async with transaction() as session:
        if not await stored.revoke_key(
            session,
            workspace_id=principal.workspace_id,
            project_id=principal.project_id,
            public_id=public_id,
            now=now,
        ):
            raise NotFound("There is no such key.", code="unknown_key")
        _audit(session, principal, "key.revoked", public_id, now)
    forget_credentials()


def _checked_scopes(scopes: Iterable[Scope]) -> frozenset[Scope]:
    if not (given := frozenset(scopes)):
        detail = f"A key needs at least one scope of {', '.join(Scope)}."
        raise InvalidInput(
            detail, code="missing_scopes", errors=(FieldError("/scopes", "missing", detail),)
        )
    return given


async def _open_project(session: AsyncSession, principal: Principal, name: str) -> Project:
    project = await _project(session, principal, lambda project: project.name == name)
    if project.archived_at is not None:
        raise Conflict(f"The project {name!r} is archived.", code="project_archived")
    return project


async def _project(
    session: AsyncSession, principal: Principal, wanted: Callable[[Project], bool]
) -> Project:
    """The wanted one among the projects that the caller may see, whoever else has one like it."""
    for project in await stored.projects_of(session, principal.workspace_id):
        if wanted(project) and project.id in principal.project_ids:
            return project
    raise NotFound("There is no such project in this workspace.", code="unknown_project")


def _audit(
    session: AsyncSession,
    principal: Principal,
    action: str,
    target: object,
    now: datetime,
    **detail: object,
) -> None:
    audit.record(
        session,
        workspace_id=principal.workspace_id,
        actor=principal.name,
        action=action,
        target=str(target),
        at=now,
        **detail,
    )
