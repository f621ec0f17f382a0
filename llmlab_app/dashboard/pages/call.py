"""Why did this call cost that?"""

import reflex as rx

from llmlab_app.dashboard.components.icons import icon
from llmlab_app.dashboard.components.receipt import call_details, receipt_paper
from llmlab_app.dashboard.components.shell import shell
from llmlab_app.dashboard.state.call import CallState


def call_page() -> rx.Component:
    """The receipt of one call."""
    return shell(
        rx.el.a(icon("arrow-left"), "Overview", href="/", class_name="link40 g8"),
        rx.cond(
            CallState.problem != "",
            rx.el.div(
                icon("search", 24),
                rx.el.h1("No such call"),
                rx.el.p(CallState.problem, class_name="sm"),
                class_name="empty card",
            ),
            rx.cond(
                CallState.receipt.model != "",
                rx.el.div(
                    receipt_paper(CallState.receipt),
                    call_details(CallState.receipt),
                    class_name="duo",
                ),
            ),
        ),
    )
