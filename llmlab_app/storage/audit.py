"""Who changed what: rows that are added and never changed."""

from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.storage.tables import AuditRow


def record(
    session: AsyncSession,
    *,
    workspace_id: UUID,
    actor: str,
    action: str,
    target: str,
    at: datetime,
    **detail: object,
) -> None:
    """Add one line to the audit, in the transaction of the change that it tells about.

    Args:
        session: The transaction of the change.
        workspace_id: Whose audit.
        actor: ``Principal.name``, or what acted by itself.
        action: What happened, such as ``key.revoked``.
        target: What it happened to: an id.
        at: When.
        detail: What else is worth knowing; never a secret.
    """
    session.add(
        AuditRow(
            workspace_id=workspace_id,
            at=at,
            actor=actor,
            action=action,
            target=target,
            detail=dict(detail),
        )
    )
