"""This month by model: a donut and the table that says the same."""

import reflex as rx
from reflex.vars import ObjectVar

from llmlab_app.dashboard.views.by_model import ByModel, Slice
from llmlab_app.dashboard.views.geometry import DONUT_RADIUS, DONUT_SIZE, DONUT_STROKE

_MIDDLE = DONUT_SIZE // 2


def by_model_card(month: ObjectVar[ByModel]) -> rx.Component:
    """The card; without spend it says so."""
    return rx.el.section(
        rx.el.div(rx.el.h2("This month by model"), class_name="card-head"),
        rx.cond(
            month.slices.length() > 0,
            rx.el.div(_donut(month), _table(month), class_name="row wrap month"),
            rx.el.p(
                rx.cond(month.total != "", rx.fragment("No spend this month yet.")),
                class_name="empty",
            ),
        ),
        class_name="card c4",
    )


def _donut(month: ObjectVar[ByModel]) -> rx.Component:
    return rx.el.div(
        rx.el.svg(
            rx.foreach(month.slices, _arc),
            width=DONUT_SIZE,
            height=DONUT_SIZE,
            view_box=f"0 0 {DONUT_SIZE} {DONUT_SIZE}",
            aria_hidden="true",
        ),
        rx.el.div(rx.el.b(month.total), rx.el.span(month.period, class_name="xs faint")),
        class_name="donut",
    )


def _arc(slice_: ObjectVar[Slice]) -> rx.Component:
    return rx.el.circle(
        cx=_MIDDLE,
        cy=_MIDDLE,
        r=DONUT_RADIUS,
        class_name=slice_.slot,
        custom_attrs={
            "fill": "none",
            "strokeWidth": DONUT_STROKE,
            "strokeDasharray": slice_.arc.dash,
            "strokeDashoffset": slice_.arc.offset,
            "transform": f"rotate(-90 {_MIDDLE} {_MIDDLE})",
        },
    )


def _table(month: ObjectVar[ByModel]) -> rx.Component:
    return rx.el.table(
        rx.el.caption("Spend by model, ", month.period, class_name="sr"),
        rx.el.thead(
            rx.el.tr(*(rx.el.th(name, scope="col") for name in ("Model", "Cost", "Share"))),
            class_name="sr",
        ),
        rx.el.tbody(rx.foreach(month.slices, _row)),
        rx.el.tfoot(
            rx.el.tr(
                rx.el.th("Total", scope="row"),
                rx.el.td(month.total, class_name="r"),
                rx.el.td("100%", class_name="r"),
            )
        ),
        class_name="mini",
    )


def _row(slice_: ObjectVar[Slice]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(
            rx.el.span(
                rx.el.i(class_name=f"sw {slice_.slot}", aria_hidden="true"),
                slice_.name,
                class_name="name",
            ),
            scope="row",
        ),
        rx.el.td(slice_.cost, class_name="r"),
        rx.el.td(slice_.share, class_name="r faint"),
    )
