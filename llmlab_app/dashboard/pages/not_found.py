"""An address that leads nowhere."""

import reflex as rx

from llmlab_app.dashboard.components.icons import icon
from llmlab_app.dashboard.components.shell import shell


def not_found_page() -> rx.Component:
    """Says so, and leads home."""
    return shell(
        rx.el.div(
            icon("search", 24),
            rx.el.h1("There is no such page"),
            rx.el.a("Open the overview", href="/", class_name="btn"),
            class_name="empty card",
        )
    )
