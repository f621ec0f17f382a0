"""Putting things on a terminal: safe text, data on stdout, messages on stderr.

Rich's markup, emoji codes and highlighting are off, so that a model named ``[bold]gpt[/bold]`` is
printed as just that. Everything that the server or a file says passes through `clean`.
"""

from __future__ import annotations

import codecs
import json
import sys
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

_JOINERS = "\u200c\u200d"  # harmless, and needed by Persian, Indic scripts and emoji
_ASCII = dict(zip("✓•△✗→▲▼█▏▎▍▌▋▊▉·−–…", "+*!x>^v#|||||||.--~"))
_PIPE_WIDTH = 1000  # a pipe has no edge: don't break names that somebody greps for


def clean(value: object) -> str:
    """``value`` as text that can't move the cursor, colour the screen or reverse the line.

    Drops control characters (terminal escapes), bidirectional overrides and other invisible
    formatting, line separators and lone surrogates.
    """
    return "".join(
        letter
        for letter in str(value)
        if letter in _JOINERS or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
    )


def text(value: object, style: str = "") -> Text:
    """``value``, cleaned, for a table's cell."""
    from rich.text import Text

    return Text(clean(value), style=style)


def table(*columns: str, figures: int = 0) -> Table:
    """A table with these headings, the last ``figures`` of them right-aligned."""
    from rich import box
    from rich.table import Table

    grid = Table(
        box=box.SIMPLE, show_edge=False, header_style="dim", border_style="dim", footer_style="bold"
    )
    names = len(columns) - figures
    for position, heading in enumerate(columns):
        is_figure = position >= names
        grid.add_column(
            heading,
            justify="right" if is_figure else "left",
            no_wrap=is_figure,
            overflow="fold",  # a name that is cut off can't be searched for
        )
    return grid


def add_total(grid: Table, *cells: str) -> None:
    """Close ``grid`` with a line and a bold row."""
    grid.show_footer = True
    for column, cell in zip(grid.columns, cells):
        column.footer = text(cell)


def show(page: RenderableType) -> None:
    """Put ``page`` on stdout; in a pipe without the spaces that fill a terminal's lines."""
    console = _console(stderr=False)
    if console.is_terminal:
        console.print(page)
        return
    with console.capture() as captured:
        console.print(page)
    show_text("\n".join(line.rstrip() for line in captured.get().splitlines()))


def show_text(line: str) -> None:
    """Put ``line`` on stdout as it is."""
    # Not typer.echo: on an ASCII terminal that writes UTF-8 all the same.
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()  # now, while a closed pipe can still be handled


def screen() -> Console:
    """The console for data, on stdout."""
    return _console(stderr=False)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    console = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    return console


def done(message: str) -> None:
    """Say that a step worked."""
    _say("✓", message, "green")


def note(message: str) -> None:
    """Say something worth knowing."""
    _say("•", message, "cyan")


def warn(message: str) -> None:
    """Say that something needs attention."""
    _say("△", message, "yellow")


def fail(message: str, next_step: str) -> None:
    """Say what went wrong, and what to do."""
    _say("✗", message, "red")
    if next_step:
        _say("→", next_step, "cyan")


def _say(glyph: str, message: str, style: str) -> None:
    """A message for a person, on stderr: a glyph, then words that stand without its colour."""
    from rich.table import Table

    console = _console(stderr=True)
    lines = Table.grid(padding=(0, 1, 0, 0))
    lines.add_row(text(glyph, style), text(message))
    console.print(lines)


def print_json(value: Any) -> None:
    """``value`` as JSON on stdout, in ASCII: safe on every terminal and in every pipe."""
    show_text(json.dumps(value, indent=2))


def tolerate_narrow_encodings() -> None:
    """Where the terminal can't show a character, write the nearest it can, and never fail."""
    codecs.register_error("llmlab", _in_ascii)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="llmlab")


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    unknown = error.object[error.start : error.end]
    return "".join(_ASCII.get(letter, "?") for letter in unknown), error.end
