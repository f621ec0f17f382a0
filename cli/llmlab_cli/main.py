"""The command ``llmlab``: its commands, and what happens when one fails.

Nothing heavy is imported here (no httpx, no server): ``llmlab --help`` answers at once.
"""

import errno
from typing import Any, List, Optional

import typer
from typer.core import TyperGroup
from typing_extensions import Annotated

from llmlab_cli import render, version
from llmlab_cli.commands import config, init, open_, price, prices, status
from llmlab_cli.errors import Problem
from llmlab_cli.plugins import plugged_commands

INTERRUPTED = 130  # 128 + SIGINT, as shells count it


class Commands(TyperGroup):
    """Our commands and the plugged-in ones; failures become messages and exit codes."""

    def list_commands(self, ctx: Any) -> List[str]:
        """Names in the order of `llmlab --help`."""
        own = super().list_commands(ctx)
        return [*own, *(name for name in plugged_commands() if name not in own)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """One command, ours first."""
        return super().get_command(ctx, cmd_name) or plugged_commands().get(cmd_name)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, typer.Abort):
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:
            if ctx.params["debug"] or _is_for_typer(error):
                raise
            raise typer.Exit(_explain(error)) from None


def _is_for_typer(error: Exception) -> bool:
    """Typer's own errors know their exit code; a closed pipe is no error of ours."""
    closed_pipe = isinstance(error, OSError) and error.errno == errno.EPIPE
    return closed_pipe or (hasattr(error, "exit_code") and not isinstance(error, Problem))


def _explain(error: Exception) -> int:
    """Tell the user what went wrong; returns the exit code."""
    if not isinstance(error, Problem):
        error = Problem(
            f"Unexpected {type(error).__name__}: {error}",
            "Run it again as `llmlab --debug …` to see where, and please report it.",
        )
    render.fail(error.what, error.next_step)
    return error.exit_code


app = typer.Typer(
    cls=Commands,
    help="What your LLM calls cost: exactly, live, and how to spend less.",
    epilog="Start with: llmlab init",
    invoke_without_command=True,
    pretty_exceptions_show_locals=False,  # they would print keys
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def llmlab(
    ctx: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    show_version: Annotated[
        Optional[bool], typer.Option("--version", help="Show the version and exit.", is_eager=True)
    ] = None,
) -> None:
    """Set up what all commands share; without a command, show the help."""
    render.tolerate_narrow_encodings()
    if show_version:
        render.show_text(f"llmlab-cli {version()}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        render.show_text(ctx.get_help())


for name, command, example in (
    ("init", init.init, "llmlab init"),
    ("status", status.status, "llmlab status --since 7d --by feature"),
    ("price", price.price, "llmlab price gpt-4o-mini --input 1450 --output 220"),
    ("open", open_.open_dashboard, "llmlab open"),
):
    app.command(name, epilog=f"Example: {example}")(command)
app.add_typer(prices.app, name="prices", epilog="Example: llmlab prices unpriced")
app.add_typer(config.app, name="config", epilog="Example: llmlab config set server URL")
