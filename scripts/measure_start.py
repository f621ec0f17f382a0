"""From a clone to the first page: cold (nothing cached, empty HOME) and warm (again).

    python3 scripts/measure_start.py

Needs nothing but Python, and writes the section "Start" of docs/benchmarks.md.
"""

import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "benchmarks.md"
WARM_STARTS = 5
SECTION = """## Start

```sh
python3 scripts/measure_start.py
```

From `git clone` (cold) or from the command (warm) to the first page, as {user}.
Cold means an empty HOME: no package, no build and no database yet; the time holds the downloads.

| | measured | aim |
|---|--:|--:|
| cold: clone, `make up`, first page | {cold:.0f} s | ≤ 120 s |
| warm: `make up`, first page (median of {warm_starts}) | {warm:.1f} s | ≤ 5 s |
| Ctrl-C to the end of the last process (median) | {stop:.1f} s | |
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="llmlab-start-") as folder:
        place = Path(folder)
        place.chmod(0o755)  # as root another user runs the database inside
        checkout = place / "llmlab"
        began = time.monotonic()
        subprocess.run(["git", "clone", "--quiet", ROOT, checkout], check=True)
        with running(checkout, place):
            cold = time.monotonic() - began
        warm, stop = zip(*(warm_start(checkout, place) for _ in range(WARM_STARTS)), strict=True)
    section = SECTION.format(
        user="root" if os.geteuid() == 0 else "an ordinary user",
        cold=cold,
        warm=statistics.median(warm),
        warm_starts=WARM_STARTS,
        stop=statistics.median(stop),
    )
    print(section)
    replace_section(section)


def warm_start(checkout: Path, place: Path) -> tuple[float, float]:
    """Seconds to the first page, and from Ctrl-C to the end."""
    began = time.monotonic()
    with running(checkout, place):
        page = time.monotonic()
    return page - began, time.monotonic() - page


@contextmanager
def running(checkout: Path, place: Path) -> Iterator[None]:
    """`make up` of ``checkout``, from its first page on; ended by Ctrl-C."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {"PATH": os.environ["PATH"], "HOME": str(place), "LLMLAB_PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, "scripts/bootstrap.py", "up"], cwd=checkout, env=environment
    ) as process:
        while not serves(f"http://127.0.0.1:{port}/"):
            if process.poll() is not None:
                sys.exit(f"It ended with code {process.returncode}.")
            time.sleep(0.02)
        yield
        process.send_signal(signal.SIGINT)


def serves(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status == 200
    except OSError:
        return False


def replace_section(section: str) -> None:
    """Put ``section`` in the place of the one with the same heading, else at the end."""
    heading = section.split("\n", 1)[0]
    text = RESULTS.read_text()
    old = re.compile(rf"^{heading}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if old.search(text):
        text = old.sub(lambda _: section + "\n", text).rstrip() + "\n"
    else:
        text = f"{text.rstrip()}\n\n{section}"
    RESULTS.write_text(text)


if __name__ == "__main__":
    main()
