"""Everything from nothing: `python3 scripts/bootstrap.py up`, or `make up`.

Needs Python 3.11 or newer with pip, and the registries that pip and npm are set to. All that it
makes lies inside the checkout: `.boot` (uv), `.venv` (the environment), `.web` (the dashboard),
`.cache` (programs of the tests), `dist` (wheels).
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
UV = ROOT / ".boot" / "bin" / "uv"
UV_VERSION = "0.13.9"
# The dashboard is built again when one of these changes.
FRONTEND_INPUTS = (
    "rxconfig.py",
    "uv.lock",
    "assets",
    "reflex.lock",
    "llmlab_app/dashboard",
    "llmlab_app/llmlab_app.py",
)
FRONTEND_STAMP = ROOT / ".web" / "llmlab-inputs"
SILENT = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def up(args):
    """Start LLMLab: environment, database, dashboard, server (Ctrl-C stops it)."""
    frontend([])
    sys.stdout.flush()
    os.execv(BIN / "llmlab", ["llmlab", "up", *args])  # signals go straight to it


def test(args):
    """Run the whole test suite from nothing; ARGS go to pytest and leave out the coverage gate."""
    prepare_tests()
    # Files side by side, because many tests wait for processes that they have started.
    whole = ["--cov", "--cov-report=term", "--numprocesses=2", "--dist=loadfile"]
    run(BIN / "pytest", "-m", "not verify", *(args or whole))


def check(args):
    """Check style, types, import contracts, docs and lock files."""
    sync()
    run(BIN / "ruff", "check")
    run(BIN / "ruff", "format", "--check")
    run(BIN / "pyright")
    run(BIN / "lint-imports")
    run(BIN / "pytest", "-q", "tests/unit/checks", *args)


def verify(args):
    """Run what is too long for `test`: large volumes, soak, version matrix, chaos."""
    prepare_tests()
    run(BIN / "pytest", "-m", "verify", "--timeout=3600", *args)


def bench(_args):
    """Measure: the start (into docs/benchmarks.md), then everything in tests/benchmarks."""
    run(sys.executable, ROOT / "scripts" / "measure_start.py")
    prepare_tests()
    for script in sorted((ROOT / "tests" / "benchmarks").glob("[a-z]*.py")):
        run(BIN / "python", "-m", f"tests.benchmarks.{script.stem}")


def frontend(_args):
    """Build the dashboard, if something that it is made of has changed."""
    sync("--no-default-groups", "--group", "frontend", "--inexact")
    build_frontend()


def wheels(args):
    """Build the three wheels, the dashboard inside, into dist/ or the folder in ARGS."""
    frontend([])
    folder = Path(*args) if args else ROOT / "dist"
    for left_over in folder.glob("llmlab*.whl"):
        left_over.unlink()
    run(UV, "build", "--quiet", "--all-packages", "--wheel", "--out-dir", folder)


COMMANDS = {
    "up": up,
    "test": test,
    "check": check,
    "verify": verify,
    "bench": bench,
    "build-frontend": frontend,
    "wheels": wheels,
}


def prepare_tests():
    from chromium import ensure_chromium

    sync("--no-group", "check", "--inexact")
    build_frontend()
    programs = ensure_chromium(ROOT / ".cache" / "chromium", say)
    os.environ["PATH"] = os.pathsep.join([*map(str, programs), os.environ["PATH"]])


def sync(*options):
    """Bring `.venv` to what uv.lock says; when it is there already, that needs no network."""
    if not UV.exists():
        say("installing uv")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        run(*pip, "--root-user-action=ignore", "--target", ROOT / ".boot", f"uv=={UV_VERSION}")
    if not BIN.exists():
        say("installing the packages")
    os.environ["UV_PYTHON_DOWNLOADS"] = "never"
    os.environ.pop("VIRTUAL_ENV", None)
    run(UV, "sync", "--frozen", "--quiet", "--python", sys.executable, *options)


def build_frontend():
    """Export the dashboard to `.web`, unless it was made of these very inputs."""
    if FRONTEND_STAMP.exists() and FRONTEND_STAMP.read_text() == digest(FRONTEND_INPUTS):
        return
    say("building the dashboard (once, about half a minute)")
    FRONTEND_STAMP.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",  # bun comes with the environment
        **npm_registry(),
        "REFLEX_USE_SYSTEM_BUN": "true",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "REFLEX_CHECK_LATEST_VERSION": "false",
    }
    packages = ROOT / "reflex.lock" / "package.json"
    before = packages.read_text()
    run_quietly(BIN / "reflex", "export", "--frontend-only", "--no-zip", env=environment)
    if json.loads(packages.read_text()) == json.loads(before):
        packages.write_text(before)  # Reflex reformats it: no change that git should show
    FRONTEND_STAMP.write_text(digest(FRONTEND_INPUTS))  # only now: Reflex may update its lock


def npm_registry():
    """The registry that npm is set to, as a variable; without npm Reflex finds the public one."""
    if "NPM_CONFIG_REGISTRY" not in os.environ and (npm := shutil.which("npm")):
        asked = subprocess.run([npm, "config", "get", "registry"], capture_output=True, text=True)
        if asked.stdout.startswith("http"):
            return {"NPM_CONFIG_REGISTRY": asked.stdout.strip()}
    return {}


def digest(paths):
    """Hash of the names and contents of files and folders of the checkout."""
    found = hashlib.sha256()
    for top in (ROOT / path for path in paths):
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts:
                found.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()


def run(*command, **options):
    """Run a program in the checkout; if it fails, so do we, with its exit code."""
    code = subprocess.call([str(word) for word in command], cwd=ROOT, **options)
    if code:
        say(f"failed: {' '.join(str(word) for word in command)}")
        sys.exit(code)


def run_quietly(*command, env):
    """Run a program whose chatter matters only if it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        sys.stdout.write(done.stdout.decode(errors="replace"))
        say(f"failed: {' '.join(str(word) for word in command)}")
        sys.exit(done.returncode)


def say(message):
    print(f"llmlab: {message}", flush=True)


def newer_python():
    """A Python on the PATH that is new enough and has pip, the newest first; None without one."""
    for minor in range(19, OLDEST_PYTHON[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        # Asked to work: a version manager's shim may be there for a version that isn't.
        if found and not subprocess.call([found, "-m", "pip", "--version"], **SILENT):
            return found
    return None


def main():
    if sys.version_info < OLDEST_PYTHON:
        newer = newer_python()
        if not newer:
            sys.exit("LLMLab needs Python 3.11 or newer with pip; there is none on the PATH.")
        os.execv(newer, [newer, *sys.argv])
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print("make <target>, or python3 scripts/bootstrap.py <target>:\n")
        for name, command in COMMANDS.items():
            print(f"  {name:16}{command.__doc__}")
        sys.exit(len(sys.argv) > 1 and 2)
    try:
        COMMANDS[sys.argv[1]](sys.argv[2:])
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
