"""The SDK on the oldest and the newest Python with their newest clients, and with very old ones.

Environments are made once, with uv or else venv and pip, and kept in `.cache/`. An interpreter is
used where it is found, never downloaded; in CI a missing one is a failure.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "sdk-matrix"
OLDEST = (3, 8)
NEWEST = (3, 13)
TOOLS = ["pytest>=8", "pytest-timeout>=2.3", "jsonschema>=4.20"]
MODERN = [
    "test_openai",
    "test_anthropic",
    "test_google_genai",
    "test_attribution",
    "test_client",
    "test_spool",
    "test_guest",
    "test_faults",
]
CASES = {
    "oldest": (OLDEST, ["openai", "anthropic"], MODERN),
    "newest": (NEWEST, ["openai", "anthropic", "google-genai"], MODERN),
    "legacy": (OLDEST, ["openai==0.28.1", "boto3"], ["legacy_openai", "legacy_bedrock"]),
}


def interpreter(version: tuple[int, int]) -> str | None:
    """The newest patch release of ``version`` here; for ``NEWEST`` anything later will do too."""
    found: list[tuple[list[int], str]] = []
    roots = [Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"]
    candidates = [
        path / "bin" / "python" for root in roots if root.is_dir() for path in root.iterdir()
    ]
    names = [f"python{version[0]}.{minor}" for minor in range(version[1], version[1] + 5)]
    candidates += [Path(found_at) for found_at in map(shutil.which, names) if found_at]
    for candidate in [*candidates, Path(sys.executable)]:
        told = version_of(candidate)
        if tuple(told[:2]) == version or (version == NEWEST and tuple(told[:2]) > version):
            found.append((told, str(candidate)))
    return max(found)[1] if found else None


def version_of(candidate: Path) -> list[int]:
    try:
        told = subprocess.run([candidate, "-V"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    return [int(part) for part in re.findall(r"\d+", told)[:3]]


def environment(python: str, requirements: list[str]) -> Path:
    """The interpreter of an environment with ``requirements`` and this SDK, built as a wheel."""
    version = ".".join(map(str, version_of(Path(python))))
    home = CACHE / f"{version}-{'-'.join(requirements)}"
    own = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    uv = shutil.which("uv") or str(ROOT / ".boot" / "bin" / "uv")
    has_uv = Path(uv).exists()
    install = (
        [uv, "pip", "install", "-q", "--python", str(own)] if has_uv else [str(own), "-m", "pip"]
    )
    install += [] if has_uv else ["install", "-q", "--disable-pip-version-check"]
    if not (home / "ready").exists():
        shutil.rmtree(home, ignore_errors=True)
        make = [uv, "venv", "-q", "--python", python] if has_uv else [python, "-m", "venv"]
        check(*make, str(home))
        check(*install, *TOOLS, *requirements)
        (home / "ready").touch()
    again = ["--reinstall-package", "llmlab"] if has_uv else ["--force-reinstall"]
    check(*install, *again, "--no-deps", str(ROOT / "sdk"))
    return own


def check(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("version", "clients", "suite"), CASES.values(), ids=CASES)
def test_sdk_works_on_this_python_with_these_clients(
    version: tuple[int, int], clients: list[str], suite: list[str]
) -> None:
    python = interpreter(version)
    if python is None:
        told = f"Python {version[0]}.{version[1]} is not on this machine: not run"
        assert not os.environ.get("CI"), told
        pytest.skip(told)
    own = environment(python, clients)
    files = [f"sdk/tests/{name}.py" for name in suite]
    options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(ROOT)]
    result = subprocess.run(
        [own, "-m", "pytest", *options, "--import-mode=importlib", "--tb=short", *files],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
