"""The way in: the owner's password, or a link from the terminal."""

import reflex as rx

from llmlab_app.dashboard.components.local import sign_in
from llmlab_app.dashboard.components.shell import brand
from llmlab_app.dashboard.state.login import LoginState

_SAMPLE = (
    ("Input, uncached", "1,842 × $3.00 per 1M", "$0.0055260"),
    ("Cache read", "6,144 × $0.30 per 1M", "$0.0018432"),
    ("Cache write, 5 min", "512 × $3.75 per 1M", "$0.0019200"),
    ("Output", "812 × $15.00 per 1M", "$0.0121800"),
)


def login_page() -> rx.Component:
    """The form or the hint, and a receipt for decoration."""
    return rx.el.div(
        rx.el.main(
            brand(),
            rx.cond(
                LoginState.is_known, rx.cond(LoginState.asks_password, _password(), _link_hint())
            ),
            rx.el.p("Free and open source. Your data stays on your server.", class_name="xs faint"),
            id="main",
        ),
        rx.el.aside(_sample_receipt(), aria_hidden="true"),
        class_name="auth",
    )


def _password() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.h1("Sign in"),
            rx.el.p("Know what your LLM calls cost, in under two minutes.", class_name="muted"),
        ),
        sign_in(),
        class_name="form",
    )


def _link_hint() -> rx.Component:
    return rx.el.div(
        rx.el.h1("Open LLMLab"),
        rx.el.p(
            "This browser is not signed in. On the machine where LLMLab runs, type:",
            class_name="muted",
        ),
        rx.el.pre("llmlab open", class_name="code", tab_index=0),
        rx.el.p(
            "It opens the dashboard. The link that ",
            rx.el.span("llmlab up", class_name="mono"),
            " printed works too, once.",
            class_name="sm muted",
        ),
        class_name="form",
    )


def _sample_receipt() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.div(
                rx.el.div(
                    rx.el.b("One call"),
                    rx.el.span("14:31:49", class_name="xs faint num"),
                    class_name="row between",
                ),
                rx.el.div("claude-sonnet-4.5", class_name="xs faint"),
                rx.el.table(
                    rx.el.tbody(*(_sample_line(*line) for line in _SAMPLE)),
                    rx.el.tfoot(
                        rx.el.tr(rx.el.td("Total"), rx.el.td("$0.0214692", class_name="r"))
                    ),
                    class_name="rc",
                ),
                class_name="receipt-body",
            ),
            rx.el.div(class_name="receipt-edge"),
            class_name="receipt",
        ),
        rx.el.p(
            "Every dollar traces back to tokens and a dated price.",
            class_name="sm muted caption",
        ),
    )


def _sample_line(name: str, calculation: str, cost: str) -> rx.Component:
    return rx.el.tr(
        rx.el.td(name, rx.el.span(calculation, class_name="calc")),
        rx.el.td(cost, class_name="r"),
    )
