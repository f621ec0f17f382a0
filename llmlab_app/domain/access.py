"""Who asks, and what they may see.

A credential (an API key, a browser session) is stored as a ``Grant``; asked about one request, the
grant gives the ``Principal`` that every service takes its workspace and projects from.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from llmlab_app.domain.errors import Conflict, FieldError, InvalidInput, NotAllowed, NotFound

DEFAULT_PROJECT = "default"
MAX_NAME = 100
# Visible ASCII, because a project's name also travels in the header X-LLMLab-Project.
_PROJECT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/-]*(?<! )")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Scope(StrEnum):
    """What a key or a member may do."""

    EVENTS_WRITE = "events:write"
    READ = "read"
    BUDGETS_WRITE = "budgets:write"
    ADMIN = "admin"


ALL_SCOPES = frozenset(Scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated caller. Every query takes its workspace from here, never from the request.

    ``booking_project_id`` is the project that new calls are booked to: the key's own, the one that
    ``X-LLMLab-Project`` names, else ``default``. ``project_ids`` are the projects it may see: its
    own or the named one, else all of the workspace, archived ones too, so that totals stay.
    ``project_id`` is set for a project's own key only. ``name`` goes into the audit.
    ``session_id`` is set for a signed-in browser.
    """

    workspace_id: UUID
    project_id: UUID | None
    booking_project_id: UUID
    project_ids: tuple[UUID, ...]
    scopes: frozenset[Scope]
    name: str
    session_id: UUID | None = None

    def require(self, scope: Scope) -> None:
        """Pass if the caller holds ``scope``; ``admin`` includes the others.

        Raises:
            NotAllowed: naming the scope that is missing.
        """
        if scope not in self.scopes and Scope.ADMIN not in self.scopes:
            raise NotAllowed(
                f"This key lacks the scope {scope.value!r}. Use a key that has it, "
                "or create one in Settings.",
                code="missing_scope",
            )

    def require_workspace(self) -> None:
        """Pass if the caller's rights reach beyond one project.

        Raises:
            NotAllowed: it is a project's own key.
        """
        if self.project_id is not None:
            raise NotAllowed(
                "This key belongs to one project and this concerns the whole workspace. "
                "Use a workspace key.",
                code="workspace_key_needed",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What calls are booked to."""

    id: UUID
    name: str
    created_at: datetime
    archived_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """What is kept and shown of a key: everything but the secret. ``project`` None: all of them."""

    public_id: str
    name: str
    project: str | None
    scopes: frozenset[Scope]
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserSession:
    """A signed-in browser, as its owner sees it in a list."""

    id: UUID
    user_agent: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a stored credential allows. ``projects`` are all projects of its workspace."""

    workspace_id: UUID
    project_id: UUID | None
    projects: tuple[Project, ...]
    scopes: frozenset[Scope]
    name: str
    session_id: UUID | None = None

    def principal(self, project_name: str | None = None) -> Principal:
        """The caller of one request, which may select a project by name.

        Raises:
            NotAllowed: a project's own key selects another project.
            NotFound: the workspace has no project of that name.
            Conflict: the project is archived.
        """
        selected = self._selected(project_name)
        narrowed = self.project_id is not None or project_name is not None
        return Principal(
            workspace_id=self.workspace_id,
            project_id=self.project_id,
            booking_project_id=selected.id,
            project_ids=(selected.id,) if narrowed else tuple(p.id for p in self.projects),
            scopes=self.scopes,
            name=self.name,
            session_id=self.session_id,
        )

    def _selected(self, project_name: str | None) -> Project:
        if self.project_id is not None:
            return self._own_project(self.project_id, project_name)
        name = project_name or DEFAULT_PROJECT
        project = next((p for p in self.projects if p.name == name), None)
        if project is None:
            raise NotFound(
                f"There is no project {name[:MAX_NAME]!r} in this workspace. Create it in "
                "Settings or with POST /api/projects.",
                code="unknown_project",
            )
        if project.archived_at is not None:
            raise Conflict(
                f"The project {name!r} is archived. Restore it with POST /api/projects, or use "
                "another.",
                code="project_archived",
            )
        return project

    def _own_project(self, project_id: UUID, project_name: str | None) -> Project:
        own = next(p for p in self.projects if p.id == project_id)
        if project_name not in (None, own.name):
            raise NotAllowed(
                f"This key belongs to the project {own.name!r}. Leave X-LLMLab-Project out, or "
                "use a key of the other project.",
                code="wrong_project",
            )
        return own


def checked_project_name(name: str) -> str:
    """``name``, if a project may have it.

    Raises:
        InvalidInput: it is empty, too long, or can't travel in a header.
    """
    if len(name) > MAX_NAME or not _PROJECT_NAME.fullmatch(name):
        _refuse_name(
            "A project's name has 1 to 100 characters: letters a-z, digits, space, . _ / and -. "
            "It starts with a letter or digit and doesn't end with a space."
        )
    return name


def checked_key_name(name: str) -> str:
    """``name``, if a key may have it.

    Raises:
        InvalidInput: it is empty, too long, or has characters that can't be shown.
    """
    if not 1 <= len(name.strip()) <= MAX_NAME or _CONTROL.search(name):
        _refuse_name("A key's name has 1 to 100 characters and no control characters.")
    return name.strip()


def _refuse_name(detail: str) -> None:
    raise InvalidInput(
        detail, code="invalid_name", errors=(FieldError("/name", "invalid_name", detail),)
    )
