import typer
from typing_extensions import Annotated

from llmlab_cli import render
from llmlab_cli.commands.options import AsJson
from llmlab_cli.config import read_settings


def open_dashboard(
    print_only: Annotated[
        bool, typer.Option("--print", help="Print the address and open nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Open the dashboard in a browser; prints its address as well."""
    address = read_settings().server.value or ""
    opened = not print_only and _show_in_browser(address)
    if as_json:
        render.print_json({"url": address, "opened": opened})
    else:
        typer.echo(address)
    if not (opened or print_only):
        render.note("No browser to be found here: open the address yourself.")


def _show_in_browser(address: str) -> bool:
    import webbrowser

    return webbrowser.open(address)
