"""Daily spend, stacked by model: SVG computed on the server, tooltips in CSS, and a table."""

import reflex as rx
from reflex.vars import ObjectVar, StringVar

from llmlab_app.dashboard.components.icons import icon
from llmlab_app.dashboard.views.geometry import Tick
from llmlab_app.dashboard.views.series import Series
from llmlab_app.dashboard.views.trend import DateLabel, Day, Trend

# One tab stop for the whole chart; the arrow keys go from day to day.
_ARROWS_MOVE_BETWEEN_DAYS = rx.Var(
    """(event) => {
  const way = {ArrowLeft: "previousElementSibling", ArrowRight: "nextElementSibling"}[event.key];
  const day = way && event.target[way];
  if (day?.classList.contains("hit")) { event.preventDefault(); day.focus(); }
}"""
)


def trend_card(trend: ObjectVar[Trend]) -> rx.Component:
    """The chart, and under its button the same as a table."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Daily spend by model"),
            rx.el.span(trend.caption, class_name="sm muted num nowrap"),
            class_name="card-head",
        ),
        rx.el.figure(
            rx.el.figcaption(trend.description, class_name="sr"),
            _chart(trend),
            rx.el.ul(rx.foreach(trend.series, _legend_entry), class_name="legend"),
        ),
        rx.el.details(
            rx.el.summary(
                icon("table-2", 18),
                class_name="icon-btn",
                aria_label="Show daily spend as a table",
                title="Show as a table",
            ),
            rx.el.div(_table(trend), class_name="scroll", tab_index=0),
        ),
        class_name="card c8 trend",
    )


def _chart(trend: ObjectVar[Trend]) -> rx.Component:
    return rx.el.div(
        rx.el.div(rx.foreach(trend.ticks, _tick), class_name="y", aria_hidden="true"),
        rx.el.div(
            rx.el.svg(
                rx.foreach(trend.ticks, _gridline),
                rx.foreach(trend.days, lambda day: _bars(trend, day)),
                aria_hidden="true",
            ),
            rx.foreach(trend.days, lambda day: _hit(trend, day)),
            rx.cond(
                trend.is_empty & (trend.days.length() > 0),
                rx.el.div("No spend in the last 30 days.", class_name="none"),
            ),
            class_name="plot",
            custom_attrs={"onKeyDown": _ARROWS_MOVE_BETWEEN_DAYS},
        ),
        rx.el.div(rx.foreach(trend.dates, _date), class_name="x", aria_hidden="true"),
        class_name="chart",
        style={"--axis": trend.axis_width},
    )


def _tick(tick: ObjectVar[Tick]) -> rx.Component:
    return rx.el.span(tick.label, custom_attrs={"style": {"top": tick.top}})


def _gridline(tick: ObjectVar[Tick]) -> rx.Component:
    return rx.el.line(
        x1="0",
        x2="100%",
        y1=tick.top,
        y2=tick.top,
        class_name=rx.cond(tick.label == "$0", "base", "gl"),
    )


def _date(date: ObjectVar[DateLabel]) -> rx.Component:
    return rx.el.span(date.text, class_name=date.css, custom_attrs={"style": {"left": date.left}})


def _bars(trend: ObjectVar[Trend], day: ObjectVar[Day]) -> rx.Component:
    return rx.el.g(
        rx.foreach(
            day.bars,
            lambda bar, index: rx.el.rect(
                x=day.left,
                width=trend.bar_width,
                y=bar.y,
                height=bar.height,
                class_name=trend.series.to(list[Series])[index].slot,
            ),
        ),
        class_name=day.css,
    )


def _hit(trend: ObjectVar[Trend], day: ObjectVar[Day]) -> rx.Component:
    """What the pointer hits, the whole height of the plot, with its tooltip beside the bar."""
    return rx.el.div(
        rx.el.div(
            rx.el.span(rx.el.span(day.label), rx.el.span(day.total)),
            rx.foreach(
                trend.series,
                lambda series, index: _tip_line(series, day.amounts.to(list[str])[index]),
            ),
            class_name=day.tip,
        ),
        class_name="hit",
        tab_index=rx.cond(day.css == "today", 0, -1),
        role="img",
        aria_label=f"{day.label}: {day.total}",
        custom_attrs={"style": {"left": day.hit_left, "width": trend.hit_width}},
    )


def _tip_line(series: ObjectVar[Series], amount: StringVar) -> rx.Component:
    return rx.fragment(rx.cond(amount != "", rx.el.span(_named(series), rx.el.span(amount))))


def _legend_entry(series: ObjectVar[Series]) -> rx.Component:
    return rx.el.li(_swatch(series), series.name)


def _named(series: ObjectVar[Series]) -> rx.Component:
    return rx.el.span(_swatch(series), series.name, class_name="name")


def _swatch(series: ObjectVar[Series]) -> rx.Component:
    return rx.el.i(class_name=f"sw {series.slot}", aria_hidden="true")


def _table(trend: ObjectVar[Trend]) -> rx.Component:
    return rx.el.table(
        rx.el.caption(trend.description, class_name="sr"),
        rx.el.thead(
            rx.el.tr(
                rx.el.th("Day", scope="col"),
                rx.foreach(
                    trend.series,
                    lambda series: rx.el.th(series.name, scope="col", class_name="r p3"),
                ),
                rx.el.th("Total", scope="col", class_name="r"),
            )
        ),
        rx.el.tbody(rx.foreach(trend.days, _table_row)),
        class_name="tbl",
    )


def _table_row(day: ObjectVar[Day]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(day.label, scope="row", class_name="nowrap"),
        rx.foreach(
            day.amounts,
            lambda amount: rx.el.td(rx.cond(amount != "", amount, "$0.00"), class_name="r p3"),
        ),
        rx.el.td(day.total, class_name="r"),
    )
