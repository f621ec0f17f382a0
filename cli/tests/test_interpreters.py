"""The same tests on the oldest and the newest Python found here; none is ever downloaded."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import pytest

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "interpreters"
OLDEST = (3, 8)
NEWEST_KNOWN = (3, 14)

pytestmark = pytest.mark.timeout(400)


def found_interpreters() -> dict[tuple[int, int], Path]:
    """Pythons on the PATH and of pyenv, by version; those that answer."""
    versions = [(3, minor) for minor in range(OLDEST[1], NEWEST_KNOWN[1] + 1)]
    return {version: path for version in versions for path in _answering(version)}


def _answering(version: tuple[int, int]) -> Iterator[Path]:
    name = "python{}.{}".format(*version)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    on_path = shutil.which(name)
    candidates = [*pyenv.glob(f"versions/*/bin/{name}"), *([Path(on_path)] if on_path else [])]
    for path in candidates:
        if subprocess.run([str(path), "-m", "venv", "-h"], capture_output=True).returncode == 0:
            yield path
            return


def environment_of(interpreter: Path) -> Path:
    """A cached environment with CLI, SDK and pytest; made again when their dependencies change."""
    projects = [ROOT / "sdk", ROOT / "cli"]
    content = b"".join((project / "pyproject.toml").read_bytes() for project in projects)
    place = CACHE / f"cli-{interpreter.name}-{hashlib.sha256(content).hexdigest()[:12]}"
    if not (place / "ready").exists():
        shutil.rmtree(place, ignore_errors=True)
        run(interpreter, "-m", "venv", place)
        editable = [word for project in projects for word in ("-e", project)]
        run(
            place / "bin/python",
            "-m",
            "pip",
            "install",
            "-q",
            *editable,
            "pytest",
            "pytest-timeout",
        )
        (place / "ready").touch()
    return place


def run(*command: object) -> str:
    done = subprocess.run(
        [str(word) for word in command], cwd=ROOT, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("which", ["oldest", "newest"])
def test_the_cli_passes_its_tests_on(which: str):
    found = found_interpreters()
    version = OLDEST if which == "oldest" else max(found, default=sys.version_info[:2])
    if version not in found:
        missing = "Python {}.{} is not on this machine: not run.".format(*version)
        assert "CI" not in os.environ, missing
        pytest.skip(missing)
    python = environment_of(found[version]) / "bin" / "python"
    tests = [str(path) for path in sorted(Path(__file__).parent.glob("test_*.py"))]
    tests.remove(__file__)
    options = ["-q", "-W", "error", "-c", os.devnull, "--rootdir", ROOT, "-p", "no:cacheprovider"]
    modules = ["--import-mode=importlib", "-o", f"pythonpath={ROOT}"]
    assert "passed" in run(python, "-m", "pytest", *options, *modules, *tests)
