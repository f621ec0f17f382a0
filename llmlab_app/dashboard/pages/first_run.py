"""How do I send one call?"""

import reflex as rx

from llmlab_app.dashboard.components.onboarding import snippet_card
from llmlab_app.dashboard.components.shell import shell
from llmlab_app.dashboard.pages.overview import problem_notice
from llmlab_app.dashboard.state.first_run import FirstRunState
from llmlab_app.dashboard.state.overview import OverviewState

_STEPS = (
    ("Run it", "Your program calls its provider as before; nothing waits for LLMLab."),
    ("The call arrives", "You see its cost, token by token, within a second."),
    ("Name a feature", "Say what calls are for, and the money is sorted by it."),
)


def first_run_page() -> rx.Component:
    """The snippet, whether the call arrived, and what comes after."""
    return shell(
        rx.el.div(
            rx.el.div(
                rx.el.h1("Send your first call"),
                rx.el.p(
                    "Two lines of code. Costs appear here within a second of each call.",
                    class_name="sub",
                ),
            ),
            class_name="page-head",
        ),
        problem_notice(),
        rx.el.div(
            snippet_card(
                has_calls=OverviewState.has_calls,
                rows=OverviewState.rows,
                send_test=FirstRunState.send_test,
                is_sending=FirstRunState.is_sending,
                test_problem=FirstRunState.problem,
                span="c8",
            ),
            rx.el.section(
                rx.el.div(rx.el.h2("What happens next"), class_name="card-head"),
                rx.el.ol(
                    *(rx.el.li(rx.el.b(name), rx.el.span(text)) for name, text in _STEPS),
                    class_name="steps tall",
                ),
                class_name="card c4",
            ),
            class_name="grid",
        ),
        current="First run",
    )
