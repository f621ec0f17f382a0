"""The test event of the First-run page."""

from datetime import UTC, datetime

import reflex as rx
from reflex.event import EventSpec

from llmlab_app.dashboard.state.session import LOGIN, selected_project, visitor
from llmlab_app.domain.errors import LLMLabError
from llmlab_app.domain.events import Charge
from llmlab_app.domain.normalise import ReportedEvent
from llmlab_app.domain.usage import TokenUsage
from llmlab_app.services.ingestion import track

_USAGE = TokenUsage(input_tokens=1_450, cache_read_tokens=1_000, output_tokens=220)


class FirstRunState(rx.State):
    """Whether a test event is on its way, and why it failed."""

    is_sending: rx.Field[bool] = rx.field(False)
    problem: rx.Field[str] = rx.field("")

    @rx.event
    async def send_test(self) -> EventSpec | None:
        """Store one event that counts towards nothing; the feed shows it like any other."""
        event = ReportedEvent(
            model="gpt-4o-mini",
            provider="openai",
            usage=_USAGE,
            feature="test-event",
            charge=Charge.TEST,
            sdk="llmlab-dashboard",
        )
        try:
            if (principal := await visitor(self, selected_project(self))) is None:
                return rx.redirect(LOGIN)
            await track(principal, [event], now=datetime.now(UTC))
            self.problem = ""
        except LLMLabError as error:
            self.problem = error.detail
        return None
