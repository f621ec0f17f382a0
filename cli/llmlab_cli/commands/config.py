import sys
from typing import Optional

import typer
from typing_extensions import Annotated

from llmlab_cli import render
from llmlab_cli.commands.options import AsJson
from llmlab_cli.config import CHECKS, config_path, read_settings, write_file
from llmlab_cli.errors import BadUsage

app = typer.Typer(
    help="Show and change settings, and where each comes from.", invoke_without_command=True
)
Name = Annotated[str, typer.Argument(metavar="NAME", help=f"One of {', '.join(CHECKS)}.")]


@app.callback()
def config(ctx: typer.Context) -> None:
    """Without a command, list."""
    if ctx.invoked_subcommand is None:
        list_settings()


@app.command("list", epilog="Example: llmlab config list --json")
def list_settings(as_json: AsJson = False) -> None:
    """Show every setting with its origin; keys are masked."""
    settings = read_settings()
    if as_json:
        render.print_json(
            {
                "file": str(config_path()),
                "settings": {
                    each.name: {"value": each.shown, "origin": each.origin} for each in settings
                },
            }
        )
        return
    grid = render.table("Setting", "Value", "From")
    for each in settings:
        value = render.text(each.shown or "–")
        grid.add_row(each.name, value, render.text(each.origin, "dim"))
    render.show(grid)
    render.note(f"config.json is {config_path()}")


@app.command("get", epilog="Example: llmlab config get server")
def get_setting(
    name: Name,
    reveal: Annotated[bool, typer.Option("--reveal", help="Print the whole API key.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print one setting."""
    setting = getattr(read_settings(), _known(name))
    value = setting.value if reveal else setting.shown
    if as_json:
        render.print_json({"name": setting.name, "value": value, "origin": setting.origin})
    else:
        render.show_text(render.clean(value or ""))


@app.command("set", epilog="Example: llmlab config set server https://llmlab.example.org")
def set_setting(
    name: Name,
    value: Annotated[
        Optional[str],
        typer.Argument(help="Left out: asked for, or read from standard input. Empty: removed."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change one setting in the config file."""
    _known(name)
    value = (_asked(name) if value is None else _from_arguments(name, value)).strip()
    path = write_file({name: CHECKS[name](value, "new value") if value else None})
    now = getattr(read_settings(), name)
    if as_json:
        render.print_json({"name": name, "value": now.shown, "origin": now.origin})
    render.done(f"{name} {'set' if value else 'removed'} in {path}")
    if now.origin.startswith("LLMLAB_"):
        render.warn(f"{now.origin} is set in the environment and wins over the file.")


def _known(name: str) -> str:
    if name not in CHECKS:
        raise BadUsage(f"There is no setting {name!r}.", f"Choose one of {', '.join(CHECKS)}.")
    return name


def _asked(name: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    return str(typer.prompt(name, hide_input=name == "api_key", err=True))


def _from_arguments(name: str, value: str) -> str:
    if name == "api_key" and value:
        raise BadUsage(
            "A key on the command line stays in the shell's history and in the process list.",
            "Leave it out and paste it when asked, or pipe it in.",
        )
    return value
