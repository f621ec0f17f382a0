"""``/api/projects``: what calls are booked to."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from llmlab_app.api import bodies
from llmlab_app.api.auth import principal
from llmlab_app.api.clock import now
from llmlab_app.api.openapi import body_of
from llmlab_app.api.render import instant
from llmlab_app.api.schemas import ProjectIn
from llmlab_app.domain.access import Principal, Project
from llmlab_app.services import projects

router = APIRouter(prefix="/api/projects", tags=["projects"])
Caller = Annotated[Principal, Depends(principal)]
Now = Annotated[datetime, Depends(now)]


@router.get("")
async def list_projects(caller: Caller) -> dict[str, Any]:
    """The projects that the key may see, by name; archived ones too."""
    return {"data": [_json(project) for project in await projects.list_projects(caller)]}


@router.post("", status_code=201, openapi_extra=body_of(ProjectIn))
async def create_project(request: Request, caller: Caller, now: Now) -> dict[str, Any]:
    """Create a project; the name of an archived one brings it back with its history."""
    body = await bodies.read(request, ProjectIn)
    return _json(await projects.create_project(caller, body.name, now))


@router.delete("/{project_id}", status_code=204)
async def archive_project(project_id: UUID, caller: Caller, now: Now) -> None:
    """Archive a project and revoke its own keys; its calls stay in every total."""
    await projects.archive_project(caller, project_id, now)


def _json(project: Project) -> dict[str, Any]:
    return {
        "id": str(project.id),
        "name": project.name,
        "created_at": instant(project.created_at),
        "archived_at": instant(project.archived_at),
    }
