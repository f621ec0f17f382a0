"""The code in the documentation runs, as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sdk.tests.loopback import IngestServer, Loopback

ROOT = Path(__file__).parents[2]
PAGES = {"docs/reference/sdk.md": 8, "sdk/README.md": 2}
"""Pages, and how many calls their examples record."""


@pytest.mark.parametrize(("page", "calls"), PAGES.items(), ids=PAGES)
def test_examples_of_the_page_run_in_order(
    page: str,
    calls: int,
    server: IngestServer,
    provider: Loopback,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"{provider.url}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    examples = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert examples
    names: dict[str, Any] = {"__name__": "documentation"}
    for example in examples:
        exec(compile(example, page, "exec"), names)
    names["client"].close()
    server.wait_for(calls)


def test_every_public_name_is_documented() -> None:
    import llmlab

    text = "".join((ROOT / page).read_text() for page in [*PAGES, "docs/reference/usage.md"])
    undocumented = [name for name in llmlab.__all__ if name not in text]
    assert undocumented == ["__version__"]


def test_every_setting_is_documented() -> None:
    """Whatever the SDK reads from the environment stands in the reference."""
    source = "".join(path.read_text() for path in (ROOT / "sdk" / "llmlab").rglob("*.py"))
    text = (ROOT / "docs/reference/sdk.md").read_text()
    assert [name for name in set(re.findall(r"LLMLAB_[A-Z_]+", source)) if name not in text] == []
