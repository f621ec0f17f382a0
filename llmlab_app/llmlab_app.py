"""The composition root: the dashboard, the JSON API around it, and what both of them need open."""

import gc
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

import reflex as rx
import structlog
from reflex.app import default_error_boundary
from reflex.config import environment
from reflex.constants import Dirs
from starlette.types import ASGIApp, Receive, Scope, Send

from jobs.scheduler import running_jobs
from llmlab_app.api.app import create_api
from llmlab_app.api.edge import guarded
from llmlab_app.dashboard.pages.routes import add_pages
from llmlab_app.dashboard.state.overview import push_live
from llmlab_app.services.ingestion import start_ingestion, stop_ingestion
from llmlab_app.settings import Settings, get_settings
from llmlab_app.storage.database import close_database, open_database

_API_PATHS = re.compile(r"/(api|setup)(/|$)")


@asynccontextmanager
async def resources() -> AsyncIterator[None]:
    """The database, the writers and the jobs, as long as the app runs."""
    settings = get_settings()
    _open_database(settings)
    start_ingestion(settings)
    _leave_the_code_uncollected()
    try:
        async with running_jobs() if settings.run_jobs else nullcontext():
            yield
    finally:
        await stop_ingestion()
        await close_database()


def _open_database(settings: Settings) -> None:
    if settings.database_url is None:
        raise RuntimeError("LLMLAB_DATABASE_URL isn't set: start the server with `llmlab up`.")
    direct = settings.database_direct_url
    open_database(
        settings.database_url.get_secret_value(),
        direct_url=direct.get_secret_value() if direct else None,
    )


def _leave_the_code_uncollected() -> None:
    """Take what is loaded now out of the garbage collector's sight.

    Ingest makes many short-lived objects; each full collection would walk all of Reflex again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def log_error(exception: Exception) -> None:
    """A handler failed in a way that nobody foresaw: the log has it, the page stays as it was."""
    structlog.get_logger(__name__).error("dashboard_handler_failed", exc_info=exception)


app = rx.App(
    stylesheets=["/tokens.css", "/app.css"],
    head_components=[rx.el.link(rel="icon", type="image/svg+xml", href="/favicon.svg")],
    reset_style=False,
    # Notices stand in the page, where they are read: no toasts, and no code for them.
    toaster=None,
    app_wraps={(55, "ErrorBoundary"): lambda _: default_error_boundary()},
    backend_exception_handler=log_error,
    html_lang="en-GB",
)
add_pages(app)
app.register_lifespan_task(resources)
app.register_lifespan_task(push_live)


def make_asgi_app() -> ASGIApp:
    """What is served: the API by itself, all else by Reflex, and the edge around both.

    Mounted below Reflex instead, each call of the API would pass through its middlewares first.
    """
    api, dashboard = create_api(), app()

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        is_api = scope["type"] == "http" and _API_PATHS.match(scope["path"])
        await (api if is_api else dashboard)(scope, receive, send)

    frontend = environment.REFLEX_WEB_WORKDIR.get() / Dirs.STATIC
    return guarded(served, get_settings(), frontend)
