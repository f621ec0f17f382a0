"""Write docs/reference/cli.md from the commands themselves and from what they really print.

The outputs are those of a small server that speaks the contract (the one of the CLI's own tests);
a test in tests/unit/checks fails while the page is older than the code.
"""

import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "cli.md"
sys.path.insert(0, str(ROOT))

from llmlab_cli import errors  # noqa: E402
from llmlab_cli.main import INTERRUPTED, app  # noqa: E402
from llmlab_cli.plugins import PluggedCommand, plugged_commands  # noqa: E402
from typer.main import get_command  # noqa: E402  (after the path)

from cli.tests.contract_server import KEY, ContractServer  # noqa: E402

INTRO = """\
<!-- Written by scripts/write_cli_reference.py: change the commands, then run it again. -->
# The command `llmlab`

`pip install llmlab-cli` (Python 3.8 or newer). The server adds its own commands (`llmlab up`) when
`llmlab-server` is installed beside it.

Data goes to stdout, messages to stderr. Every command but `up` has `--json`: money is text with
every digit, counts are numbers, keys are masked, and fields are only ever added. Colour is used on
terminals only and never alone; `NO_COLOR=1` turns it off. `llmlab --debug COMMAND` shows the
traceback of an error. `llmlab --install-completion` completes commands with Tab.

The outputs below are real ones, of a server with sample data.

## Settings

A flag wins over the environment, the environment over the config file, and that over the default.

| setting | flag | variable | default |
|---|---|---|---|
| `server` | `--server` (`init`) | `LLMLAB_SERVER` | `http://127.0.0.1:8484` |
| `api_key` | `--api-key-stdin` (`init`) | `LLMLAB_API_KEY` | none |
| `project` | `--project` | `LLMLAB_PROJECT` | all that the key may see |

The config file is `~/.llmlab/config.json`, or `config.json` in `LLMLAB_HOME`. Only you can read it
(mode 0600; on Windows the protection of your profile's folder applies).

## Exit codes

| code | meaning |
|---|---|
| 0 | done |
"""
# What each failure means, in words; the codes come from the classes.
EXIT_CODES = (
    (errors.Problem.exit_code, "an error; the message says which, and what to do"),
    (errors.BadUsage.exit_code, "the command line asks for something that can't be"),
    (errors.Unreachable.exit_code, "the server can't be reached, or can't answer now"),
    (errors.NotAuthenticated.exit_code, "no API key, or one that the server doesn't know"),
    (INTERRUPTED, "interrupted with Ctrl-C"),
)
NOT_A_NEWCOMERS = ("LLMLAB_", "VIRTUAL_ENV", "CONDA_PREFIX", "FORCE_COLOR", "COLUMNS")
# Command → what is typed for the outputs on the page.
SHOWN = {
    "init": (["init", "--yes"], ["init", "--yes", "--json"]),
    "status": (["status"], ["status", "--json"]),
    "price": (
        ["price", "gpt-4o-mini", "--input", "1450", "--cache-read", "1000", "--output", "345"],
        ["price", "gpt-4o-mini", "--input", "1450", "--json"],
    ),
    "prices list": (["prices", "list"],),
    "prices unpriced": (["prices", "unpriced"], ["prices", "unpriced", "--json"]),
    "prices drift": (["prices", "drift"],),
    "prices map": (["prices", "map", "azure/search-bot", "openai/gpt-4o-mini"],),
    "prices override": (
        ["prices", "override", "openai/gpt-4o", "--price", "input=2", "--price", "output=8"],
    ),
    "prices discount": (
        ["prices", "discount", "12.5", "--provider", "anthropic", "--from", "2026-04-01"],
    ),
    "prices close": (["prices", "close", "5b77aa02"],),
    "prices reprice": (
        ["prices", "reprice", "--dry-run"],
        ["prices", "reprice", "--dry-run", "--json"],
    ),
    "open": (["open", "--print"], ["open", "--print", "--json"]),
    "config list": (["config", "list"], ["config", "list", "--json"]),
    "config get": (["config", "get", "server"], ["config", "get", "server", "--json"]),
    "config set": (["config", "set", "project", "search", "--json"],),
}


def reference() -> str:
    """The whole page."""
    parts = [INTRO + "".join(f"| {code} | {words} |\n" for code, words in EXIT_CODES)]
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        try:
            parts += [_section(path, command, stage) for path, command in _commands()]
        finally:
            stage.server.close()
    return "\n".join(parts)


class Stage:
    """A newcomer's machine: a server, an empty home, a project with two client libraries."""

    def __init__(self, folder: Path) -> None:
        self.server = ContractServer()
        self.home, self.project = folder / "home", folder / "project"
        for name, version in (("openai", "3.54.0"), ("anthropic", "2.12.0"), ("llmlab", "0.1.0")):
            info = self.project / f".venv/lib/python3.11/site-packages/{name}-{version}.dist-info"
            info.mkdir(parents=True)
            (info / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
        (self.project / ".venv" / "pyvenv.cfg").touch()
        self.home.mkdir()
        config = {"server": self.server.url, "api_key": KEY}
        (self.home / "config.json").write_text(json.dumps(config))

    def output(self, arguments: list[str]) -> str:
        """What a command prints, with the addresses and folders of a real machine."""
        printed = io.StringIO()
        messages = io.StringIO() if "--json" in arguments else printed
        variables = {k: v for k, v in os.environ.items() if not k.startswith(NOT_A_NEWCOMERS)}
        variables["LLMLAB_HOME"] = str(self.home)
        with (
            patch.dict(os.environ, variables, clear=True),
            patch.object(sys, "stdin", io.StringIO()),
            chdir(self.project),
            redirect_stdout(printed),
            redirect_stderr(messages),
            suppress(SystemExit),
        ):
            app(arguments, prog_name="llmlab")
        address = "http://127.0.0.1:8484"
        places = {
            str(self.project.resolve()): "~/project",
            str(self.home): "~/.llmlab",
            f"{self.server.url}   ": f"{address:{len(self.server.url)}}   ",  # in a table
            self.server.url: address,
        }
        text = printed.getvalue()
        for here, there in places.items():
            text = text.replace(here, there)
        return "\n".join(line.rstrip() for line in text.splitlines())


def _commands() -> Iterator[tuple[str, Any]]:
    """Every command by its full name, ours first."""
    yield from _below(get_command(app), "")
    for name, command in plugged_commands().items():
        if isinstance(command, PluggedCommand):
            yield name, command.load()


def _below(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _below(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


def _section(path: str, command: Any, stage: Stage) -> str:
    needed = [each.name.upper() for each in command.params if each.required]
    lines = [f"## `{' '.join(['llmlab', path, *needed])}`", "", command.help.strip(), ""]
    rows = [_row(each) for each in command.params if each.name != "help"]
    lines += ["| argument | meaning |", "|---|---|", *rows, ""]
    for arguments in SHOWN.get(path, ()):
        typed = f"llmlab {' '.join(arguments)}"
        is_json = "--json" in arguments
        heading = [f"`{typed}` prints", "", "```json"] if is_json else ["```console", f"$ {typed}"]
        lines += [*heading, stage.output(arguments), "```", ""]
    return "\n".join(lines)


def _row(parameter: Any) -> str:
    names = [*parameter.opts, *parameter.secondary_opts]
    if parameter.param_type_name == "argument":
        names = [parameter.name.upper()]
    value = f" {parameter.metavar or parameter.name.upper()}" if _takes_value(parameter) else ""
    shown = ", ".join(f"`{name}{value}`" for name in names)
    default = parameter.default if _takes_value(parameter) else None
    suffix = f" Default: `{default}`." if default not in (None, "", 0) else ""
    return f"| {shown} | {(parameter.help or '').replace('|', '/')}{suffix} |"


def _takes_value(parameter: Any) -> bool:
    return parameter.param_type_name == "option" and not parameter.is_flag


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
