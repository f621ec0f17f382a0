"""The frame around the pages: which project they show, and whether one can sign out."""

from urllib.parse import urlencode

import reflex as rx
from reflex.event import EventSpec

from llmlab_app.dashboard.state.session import LOGIN, selected_project, visitor
from llmlab_app.services.projects import list_projects
from llmlab_app.settings import get_settings


class FrameState(rx.State):
    """The open projects by name, the chosen one (empty: all), and the query that says so.

    ``can_sign_out`` is false in local mode: there is no password to come back with.
    """

    names: rx.Field[list[str]] = rx.field(default_factory=list)
    chosen: rx.Field[str] = rx.field("")
    query: rx.Field[str] = rx.field("")
    can_sign_out: rx.Field[bool] = rx.field(False)

    @rx.event
    async def choose(self, name: str) -> EventSpec | None:
        """Show another project; its address can be kept and shared."""
        if await visitor(self) is None:
            return rx.redirect(LOGIN)
        return rx.redirect(self.router.url.path + _query(name))

    async def load(self) -> None:
        """Take over what the address says."""
        principal = await visitor(self)
        projects = await list_projects(principal) if principal else ()
        self.names = [project.name for project in projects if project.archived_at is None]
        self.chosen = selected_project(self) or ""
        self.query = _query(self.chosen)
        self.can_sign_out = get_settings().owner_password_file is not None


def _query(name: str) -> str:
    return f"?{urlencode({'project': name})}" if name else ""
