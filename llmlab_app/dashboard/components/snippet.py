"""Code to copy, coloured at build time."""

import re

import reflex as rx

_TOKEN = re.compile(
    r"""(?P<c>\#[^\n]*)|(?P<s>"[^"\n]*"|'[^'\n]*')|(?P<k>\b(?:from|import|with|as)\b)"""
)


def code(source: str, *, label: str) -> rx.Component:
    """``source`` with comments, strings and keywords in colour."""
    return rx.el.pre(*_coloured(source), class_name="code", tab_index=0, aria_label=label)


def _coloured(source: str) -> list[rx.Component | str]:
    parts: list[rx.Component | str] = []
    end = 0
    for token in _TOKEN.finditer(source):
        parts += [source[end : token.start()], rx.el.span(token[0], class_name=token.lastgroup)]
        end = token.end()
    return [*parts, source[end:]]
