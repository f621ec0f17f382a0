"""``/api/keys``: who may send events and read them. A key is shown whole once, at creation."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from llmlab_app.api import bodies
from llmlab_app.api.auth import principal
from llmlab_app.api.clock import now
from llmlab_app.api.openapi import body_of
from llmlab_app.api.render import instant
from llmlab_app.api.schemas import KeyIn
from llmlab_app.domain.access import KeyRecord, Principal
from llmlab_app.services import projects

router = APIRouter(prefix="/api/keys", tags=["keys"])
Caller = Annotated[Principal, Depends(principal)]
Now = Annotated[datetime, Depends(now)]


@router.get("")
async def list_keys(caller: Caller) -> dict[str, Any]:
    """The keys of the workspace, newest first, without their secrets; revoked ones too."""
    return {"data": [_json(record) for record in await projects.list_keys(caller)]}


@router.post("", status_code=201, openapi_extra=body_of(KeyIn))
async def create_key(request: Request, caller: Caller, now: Now) -> dict[str, Any]:
    """Create a key for one project, or without `project` for the whole workspace.

    The answer's `key` is shown this once.
    """
    body = await bodies.read(request, KeyIn)
    created = await projects.create_key(
        caller, name=body.name, scopes=body.scopes, project_name=body.project, now=now
    )
    return {**_json(created.record), "key": created.text}


@router.delete("/{key_id}", status_code=204)
async def revoke_key(key_id: str, caller: Caller, now: Now) -> None:
    """Revoke a key; it stops working everywhere within five seconds."""
    await projects.revoke_key(caller, key_id, now)


def _json(record: KeyRecord) -> dict[str, Any]:
    return {
        "id": record.public_id,
        "name": record.name,
        "project": record.project,
        "scopes": sorted(record.scopes),
        "created_at": instant(record.created_at),
        "last_used_at": instant(record.last_used_at),
        "revoked_at": instant(record.revoked_at),
    }
