"""The recommender computes and does nothing else: no I/O, no clock, no randomness of its own."""

import ast
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "recommender"
ALLOWED = {
    "collections",
    "dataclasses",
    "decimal",
    "llmlab_app.domain",
    "numpy",
    "pandas",
    "recommender",
    "sklearn",
    "statistics",
    "typing",
    "uuid",
}
FORBIDDEN_CALLS = {
    "open",
    "now",
    "utcnow",
    "today",
    "time",
    "print",
    "input",
    "eval",
    "exec",
    "seed",
}


def test_the_recommender_imports_nothing_that_could_do_io() -> None:
    for file, tree in trees():
        for name in imports(tree):
            package = ".".join(name.split(".")[: 2 if name.startswith("llmlab_app") else 1])
            assert package in ALLOWED, f"{file.name} imports {name}"


def test_the_recommender_reads_no_clock_and_no_file() -> None:
    for file, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                assert called(node) not in FORBIDDEN_CALLS, f"{file.name}:{node.lineno}"


def trees() -> Iterator[tuple[Path, ast.Module]]:
    files = sorted(FOLDER.glob("*.py"))
    assert len(files) > 4
    for file in files:
        yield file, ast.parse(file.read_text())


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def called(node: ast.Call) -> str:
    return getattr(node.func, "attr", "") or getattr(node.func, "id", "")
