from typing import Any, Dict

import typer
from typing_extensions import Annotated

from llmlab_cli import render
from llmlab_cli.api import Api
from llmlab_cli.commands.options import AsJson
from llmlab_cli.config import Settings, read_settings
from llmlab_cli.errors import NotAllowed, NotAuthenticated


def open_dashboard(
    print_only: Annotated[
        bool, typer.Option("--print", help="Print the address and open nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Open the dashboard in a browser, signed in.

    Prints the address as well. With an admin's key it is a link that signs in once, within an
    hour: treat it as a password. With any other key it is the plain address.
    """
    link = dashboard_link(read_settings())
    opened = not print_only and _show_in_browser(link["url"])
    if as_json:
        render.print_json({**link, "opened": opened})
        return
    render.show_text(link["url"])
    if not link["signs_in"]:
        render.note("This key can't sign a browser in: the dashboard may ask you to.")
    if not (opened or print_only):
        render.note("No browser to be found here: open the address yourself.")


def dashboard_link(settings: Settings) -> Dict[str, Any]:
    """The address of the dashboard, and whether (and until when) it signs a browser in."""
    server = settings.server.value or ""
    plain = {"url": server, "signs_in": False, "expires_at": None}
    if not settings.api_key.value:
        return plain
    with Api(settings) as api:
        try:
            link = api.setup_link()
        except (NotAllowed, NotAuthenticated):
            return plain
    url = f"{server}/{render.clean(link['path']).lstrip('/')}"
    return {"url": url, "signs_in": True, "expires_at": link["expires_at"]}


def _show_in_browser(address: str) -> bool:
    import webbrowser

    return webbrowser.open(address)
