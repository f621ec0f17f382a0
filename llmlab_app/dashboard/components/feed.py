"""Latest calls, live. Each row leads to its receipt."""

from collections.abc import Sequence

import reflex as rx
from reflex.event import EventCallback
from reflex.vars import ArrayVar, NumberVar, ObjectVar, StringVar
from reflex_components_core.core.banner import has_connection_errors

from llmlab_app.dashboard.components.icons import icon
from llmlab_app.dashboard.components.local import age
from llmlab_app.dashboard.views.feed import FeedRow


def feed_card(
    rows: ArrayVar[Sequence[FeedRow]],
    *,
    read_at: NumberVar,
    is_held: rx.Var[bool],
    announcement: StringVar,
    hold: EventCallback[str, bool],
) -> rx.Component:
    """The feed stands still while a row has the pointer or the focus.

    It is no live region; ``announcement`` tells screen readers now and then how many came.
    """
    return rx.el.section(
        rx.el.div(
            rx.el.div(rx.el.h2("Latest calls"), _state(is_held), class_name="row g12"),
            class_name="card-head",
        ),
        rx.cond(rows.length() > 0, _table(rows, read_at, hold), _empty()),
        rx.el.p(announcement, class_name="sr", aria_live="polite"),
        class_name="card flush c8 feed",
    )


def _state(is_held: rx.Var[bool]) -> rx.Component:
    return rx.el.span(
        rx.cond(
            has_connection_errors,
            rx.fragment(rx.el.i(class_name="dot paused"), "Paused, connection lost"),
            rx.cond(
                is_held,
                rx.fragment(rx.el.i(class_name="dot"), "Holding still"),
                rx.fragment(rx.el.i(class_name="dot pulse"), "Live"),
            ),
        ),
        class_name="row xs muted",
    )


def _table(
    rows: ArrayVar[Sequence[FeedRow]], read_at: NumberVar, hold: EventCallback[str, bool]
) -> rx.Component:
    return rx.el.table(
        rx.el.caption("The calls that arrived last", class_name="sr"),
        rx.el.thead(
            rx.el.tr(
                rx.el.th("Age", scope="col", class_name="p2"),
                rx.el.th("Model", scope="col"),
                rx.el.th("Feature", scope="col", class_name="p2"),
                rx.el.th("In", scope="col", class_name="r p2"),
                rx.el.th("Out", scope="col", class_name="r p2"),
                rx.el.th("Latency", scope="col", class_name="r p2"),
                rx.el.th("Cost", scope="col", class_name="r"),
            )
        ),
        rx.el.tbody(
            rx.foreach(rows, lambda row: _row(row, read_at)),
            on_mouse_enter=hold("pointer", True),
            on_mouse_leave=hold("pointer", False),
            on_focus=hold("focus", True),
            on_blur=hold("focus", False),
        ),
        class_name="tbl",
    )


def _row(row: ObjectVar[FeedRow], read_at: NumberVar) -> rx.Component:
    return rx.el.tr(
        rx.el.td(age(at=row.at, now=read_at), class_name="faint nowrap num p2"),
        rx.el.td(
            rx.el.a(row.model, _badge(row), href=row.href, class_name="name"),
            rx.el.div(
                _feature(row),
                " · ",
                row.tokens_in,
                " in · ",
                row.tokens_out,
                " out",
                class_name="msub",
            ),
        ),
        rx.el.td(_feature(row), class_name="p2"),
        rx.el.td(row.tokens_in, class_name="r p2"),
        rx.el.td(row.tokens_out, class_name="r p2"),
        rx.el.td(row.latency, class_name="r p2"),
        rx.el.td(
            row.cost,
            rx.el.div(age(at=row.at, now=read_at, suffix=" ago"), class_name="msub"),
            class_name="r",
        ),
        key=row.id,
    )


def _feature(row: ObjectVar[FeedRow]) -> rx.Component:
    return rx.fragment(
        rx.cond(row.feature != "", row.feature, rx.el.span("untagged", class_name="faint"))
    )


def _badge(row: ObjectVar[FeedRow]) -> rx.Component:
    return rx.fragment(rx.cond(row.badge != "", rx.el.span(row.badge, class_name=row.badge_css)))


def _empty() -> rx.Component:
    return rx.el.div(
        icon("receipt-text", 24),
        rx.el.b("No calls yet"),
        rx.el.p("The first one appears here within a second.", class_name="sm"),
        class_name="empty",
    )
