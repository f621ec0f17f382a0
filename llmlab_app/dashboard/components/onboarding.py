"""How to send the first call, and whether it arrived."""

from collections.abc import Sequence

import reflex as rx
from reflex.event import EventCallback
from reflex.vars import ArrayVar, ObjectVar

from llmlab_app.dashboard.components.icons import icon
from llmlab_app.dashboard.components.local import copy_button, tabs
from llmlab_app.dashboard.components.snippet import code
from llmlab_app.dashboard.views.feed import FeedRow

_OPENAI = """\
# pip install llmlab openai
from llmlab import instrument
from openai import OpenAI

instrument()          # reads ~/.llmlab/config.json
client = OpenAI()
client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Hello"}],
)"""
_ANTHROPIC = """\
# pip install llmlab anthropic
from llmlab import instrument
from anthropic import Anthropic

instrument()          # reads ~/.llmlab/config.json
client = Anthropic()
client.messages.create(
    model="claude-haiku-4-5",
    max_tokens=100,
    messages=[{"role": "user", "content": "Hello"}],
)"""
_GEMINI = """\
# pip install llmlab google-genai
from llmlab import instrument
from google import genai

instrument()          # reads ~/.llmlab/config.json
client = genai.Client()
client.models.generate_content(
    model="gemini-2.5-flash",
    contents="Hello",
)"""
_CURL = """\
# the key is in ~/.llmlab/config.json
curl "$LLMLAB_SERVER/api/events/track" \\
  -H "Authorization: Bearer $LLMLAB_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "gpt-4o-mini",
       "usage": {"input_tokens": 9, "output_tokens": 12}}'"""
SNIPPETS = {"OpenAI": _OPENAI, "Anthropic": _ANTHROPIC, "Gemini": _GEMINI, "curl": _CURL}


def snippet_card(
    *,
    has_calls: rx.Var[bool],
    rows: ArrayVar[Sequence[FeedRow]],
    send_test: EventCallback[()],
    is_sending: rx.Var[bool],
    test_problem: rx.Var[str],
    span: str,
) -> rx.Component:
    """Code to copy and what became of it."""
    return rx.el.section(
        rx.el.h2("Code to copy", class_name="sr"),
        tabs(
            *(_panel(name, source) for name, source in SNIPPETS.items()),
            label="Client library",
            labels=list(SNIPPETS),
        ),
        _arrival(has_calls, rows, send_test, is_sending),
        rx.cond(
            test_problem != "",
            rx.el.div(
                icon("circle-alert"), rx.el.p(test_problem), class_name="alert bad", role="alert"
            ),
        ),
        rx.el.p(
            "The test event is marked as a test and never counts towards spend. Prompts and "
            "answers never leave your program.",
            class_name="xs faint",
        ),
        class_name=f"card {span} snippets",
    )


def _panel(name: str, source: str) -> rx.Component:
    return rx.el.div(
        copy_button(icon("copy"), text=source),
        code(source, label=f"{name} example"),
        class_name="snippet",
    )


def _arrival(
    has_calls: rx.Var[bool],
    rows: ArrayVar[Sequence[FeedRow]],
    send_test: EventCallback[()],
    is_sending: rx.Var[bool],
) -> rx.Component:
    test_button = rx.el.button(
        icon("send"),
        rx.cond(is_sending, "Sending…", "Send a test event"),
        type="button",
        class_name="btn primary",
        disabled=is_sending,
        on_click=send_test,
    )
    return rx.el.div(
        rx.cond(
            has_calls,
            rx.fragment(
                icon("circle-check"),
                rx.el.div(*_newest(rows, "Calls are arriving"), class_name="grow"),
            ),
            rx.fragment(
                rx.el.i(class_name="dot wait-dot pulse"),
                rx.el.div(
                    *_newest(rows, "Waiting for your first call"),
                    class_name="grow",
                ),
            ),
        ),
        test_button,
        class_name="wait",
        role="status",
    )


def _newest(rows: ArrayVar[Sequence[FeedRow]], headline: str) -> list[rx.Component]:
    return [
        rx.el.b(headline),
        rx.el.div(
            rx.cond(
                rows.length() > 0,
                _arrived(rows[0].to(FeedRow)),
                rx.fragment(
                    "On this machine the SDK finds the server by itself. Elsewhere, run ",
                    rx.el.span("llmlab init", class_name="mono"),
                    " first.",
                ),
            ),
            class_name="sm muted",
        ),
    ]


def _arrived(row: ObjectVar[FeedRow]) -> rx.Component:
    return rx.fragment(
        rx.cond(row.badge == "test", "Test event received: ", "Last one: "),
        rx.el.span(row.model, class_name="mono"),
        ", ",
        rx.el.span(row.cost, class_name="num"),
        ". ",
        rx.el.a("Show its receipt", href=row.href),
    )
