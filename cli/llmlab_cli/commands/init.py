"""`llmlab init`: from nothing to a checked connection and the two lines to add."""

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable, Dict, Optional

import typer
from typing_extensions import Annotated

from llmlab_cli import figures, render, version
from llmlab_cli.api import Api
from llmlab_cli.commands.open_ import dashboard_link
from llmlab_cli.commands.options import AsJson
from llmlab_cli.config import (
    CHECKS,
    DEFAULT_SERVER,
    Setting,
    Settings,
    config_path,
    read_file,
    read_settings,
    write_file,
)
from llmlab_cli.errors import BadUsage, NotAllowed, NotAuthenticated, Problem, Unreachable
from llmlab_cli.project_clients import Environment, project_environment

TWO_LINES = ("from llmlab import instrument", "instrument()")


@dataclass(frozen=True)
class Asks:
    """How questions are settled: ``--yes`` agrees to all, a person is asked, a script is told."""

    yes: bool
    person: bool

    def agrees(self, question: str) -> bool:
        """Whether the answer is yes.

        Raises:
            BadUsage: nobody is there to answer.
        """
        if self.yes:
            return True
        if not self.person:
            raise BadUsage(f"Nobody is here to answer: {question}", "Pass --yes to agree.")
        return typer.confirm(render.clean(question), default=True, err=True)

    def until(self, attempt: Callable[[Settings], None], settings: Settings, name: str) -> Settings:
        """Settings with which ``attempt`` succeeds; a person may type ``name`` until it does.

        Raises:
            Problem: it fails, and nobody is there to ask.
        """
        while True:
            try:
                attempt(settings)
            except (Unreachable, NotAuthenticated, BadUsage) as problem:
                if self.yes or not self.person:
                    raise
                render.fail(problem.what, problem.next_step)
                settings = replace(settings, **{name: _typed(getattr(settings, name))})
            else:
                return settings


def _typed(current: Setting) -> Setting:
    """The setting as a person types it; Enter alone tries the same address again."""
    is_key = current.name == "api_key"
    label = "API key (hidden)" if is_key else "Server address"
    while True:
        answer = typer.prompt(
            label, default=None if is_key else current.value, hide_input=is_key, err=True
        )
        try:
            return Setting(current.name, CHECKS[current.name](answer.strip(), "typed"), "typed")
        except BadUsage as problem:
            render.fail(problem.what, problem.next_step)


def init(
    server: Annotated[
        Optional[str], typer.Option(metavar="URL", help="Server to connect to.")
    ] = None,
    api_key_stdin: Annotated[
        bool, typer.Option("--api-key-stdin", help="Read the API key from standard input.")
    ] = False,
    project: Annotated[
        Optional[str], typer.Option(metavar="NAME", help="Project that calls are counted in.")
    ] = None,
    test_event: Annotated[
        Optional[bool],
        typer.Option("--test-event/--no-test-event", help="Send a test event, or none, unasked."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree to every question.")] = False,
    as_json: AsJson = False,
) -> None:
    """Connect to a server, and show the two lines that record every call.

    Finds the server, checks the key, writes both to the config file and sends a test event that
    never counts as spend. What comes from the environment stays in the environment.
    """
    asks = Asks(yes, person=not as_json and sys.stdin.isatty() and sys.stderr.isatty())
    flags = {"server": server, "project": project, "api_key": _key_from(api_key_stdin)}
    settings = asks.until(_reach, read_settings(flags), "server")
    settings = asks.until(_authenticate, _without_foreign_key(settings), "api_key")
    environment = project_environment(Path.cwd())
    _save(settings, environment, asks)
    _describe(environment)
    if not as_json:
        _print_two_lines()
    wanted = _wants_test_event(asks) if test_event is None else test_event
    stored = _send_test_event(settings) if wanted else None
    if as_json:
        render.print_json(_summary(settings, environment, stored))
        return
    link = dashboard_link(settings)
    render.note(f"Your dashboard{' (the link signs in once)' if link['signs_in'] else ''}:")
    render.show_text(link["url"])


def _key_from(api_key_stdin: bool) -> Optional[str]:
    if not api_key_stdin:
        return None
    key = sys.stdin.readline().strip()
    if not key:
        raise BadUsage("There is no key on standard input.", "Pipe it in: … < key-file")
    return key


def _reach(settings: Settings) -> None:
    with Api(settings) as api:
        health = api.health()
    render.done(f"LLMLab {health['version']} answers at {settings.server.value}")


def _without_foreign_key(settings: Settings) -> Settings:
    """Settings without a stored key that was meant for another server than the one found."""
    stored_server = str(read_file().get("server") or DEFAULT_SERVER).rstrip("/")
    if settings.api_key.origin != "config.json" or settings.server.value == stored_server:
        return settings
    render.note(f"The key in config.json is for {stored_server}: it is not shown to another.")
    return replace(settings, api_key=Setting("api_key", None, "not set"))


def _authenticate(settings: Settings) -> None:
    if not settings.api_key.value:
        raise NotAuthenticated(
            "There is no API key for this server yet.",
            f"Make one at {settings.server.value}/settings and paste it here; "
            "scripts pipe it in with --api-key-stdin.",
        )
    with Api(settings) as api:
        try:
            api.summary()
        except NotAllowed as problem:
            render.warn(f"The key is known, but can't read costs. {problem.what}")
        else:
            render.done(f"The key {settings.api_key.shown} works")


def _save(settings: Settings, environment: Environment, asks: Asks) -> None:
    """Write what flags, typing and defaults say; what the environment says stays there."""
    stored = read_file()
    news = {
        each.name: each.value
        for each in settings
        if each.value and not each.origin.startswith("LLMLAB_")
    }
    changes = {name: value for name, value in news.items() if stored.get(name) != value}
    for name in ("server", "api_key"):
        if name in changes and stored.get(name):
            _agree_to_replace(name, str(stored[name]), str(changes[name]), asks)
    write_file({**changes, "providers": environment.providers})
    written = f"wrote {', '.join(changes)}" if changes else "nothing to change"
    render.done(f"{config_path()}: {written}")
    _warn_of_overrides(changes)


def _agree_to_replace(name: str, old: str, new: str, asks: Asks) -> None:
    old, new = (str(Setting(name, value, "").shown) for value in (old, new))
    change = f"config.json: {name} {old} becomes {new}"
    if not asks.agrees(f"{change}. Replace it?"):
        raise Problem("Kept config.json as it was.")
    render.note(change)


def _warn_of_overrides(changes: Dict[str, Any]) -> None:
    for name in changes:
        variable = f"LLMLAB_{name.upper()}"
        if os.environ.get(variable):
            render.warn(f"{variable} is set in the environment and wins over config.json.")


def _describe(environment: Environment) -> None:
    clients = [f"{name} {release}" for name, release in environment.clients.items()]
    if clients:
        render.done(f"Found {', '.join(clients)} in {environment.place}")
    else:
        render.note(f"No openai, anthropic or google-genai in {environment.place}")
    if not environment.has_sdk:
        render.warn("The SDK is not installed there yet: pip install llmlab")


def _print_two_lines() -> None:
    render.note("Add these two lines where your program starts:")
    render.show_text("\n" + "\n".join(f"    {line}" for line in TWO_LINES) + "\n")


def _wants_test_event(asks: Asks) -> bool:
    """A script that says nothing about it sends none."""
    question = "Send a test event? It is marked as a test and never counts as spend."
    return asks.yes or (asks.person and asks.agrees(question))


def _send_test_event(settings: Settings) -> Dict[str, Any]:
    event = {
        "provider": "openai",
        "model": "gpt-4o-mini",
        "operation": "chat",
        "usage": {"input_tokens": 1450, "output_tokens": 220},
        "charge": "test",
        "feature": "llmlab-init",
        "sdk": f"llmlab-cli/{version()}",
    }
    with Api(settings) as api:
        stored = api.track(event)
    cost = figures.call_cost(stored.get("cost"))
    render.done(f"Test event stored: {cost} for 1,450 tokens in and 220 out of {event['model']}")
    return stored


def _summary(
    settings: Settings, environment: Environment, stored: Optional[Dict[str, Any]]
) -> Dict[str, Any]:
    return {
        "server": settings.server.value,
        "api_key": settings.api_key.shown,
        "project": settings.project.value,
        "config_file": str(config_path()),
        "environment": str(environment.place),
        "clients": environment.clients,
        "sdk_installed": environment.has_sdk,
        "lines": list(TWO_LINES),
        "test_event": stored,
        "dashboard": settings.server.value,
    }
