"""The cost receipt: one line for each token class, its torn edge, and where the price is from."""

import reflex as rx
from reflex.vars import ObjectVar

from llmlab_app.dashboard.views.receipt import Detail, Receipt, ReceiptLine


def receipt_paper(receipt: ObjectVar[Receipt]) -> rx.Component:
    """The paper itself."""
    return rx.el.div(
        rx.el.div(
            rx.el.div(
                rx.el.div(
                    rx.el.h1("Cost receipt"),
                    rx.el.p(receipt.model, " · ", receipt.moment, class_name="xs faint"),
                ),
                rx.el.span(receipt.status, class_name=receipt.status_css),
                class_name="row between top-aligned",
            ),
            _lines(receipt),
            rx.cond(receipt.note != "", rx.el.p(receipt.note, class_name="xs muted note")),
            class_name="receipt-body",
        ),
        rx.el.div(class_name="receipt-edge"),
        class_name="receipt",
    )


def _lines(receipt: ObjectVar[Receipt]) -> rx.Component:
    return rx.el.table(
        rx.el.caption("Cost by token class", class_name="sr"),
        rx.el.tbody(rx.foreach(receipt.lines, _line)),
        rx.el.tfoot(
            rx.el.tr(rx.el.th("Total", scope="row"), rx.el.td(receipt.total, class_name="r"))
        ),
        class_name="rc",
    )


def _line(line: ObjectVar[ReceiptLine]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(
            line.name,
            rx.cond(line.calculation != "", rx.el.span(line.calculation, class_name="calc")),
            scope="row",
        ),
        rx.el.td(line.cost, class_name="r"),
    )


def call_details(receipt: ObjectVar[Receipt]) -> rx.Component:
    """Beside the paper: the price's source, what is known of the call, its usage as reported."""
    return rx.el.div(
        rx.el.section(
            rx.el.h2("Price source"),
            rx.el.p(receipt.price_source, class_name="sm muted"),
            class_name="stack g8",
        ),
        rx.el.section(
            rx.el.h2("Details"),
            rx.el.dl(rx.foreach(receipt.details, _detail), class_name="kv num"),
            class_name="stack g8",
        ),
        rx.cond(
            receipt.raw_usage != "",
            rx.el.section(
                rx.el.h2("Usage as reported by the provider"),
                rx.el.pre(receipt.raw_usage, class_name="code", tab_index=0),
                class_name="stack g8",
            ),
        ),
        class_name="card g24",
    )


def _detail(detail: ObjectVar[Detail]) -> rx.Component:
    return rx.fragment(rx.el.dt(detail.name), rx.el.dd(detail.value))
