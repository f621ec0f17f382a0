"""``config.json`` in LLMLab's home, which SDK and CLI read: which server, with what key."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any, cast

from llmlab_app.domain.errors import InvalidInput


def read_config(path: Path) -> dict[str, Any]:
    """What the file says; empty if there is none.

    Raises:
        InvalidInput: it can't be read, or isn't a JSON object.
    """
    try:
        content: object = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _unusable(path, str(error)) from error
    if not isinstance(content, dict):
        raise _unusable(path, "it holds no JSON object")
    return cast("dict[str, Any]", content)


def write_config(path: Path, content: dict[str, Any]) -> None:
    """Replace the file in one step: 0600, in a directory made 0700 if there is none.

    Raises:
        InvalidInput: it can't be written; the old file is then untouched.
    """
    try:
        _replace(path.resolve(), json.dumps(content, indent=2) + "\n")
    except OSError as error:
        raise _unusable(path, str(error)) from error


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=".config-")  # 0600 from birth
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink()
        raise


def _unusable(path: Path, why: str) -> InvalidInput:
    return InvalidInput(
        f"{path} can't be used: {why}. Mend it by hand, or move it away.",
        code="config_file_unusable",
    )
