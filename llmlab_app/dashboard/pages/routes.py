"""Every page: its address, its title, and what it loads."""

import reflex as rx

from llmlab_app.dashboard.pages.call import call_page
from llmlab_app.dashboard.pages.first_run import first_run_page
from llmlab_app.dashboard.pages.login import login_page
from llmlab_app.dashboard.pages.not_found import not_found_page
from llmlab_app.dashboard.pages.overview import overview_page
from llmlab_app.dashboard.state.call import CallState
from llmlab_app.dashboard.state.login import LoginState
from llmlab_app.dashboard.state.overview import OverviewState

_PAGES = (
    ("/", "Overview", overview_page, OverviewState.open),
    ("/first-run", "Send your first call", first_run_page, OverviewState.open),
    ("/calls/[call_id]", "Cost receipt", call_page, CallState.open),
    ("/login", "Sign in", login_page, LoginState.open),
    ("/404", "Not found", not_found_page, None),
)


def add_pages(app: rx.App) -> None:
    """Register every page."""
    for route, title, page, on_load in _PAGES:
        app.add_page(page, route=route, title=f"{title} · LLMLab", on_load=on_load)
