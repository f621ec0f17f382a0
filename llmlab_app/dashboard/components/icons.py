"""Lucide icons as the design draws them. Only the ones that are named end up in the bundle."""

import reflex as rx


def icon(tag: str, size: int = 16, stroke_width: float = 1.75) -> rx.Component:
    """A decorative icon: the words beside it say the same."""
    return rx.icon(tag, size=size, stroke_width=stroke_width, custom_attrs={"aria-hidden": "true"})


def logo() -> rx.Component:
    """The torn receipt with three bars."""
    return rx.el.svg(
        rx.el.path(
            d="M4 3.5A1.5 1.5 0 0 1 5.5 2h13A1.5 1.5 0 0 1 20 3.5V22l-2.67-2-2.66 2L12 20l-2.67 2"
            "-2.66-2L4 22Z",
            custom_attrs={"fill": "currentColor"},
        ),
        rx.el.path(
            d="M8.25 14.5v-3M12 14.5v-7M15.75 14.5v-5",
            custom_attrs={
                "stroke": "var(--on-accent)",
                "strokeWidth": "2",
                "strokeLinecap": "round",
            },
        ),
        width="24",
        height="24",
        view_box="0 0 24 24",
        custom_attrs={"aria-hidden": "true"},
    )
