"""Any connected client can send any event: a page that is hidden is no protection."""

import ast
from pathlib import Path

from llmlab_app.dashboard import state

ASKS_WHO = {"visitor", "_load"}
OPEN_TO_ALL = {"login.py:open"}  # what the sign-in page says before anybody signed in


def handlers() -> dict[str, ast.AsyncFunctionDef | ast.FunctionDef]:
    found = {}
    for path in Path(state.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and any(
                ast.unparse(decorator).startswith("rx.event") for decorator in node.decorator_list
            ):
                found[f"{path.name}:{node.name}"] = node
    return found


def called_by(function: ast.AST) -> set[str]:
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return {ast.unparse(name).split(".")[-1] for name in calls}


def test_every_handler_asks_who_is_there() -> None:
    found = handlers()
    assert len(found) >= 6
    careless = {name for name, node in found.items() if not called_by(node) & ASKS_WHO}
    assert careless == OPEN_TO_ALL


def test_loading_the_overview_asks_who_is_there() -> None:
    source = (Path(state.__path__[0]) / "overview.py").read_text()
    load = next(
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.AsyncFunctionDef) and node.name == "_load"
    )
    assert "watch" in called_by(load)  # which authenticates, see tests/integration/dashboard
