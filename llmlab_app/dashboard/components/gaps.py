"""Gaps in your numbers: what no total includes, and what no feature explains."""

from collections.abc import Sequence

import reflex as rx
from reflex.vars import ArrayVar, ObjectVar, StringVar

from llmlab_app.dashboard.components.icons import icon
from llmlab_app.dashboard.views.gaps import Gap


def gaps_card(gaps: ArrayVar[Sequence[Gap]], *, priced_today: StringVar) -> rx.Component:
    """The card; with nothing missing it says so."""
    return rx.el.section(
        rx.el.div(rx.el.h2("Gaps in your numbers"), class_name="card-head"),
        rx.cond(
            gaps.length() > 0,
            rx.el.div(rx.foreach(gaps, _gap), class_name="stack g12"),
            rx.cond(priced_today != "", _none()),
        ),
        rx.el.p(priced_today, class_name="xs faint card-foot"),
        class_name="card c4",
    )


def _gap(gap: ObjectVar[Gap]) -> rx.Component:
    return rx.el.div(
        rx.cond(gap.kind == "unpriced", icon("triangle-alert"), icon("tag")),
        rx.el.div(
            rx.el.b(gap.headline, class_name="num"),
            rx.el.p(gap.text, class_name="muted"),
            rx.el.p(
                gap.names_label,
                rx.foreach(gap.names, lambda name: rx.el.span(" ", name, class_name="mono")),
                " ",
                gap.more,
                class_name="muted",
            ),
        ),
        class_name=rx.cond(gap.kind == "unpriced", "alert warn", "alert"),
    )


def _none() -> rx.Component:
    return rx.el.div(
        icon("circle-check"),
        rx.el.div(
            rx.el.b("None"),
            rx.el.p("Every call has a price, and all of this month has a feature."),
        ),
        class_name="alert ok",
    )
