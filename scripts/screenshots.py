"""Pictures of every page for the documentation, on sample data: ``python scripts/screenshots.py``.

Starts a server with a home of its own, so nothing of yours is shown or touched. Needs the built
dashboard (``make build-frontend``) and Chromium (``make test`` fetches it).
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402

from scripts.chromium import NAMES  # noqa: E402
from scripts.sample_usage import sample_events, send  # noqa: E402

FOLDER = ROOT / "docs" / "screenshots"
PORT = 8487
URL = f"http://127.0.0.1:{PORT}"
WIDTHS = {1280: 832, 320: 640}
# The page itself scrolls away under the bar at the bottom; for a picture of all of it, it stays.
STILL = ".tabs-bottom, .top { position: static !important } .side-in { height: auto !important }"
READY = {
    "overview": ".donut circle",
    "first-run": ".code",
    "receipt": ".receipt",
    "sign-in": ".auth h1",
}


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    with server() as home, browser() as chromium:
        key = json.loads((home / "config.json").read_text())["api_key"]
        session = signed_in(chromium, key)
        for picture in pictures(
            chromium, session, {"first-run": "/first-run", "sign-in": "/login"}
        ):
            print(picture)
        send(URL, key, sample_events(datetime.now(UTC)))
        call = ask(key, "/api/events?model=claude-sonnet-4-5&limit=1")["data"][0]
        pages = {"overview": "/", "receipt": f"/calls/{call['id']}"}
        for picture in pictures(chromium, session, pages):
            print(picture)


@contextmanager
def server():
    """`llmlab up` on an empty home; gives the home."""
    with tempfile.TemporaryDirectory(prefix="llmlab-pictures-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        inherited = {name: value for name, value in os.environ.items() if "LLMLAB" not in name}
        environment = {"LLMLAB_HOME": folder, "LLMLAB_PORT": str(PORT), "TZ": "Europe/Berlin"}
        command = [Path(sys.executable).with_name("llmlab"), "up"]
        with subprocess.Popen(
            command, env={**inherited, **environment}, stdout=subprocess.PIPE, text=True
        ) as process:
            while not (line := process.stdout.readline()).startswith("Ctrl-C"):
                if not line:
                    sys.exit("The server did not start.")
            yield home
            process.terminate()


@contextmanager
def browser():
    found = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


def signed_in(chromium, key):
    """The cookies of a browser that has followed a set-up link."""
    context = chromium.new_context()
    context.request.get(URL + ask(key, "/api/setup-links", method="POST")["path"])
    return context.storage_state()


def ask(key, path, method="GET"):
    headers = {"Authorization": f"Bearer {key}"}
    request = urllib.request.Request(URL + path, method=method, headers=headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def pictures(chromium, session, pages):
    for name, path in pages.items():
        for theme in ("light", "dark"):
            for width, height in WIDTHS.items():
                context = chromium.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme=theme,
                    storage_state=session,
                    reduced_motion="reduce",
                )
                page = context.new_page()
                page.goto(URL + path)
                page.locator(READY[name]).first.wait_for()
                page.wait_for_timeout(500)
                if width < 1024:
                    page.add_style_tag(content=STILL)
                file = FOLDER / f"{name}-{width}-{theme}.png"
                page.screenshot(path=file, full_page=True)
                context.close()
                yield file.relative_to(ROOT)


if __name__ == "__main__":
    main()
