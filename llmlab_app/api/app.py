"""The JSON API as one FastAPI app; the composition root mounts it, ingest workers run it bare."""

from functools import cache

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from llmlab_app.api import (
    costs,
    errors,
    events,
    health,
    keys,
    price_terms,
    prices,
    projects,
    recommendations,
    repricing,
    sessions,
)
from llmlab_app.api.docs_page import docs_page
from llmlab_app.api.openapi import openapi_of

ROUTERS = (
    health.router,
    events.router,
    costs.router,
    prices.router,
    price_terms.router,
    repricing.router,
    recommendations.router,
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

    document = cache(lambda: openapi_of(api))
    api.openapi = document

    @api.get("/api/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(docs_page(document()))

    return api
