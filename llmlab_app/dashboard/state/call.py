"""One call and its receipt."""

from uuid import UUID

import reflex as rx
from reflex.event import EventSpec

from llmlab_app.dashboard.state.session import LOGIN, visitor
from llmlab_app.dashboard.views.receipt import Receipt, receipt_of
from llmlab_app.domain.errors import LLMLabError
from llmlab_app.services.calls import receipt
from llmlab_app.services.cost_reports import workspace_zone


class CallState(rx.State):
    """The receipt on screen, or why there is none."""

    receipt: rx.Field[Receipt] = rx.field(default_factory=Receipt)
    problem: rx.Field[str] = rx.field("")

    @rx.event
    async def open(self) -> EventSpec | None:
        """Load the call that the address names."""
        if (principal := await visitor(self)) is None:
            return rx.redirect(LOGIN)
        self.reset()
        try:
            found = await receipt(principal, UUID(self.router.url.path.rsplit("/", 1)[-1]))
            self.receipt = receipt_of(found, zone=await workspace_zone(principal))
        except ValueError:
            self.problem = "This isn't the id of a call."
        except LLMLabError as error:
            self.problem = error.detail
        return None
