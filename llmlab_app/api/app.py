"""The JSON API as one FastAPI app; the composition root mounts it, ingest workers run it bare."""

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from llmlab_app.api import (
    costs,
    errors,
    events,
    health,
    keys,
    prices,
    projects,
    sessions,
)
from llmlab_app.api.docs_page import docs_page

ROUTERS = (
    health.router,
    events.router,
    costs.router,
    prices.router,
    projects.router,
    keys.router,
    sessions.router,
)


def create_api() -> FastAPI:
    """The API, complete but for the lifespan that opens its database."""
    api = FastAPI(
        title="LLMLab",
        version=health.VERSION,
        summary="What your LLM calls cost, exactly.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    for router in ROUTERS:
        api.include_router(router)
    errors.install(api)

    @api.get("/api/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(docs_page(api.openapi()))

    return api
