"""A stat card: label, figure, change, cumulative line."""

from collections.abc import Sequence

import reflex as rx
from reflex.vars import ArrayVar, ObjectVar
from reflex_components_core.el.elements.media import Polyline

from llmlab_app.dashboard.components.icons import icon
from llmlab_app.dashboard.views.cards import LABELS, StatCard
from llmlab_app.dashboard.views.geometry import SPARK_HEIGHT, SPARK_WIDTH


def stat_cards(cards: ArrayVar[Sequence[StatCard]]) -> rx.Component:
    """The row of cards; until they are loaded, the same cards without figures."""
    return rx.cond(
        cards.length() > 0,
        rx.foreach(cards, _card),
        rx.fragment(*(_waiting(label) for label in LABELS)),
    )


def _card(card: ObjectVar[StatCard]) -> rx.Component:
    return rx.el.section(
        rx.el.h2(card.label),
        rx.el.div(card.figure, class_name="big"),
        rx.el.div(
            rx.cond(card.change != "", rx.el.b(_arrow(card), card.change)),
            card.versus,
            class_name="delta",
        ),
        _sparkline(card),
        class_name="card stat c3",
    )


def _waiting(label: str) -> rx.Component:
    return rx.el.section(
        rx.el.h2(label),
        rx.el.div(
            rx.el.div(class_name="skel", custom_attrs=_size("96px", "24px")), class_name="big"
        ),
        rx.el.div(class_name="delta"),
        rx.el.div(class_name="spark"),
        class_name="card stat c3",
        aria_busy="true",
    )


def _size(width: str, height: str) -> dict[str, dict[str, str]]:
    return {"style": {"width": width, "height": height}}


def _arrow(card: ObjectVar[StatCard]) -> rx.Component:
    up = rx.fragment(icon("arrow-up", 14, 2), rx.el.span("Up", class_name="sr"))
    down = rx.fragment(icon("arrow-down", 14, 2), rx.el.span("Down", class_name="sr"))
    return rx.fragment(rx.match(card.arrow, ("up", up), ("down", down), rx.fragment()))


def _sparkline(card: ObjectVar[StatCard]) -> rx.Component:
    return rx.el.div(
        rx.el.svg(
            rx.el.polygon(points=card.spark.area, class_name="a"),
            Polyline.create(points=card.spark.previous, class_name="p"),
            Polyline.create(points=card.spark.line, class_name="l"),
            view_box=f"0 0 {SPARK_WIDTH} {SPARK_HEIGHT}",
            preserve_aspect_ratio="none",
            width="100%",
            height="100%",
            custom_attrs={"aria-hidden": "true"},
        ),
        rx.el.i(custom_attrs={"style": {"left": card.spark.left, "top": card.spark.top}}),
        class_name="spark",
    )
