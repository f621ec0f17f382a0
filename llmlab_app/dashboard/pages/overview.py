"""How much so far, on what, and what just happened."""

import reflex as rx

from llmlab_app.dashboard.components.breakdown import by_model_card
from llmlab_app.dashboard.components.feed import feed_card
from llmlab_app.dashboard.components.gaps import gaps_card
from llmlab_app.dashboard.components.icons import icon
from llmlab_app.dashboard.components.onboarding import snippet_card
from llmlab_app.dashboard.components.shell import shell
from llmlab_app.dashboard.components.stats import stat_cards
from llmlab_app.dashboard.components.trend import trend_card
from llmlab_app.dashboard.state.first_run import FirstRunState
from llmlab_app.dashboard.state.overview import OverviewState


def overview_page() -> rx.Component:
    """The first page; before the first call it shows how to send one."""
    state = OverviewState
    return shell(
        rx.el.div(_lede(), class_name="page-head"),
        problem_notice(),
        rx.el.div(
            rx.cond(state.is_loaded & ~state.has_calls, _first_call()),
            stat_cards(state.cards),
            trend_card(state.trend),
            by_model_card(state.by_model),
            feed_card(
                state.rows,
                read_at=state.read_at,
                is_held=state.is_pointed_at | state.is_focused,
                announcement=state.announcement,
                hold=state.hold,
            ),
            gaps_card(state.gaps, priced_today=state.priced_today),
            class_name="grid",
        ),
        current="Overview",
    )


def _lede() -> rx.Component:
    state = OverviewState
    return rx.el.div(
        rx.el.h1("Overview", class_name="sr"),
        rx.el.p(
            rx.cond(
                state.has_calls,
                rx.fragment(
                    "You have spent ", rx.el.b(state.spent, class_name="num"), " this month."
                ),
                rx.cond(state.is_loaded, rx.fragment("No calls yet. Send one, and see its cost.")),
            ),
            class_name="lede",
        ),
        rx.el.p(state.clock, class_name="sub num"),
    )


def _first_call() -> rx.Component:
    return snippet_card(
        has_calls=OverviewState.has_calls,
        rows=OverviewState.rows,
        send_test=FirstRunState.send_test,
        is_sending=FirstRunState.is_sending,
        test_problem=FirstRunState.problem,
        span="c12",
    )


def problem_notice() -> rx.Component:
    """Why the page could not be loaded, and a button to try again."""
    return rx.fragment(
        rx.cond(
            OverviewState.problem != "",
            rx.el.div(
                icon("circle-alert"),
                rx.el.div(
                    rx.el.b("The overview did not load"),
                    rx.el.p(OverviewState.problem),
                    rx.el.button(
                        "Try again", type="button", class_name="btn", on_click=OverviewState.open
                    ),
                    class_name="stack g8",
                ),
                class_name="alert bad",
                role="alert",
            ),
        )
    )
