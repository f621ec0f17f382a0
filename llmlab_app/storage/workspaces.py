"""What a whole workspace shares."""

from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.storage.tables import WorkspaceRow


async def zone_of(session: AsyncSession, workspace_id: UUID) -> ZoneInfo:
    """The zone that the workspace's days and hours are cut in."""
    found = await session.exec(
        select(WorkspaceRow.timezone).where(col(WorkspaceRow.id) == workspace_id)
    )
    return ZoneInfo(found.one())
