"""``/api/health``: whether calls can be reported, and what this server understands."""

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Response

from llmlab_app.api.auth import OPEN
from llmlab_app.api.schemas import EVENT_FIELDS
from llmlab_app.services.health import is_healthy

router = APIRouter(tags=["health"])
VERSION = version("llmlab-server")


@router.get(
    "/api/health",
    responses={503: {"description": "The database is away"}},
    openapi_extra=OPEN,
)
async def health(response: Response) -> dict[str, Any]:
    """No key needed. An SDK newer than this server strips what ``event_fields`` doesn't name."""
    healthy = await is_healthy()
    if not healthy:
        response.status_code = 503
        response.headers["Retry-After"] = "2"
    return {
        "status": "ok" if healthy else "database_unavailable",
        "version": VERSION,
        "event_fields": list(EVENT_FIELDS),
        "ingest_url": None,
    }
