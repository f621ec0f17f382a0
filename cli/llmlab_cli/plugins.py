"""Commands that other distributions add through the entry-point group ``llmlab.commands``.

They are imported when they are called, never before: ``llmlab --help`` must stay quick and must
not load the server.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Mapping

from typer import Typer
from typer.core import TyperCommand
from typer.main import get_command

from llmlab_cli.errors import Problem

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "llmlab.commands"
PANEL = "Server"

# Help lines live here, because asking the command for its own would import its distribution.
HELP = {"up": "Start the server and its dashboard on this machine."}


class PluggedCommand(TyperCommand):
    """Stands in for another distribution's command until it is called."""

    def __init__(self, entry: EntryPoint) -> None:
        help_line = HELP.get(entry.name, f"Provided by {entry.value.split(':')[0]}.")
        super().__init__(entry.name, help=help_line, rich_help_panel=PANEL)
        self.entry = entry

    def load(self) -> Any:
        """The real command.

        Raises:
            Problem: its distribution is broken.
        """
        try:
            function = self.entry.load()
        except (ImportError, AttributeError) as error:
            raise Problem(
                f"`llmlab {self.name}` could not be loaded: {error}.",
                "Install llmlab-server again.",
            ) from error
        plugin = Typer(add_completion=False)
        plugin.command(self.name)(function)
        return get_command(plugin)

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """Parse the command line as the real command wants it."""
        return self.load().make_context(info_name, args, parent, **extra)


class MissingCommand(TyperCommand):
    """A command of the server when the server is not installed: says how to get it."""

    def __init__(self, name: str) -> None:
        super().__init__(
            name,
            help=f"{HELP[name]} (needs llmlab-server)",
            rich_help_panel=PANEL,
            context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        )

    def invoke(self, ctx: Any) -> None:
        """Refuse, helpfully."""
        raise Problem(
            f"`llmlab {self.name}` needs the server, and it is not installed here.",
            "Install it with `pipx install llmlab-server` (or pip, or uv tool), "
            "or connect to a server elsewhere with `llmlab init --server URL`.",
        )


@lru_cache(maxsize=None)
def plugged_commands() -> Mapping[str, TyperCommand]:
    """Every command of the group, by name; the server's are there even if it isn't."""
    commands: dict[str, TyperCommand] = {name: MissingCommand(name) for name in HELP}
    commands.update((entry.name, PluggedCommand(entry)) for entry in _entries())
    return commands


def _entries() -> tuple[EntryPoint, ...]:
    from importlib.metadata import entry_points  # here: our own commands don't wait for it

    if sys.version_info >= (3, 10):
        return tuple(entry_points(group=GROUP))
    return tuple(entry_points().get(GROUP, ()))
