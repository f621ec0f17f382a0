"""The wheels as users get them: installed by pipx, started with an empty PATH."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.e2e.conftest import (
    ROOT,
    RunningServer,
    first_words,
    fresh_home,
    open_websocket,
    running,
)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the three wheels of this checkout."""
    folder = tmp_path_factory.mktemp("wheels")
    subprocess.run([sys.executable, "scripts/bootstrap.py", "wheels", folder], cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="module")
def installed(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program `llmlab`, installed by pipx from the wheels and nothing of the checkout."""
    home = tmp_path_factory.mktemp("pipx")
    (server,) = wheels.glob("llmlab_server-*.whl")
    subprocess.run(
        [
            *(sys.executable, "-m", "pipx", "install", "--python", sys.executable),
            *("--backend", "uv", f"--pip-args=--find-links {wheels}", server),
        ],
        env={
            **os.environ,
            "PATH": f"{ROOT / '.boot/bin'}{os.pathsep}{os.environ['PATH']}",
            "PIPX_HOME": str(home / "home"),
            "PIPX_BIN_DIR": str(home / "bin"),
            "PIPX_MAN_DIR": str(home / "man"),
        },
        check=True,
    )
    return home / "bin" / "llmlab"


@pytest.fixture(scope="module")
def installed_server(installed: Path) -> Iterator[RunningServer]:
    """`llmlab up` of the installation: no node, no bun, no shell on its PATH, and no checkout."""
    with (
        fresh_home() as home,
        running(home, command=(installed, "up"), inherited={"PATH": ""}) as server,
    ):
        yield server


def test_the_server_wheel_holds_all_that_a_checkout_has(wheels: Path) -> None:
    (wheel,) = wheels.glob("llmlab_server-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    checkout = subprocess.run(
        ["git", "ls-files", "llmlab_app", "jobs", "recommender", "alembic", "data"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    moved = {"data/": "llmlab_app/_data/", "alembic/": "llmlab_app/_site/alembic/"}
    for old, new in moved.items():
        checkout = [
            f"{new}{name[len(old) :]}" if name.startswith(old) else name for name in checkout
        ]
    assert set(checkout) - names == set()
    assert "llmlab_app/_site/web/build/client/index.html" in names


def test_the_installed_wheel_serves_everything_with_an_empty_path(
    installed_server: RunningServer,
) -> None:
    page = httpx2.get(installed_server.url, follow_redirects=True)
    assert page.status_code == 200
    assert "text/html" in page.headers["content-type"]
    assert httpx2.get(f"{installed_server.url}/api/health").json()["status"] == "ok"
    with open_websocket(installed_server) as websocket:
        assert first_words(websocket)["sid"]


def test_the_installed_wheel_prices_an_event(installed_server: RunningServer) -> None:
    event = {"model": "gpt-4o-mini", "usage": {"input_tokens": 1000, "output_tokens": 100}}
    answer = installed_server.request("POST", "/api/events/track", json=event).json()
    assert (answer["cost"], answer["cost_source"]) == ("0.00021", "computed")


def test_the_installed_command_line_talks_to_its_server(
    installed: Path, installed_server: RunningServer
) -> None:
    shown = subprocess.run(
        [installed, "status", "--json"],
        env={"PATH": "", "LLMLAB_HOME": str(installed_server.home)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert '"today"' in shown
