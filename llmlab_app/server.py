"""``llmlab up``: database → migrations → first-run set-up → one port, until Ctrl-C.

Two processes: this one owns the home's lock and the database, and waits; a granian worker, forked
from it, serves. Should this one be killed, the worker notices and ends by itself.
"""

import asyncio
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated, Any

import psycopg
import typer
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server
from pydantic import ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from llmlab_app.adapters.embedded_postgres import EmbeddedPostgres
from llmlab_app.adapters.home_lock import only_server_of
from llmlab_app.adapters.host_timezone import host_timezone
from llmlab_app.adapters.listen_address import free_address
from llmlab_app.adapters.logs import configure_logging
from llmlab_app.domain.errors import InvalidInput, LLMLabError, Unavailable
from llmlab_app.services import access, setup
from llmlab_app.settings import Settings, get_settings
from llmlab_app.storage.database import close_database, open_database
from llmlab_app.storage.migrations import migrate

# By name: it is imported in the worker, and by nobody else.
_APP = "llmlab_app.llmlab_app:make_asgi_app"
_OLDEST_POSTGRES = 15
_WATCH_SECONDS = 2
_DRAIN_SECONDS = 10  # for requests that are being answered when we stop


def up(
    host: Annotated[str | None, typer.Option(help="Listen here, not at LLMLAB_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Listen here, not at LLMLAB_PORT.")] = None,
) -> None:
    """Start the server and its dashboard on this machine; Ctrl-C stops it.

    Example: llmlab up --port 8585
    """
    configure_logging()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _run(_read_settings(host, port))
    except LLMLabError as error:
        typer.echo(f"✗ {error.detail}", err=True)
        raise typer.Exit(1) from None


def _run(settings: Settings) -> None:
    setup.check_bind(settings)
    site = _find_site()
    with only_server_of(settings.home, settings.local_url):
        address = free_address(settings.host, settings.port), settings.port
        with _database(settings) as url:
            start, link = asyncio.run(_make_ready(settings, url))
            _set_environment(settings, url, site)
            _serve(address, partial(_load_app, site, address, _welcome(settings, start, link)))
    typer.echo("Stopped.")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _read_settings(host: str | None, port: int | None) -> Settings:
    """The settings, with the command line over the environment.

    Raises:
        InvalidInput: a variable is not what it should be.
    """
    flags = {"LLMLAB_HOST": host, "LLMLAB_PORT": port}
    os.environ.update({name: str(value) for name, value in flags.items() if value is not None})
    try:
        return get_settings()
    except ValidationError as error:
        wrong = (f"LLMLAB_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise InvalidInput(f"{'; '.join(wrong)}. Change the environment.") from None


def _find_site() -> Path:
    """The folder with ``rxconfig.py``: inside the installed wheel, or the checkout.

    Raises:
        Unavailable: a checkout whose dashboard isn't built.
    """
    package = Path(__file__).resolve().parent
    site = package / "_site" if (package / "_site").is_dir() else package.parent
    if not (_web(site) / "build" / "client" / "index.html").exists():
        raise Unavailable(
            "The dashboard isn't built. Run `make build-frontend`, or start with `make up`.",
            code="dashboard_not_built",
        )
    return site


def _web(site: Path) -> Path:
    return site / "web" if site.name == "_site" else site / ".web"


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    """URL of the database to use; the embedded one runs as long as the block."""
    if settings.database_url is None:
        database = EmbeddedPostgres(settings.home)
        with database as url, _kept_alive(database):
            yield url
    else:
        url = settings.database_url.get_secret_value()
        _check_postgres(url)
        yield url


@contextmanager
def _kept_alive(database: EmbeddedPostgres) -> Iterator[None]:
    """Look after the database every two seconds; the worker reconnects by itself."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_WATCH_SECONDS):
            try:
                database.revive()
            except LLMLabError as error:
                typer.echo(f"✗ {error.detail}", err=True)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _check_postgres(url: str) -> None:
    """Pass if a PostgreSQL that is new enough answers at ``url``.

    Raises:
        InvalidInput: it is too old, or the URL isn't one of PostgreSQL.
        Unavailable: no answer, or a refusal.
    """
    try:
        libpq_url = make_url(url).set(drivername="postgresql")
        with psycopg.connect(libpq_url.render_as_string(False), connect_timeout=10) as connection:
            version = connection.info.server_version // 10_000
    except ArgumentError as error:
        raise InvalidInput(
            "LLMLAB_DATABASE_URL isn't a URL. Write postgresql://user:password@host:5432/name."
        ) from error
    except psycopg.Error as error:
        raise Unavailable(
            f"The database of LLMLAB_DATABASE_URL does not answer: {' '.join(str(error).split())}",
            code="database_unavailable",
        ) from error
    if version < _OLDEST_POSTGRES:
        raise InvalidInput(
            f"LLMLAB_DATABASE_URL names a PostgreSQL {version}; LLMLab needs {_OLDEST_POSTGRES} "
            "or newer."
        )


async def _make_ready(settings: Settings, url: str) -> tuple[setup.Start, str]:
    """Migrate, prepare the first use, and make a link that signs the owner in."""
    await migrate(url)
    open_database(url)
    now = datetime.now(UTC)
    try:
        start = await setup.prepare(settings, timezone=host_timezone(), now=now)
        return start, await access.mint_setup_link(now)
    finally:
        await close_database()


def _welcome(settings: Settings, start: setup.Start, link: str) -> str:
    """What we print as soon as the port answers."""
    url = (settings.public_url or settings.local_url).rstrip("/")
    lines = [f"LLMLab runs at {url}", f"Sign in (once, within an hour): {url}{link}"]
    if start.config_file:
        lines.append(f"CLI and SDK on this machine are set up: {start.config_file}")
    if start.api_key:
        lines.append(f"Your API key, shown only now: {start.api_key}")
    return "\n".join([*lines, "Ctrl-C stops it."])


def _set_environment(settings: Settings, url: str, site: Path) -> None:
    """Tell the worker what we found out; it changes the directory, so paths become absolute."""
    os.environ.update(
        {
            "LLMLAB_DATABASE_URL": url,
            "LLMLAB_HOME": str(settings.home.absolute()),
            "REFLEX_ENV_MODE": "prod",
            "REFLEX_TELEMETRY_ENABLED": "false",
            "REFLEX_WEB_WORKDIR": str(_web(site)),
            # Internal to Reflex, which is why its version is pinned: serve what was built.
            "__REFLEX_SKIP_COMPILE": "true",
            "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
        }
    )
    if settings.owner_password_file:
        os.environ["LLMLAB_OWNER_PASSWORD_FILE"] = str(settings.owner_password_file.absolute())
    if "REFLEX_REDIS_URL" not in os.environ:
        os.environ["REFLEX_STATE_MANAGER_MODE"] = "memory"  # its default writes files here
    get_settings.cache_clear()


def _serve(address: tuple[str, int], load_app: Callable[[], Any]) -> None:
    """Serve until a signal comes; the process exits with code 1 if the worker breaks."""
    server = Server(
        _APP,
        *address,
        interface=Interfaces.ASGI,
        workers=1,
        workers_kill_timeout=_DRAIN_SECONDS,
        log_level=LogLevels.warning,
    )
    # granian reloads when the terminal is closed; we end, or go on if started with nohup.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        server.on_startup(lambda: signal.signal(signal.SIGHUP, server.signal_handler_interrupt))
    server.serve(target_loader=load_app, wrap_loader=False)


def _load_app(site: Path, address: tuple[str, int], welcome: str) -> Any:
    """The ASGI app, in the worker. Reflex looks for ``rxconfig.py`` in the current directory."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the parent decides what a hang-up means
    _in_background(_end_with_parent)
    configure_logging()
    os.chdir(site)
    make_asgi_app = resolve_name(_APP)
    _in_background(_announce, address, welcome)
    return make_asgi_app()


def _in_background(function: Callable[..., None], *arguments: Any) -> None:
    threading.Thread(target=function, args=arguments, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _announce(address: tuple[str, int], welcome: str) -> None:
    """Print ``welcome`` when the port answers: whoever reads the address may use it."""
    while True:
        try:
            socket.create_connection(address, timeout=1).close()  # 0.0.0.0 reaches us, too
        except OSError:
            time.sleep(0.02)
        else:
            break
    typer.echo(welcome)
