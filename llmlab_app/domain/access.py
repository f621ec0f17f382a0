"""Who asks, and what they may see."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from llmlab_app.domain.errors import NotAllowed


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

    ``project_id`` is set for a project's own key; ``project_ids`` are the projects it may see.
    """

    workspace_id: UUID
    project_id: UUID | None
    project_ids: tuple[UUID, ...]
    scopes: frozenset[Scope]
    name: str

    def require(self, scope: Scope) -> None:
        """Pass if the caller holds ``scope``.

        Raises:
            NotAllowed: naming the scope that is missing.
        """
        if scope not in self.scopes and Scope.ADMIN not in self.scopes:
            raise NotAllowed(
                f"This key lacks the scope {scope.value!r}. Use a key that has it, "
                "or create one in Settings.",
                code="missing_scope",
            )
