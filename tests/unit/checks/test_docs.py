"""Pages that people read: links lead somewhere, and closed lists are those of the code."""

import re
from pathlib import Path

import pytest

from llmlab_app.domain.access import Scope
from llmlab_app.domain.events import Charge, CostSource
from llmlab_app.domain.usage import USAGE_FIELDS

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")])
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_it(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("closed_list", [Charge, CostSource, Scope])
def test_the_glossary_names_every_value_of(closed_list: type) -> None:
    assert [value for value in closed_list if f"`{value}`" not in GLOSSARY] == []


def test_the_glossary_uses_no_other_names_for_tokens() -> None:
    named = set(re.findall(r"`(\w+_tokens)`", GLOSSARY))
    assert named <= set(USAGE_FIELDS)
