"""The frame around every page: navigation, theme, and whether the page is live."""

import reflex as rx
from reflex.style import LiteralColorMode
from reflex_components_core.core.banner import has_connection_errors

from llmlab_app.dashboard.components.icons import icon, logo
from llmlab_app.dashboard.components.local import sign_out
from llmlab_app.dashboard.state.frame import FrameState

PAGES = (
    ("Overview", "/", "layout-dashboard"),
    ("First run", "/first-run", "rocket"),
)


def shell(*content: rx.Component, current: str = "") -> rx.Component:
    """A page. ``current`` is the name of its entry in the navigation, if it has one."""
    return rx.el.div(
        # The browser's own jump moves the focus; a client-side one would not.
        rx.el.a("Skip to content", href="#main", reload_document=True, class_name="skip"),
        rx.el.div(_sidebar(current), rx.el.div(_top_bar(), _main(content)), class_name="app"),
        _tab_bar(current),
    )


def _sidebar(current: str) -> rx.Component:
    return rx.el.aside(
        rx.el.div(
            brand(),
            _project_switch(),
            rx.el.nav(*_links(current, icon_size=18), class_name="nav", aria_label="Pages"),
            rx.el.div(rx.el.span("Theme"), theme_button(), _sign_out(), class_name="side-foot"),
            class_name="side-in",
        ),
        class_name="side",
        aria_label="Main",
    )


def _top_bar() -> rx.Component:
    return rx.el.header(
        brand(),
        rx.el.div(_project_switch(), theme_button(), _sign_out(), class_name="row g4"),
        class_name="top",
    )


def _tab_bar(current: str) -> rx.Component:
    return rx.el.nav(*_links(current, icon_size=20), class_name="tabs-bottom", aria_label="Pages")


def _links(current: str, *, icon_size: int) -> list[rx.Component]:
    return [
        rx.el.a(
            icon(tag, icon_size),
            name,
            href=href + FrameState.query,
            custom_attrs={"aria-current": "page"} if name == current else {},
        )
        for name, href, tag in PAGES
    ]


def _sign_out() -> rx.Component:
    return rx.fragment(rx.cond(FrameState.can_sign_out, sign_out(icon("log-out", 18))))


def _project_switch() -> rx.Component:
    """Chooses one project or all; absent where there is only one."""
    choice = rx.el.label(
        rx.el.span("Project", class_name="sr"),
        rx.el.select(
            rx.el.option("All projects", value=""),
            rx.foreach(FrameState.names, lambda name: rx.el.option(name, value=name)),
            value=FrameState.chosen,
            on_change=FrameState.choose,
        ),
        icon("chevrons-up-down"),
        class_name="switch",
    )
    return rx.fragment(rx.cond(FrameState.names.length() > 1, choice))


def _main(content: tuple[rx.Component, ...]) -> rx.Component:
    return rx.el.main(
        rx.el.div(_connection_notice(), *content, class_name="wrap-max"),
        id="main",
        tab_index=-1,
    )


def _connection_notice() -> rx.Component:
    notice = rx.el.div(
        icon("triangle-alert"),
        rx.el.div(
            rx.el.b("Live updates paused"),
            rx.el.br(),
            "The connection is lost. New calls are stored and appear when it returns.",
        ),
        class_name="alert warn",
        role="alert",
    )
    return rx.fragment(rx.cond(has_connection_errors, notice))


def brand() -> rx.Component:
    """The name and sign of the product, leading home."""
    return rx.el.a(logo(), "LLMLab", href="/", class_name="brand")


def theme_button() -> rx.Component:
    """System, light, dark, and round again. Reflex keeps the choice in the browser."""
    return rx.fragment(
        rx.match(
            rx.color_mode,
            ("light", _theme_choice("light", "sun", then="dark")),
            ("dark", _theme_choice("dark", "moon", then="system")),
            _theme_choice("follow system", "sun-moon", then="light"),
        )
    )


def _theme_choice(name: str, tag: str, *, then: LiteralColorMode) -> rx.Component:
    return rx.el.button(
        icon(tag, 18),
        type="button",
        class_name="icon-btn",
        aria_label=f"Theme: {name}",
        title=f"Theme: {name}",
        on_click=rx.style.set_color_mode(then),
    )
