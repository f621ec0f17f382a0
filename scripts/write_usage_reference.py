"""Fill the tables of docs/reference/usage.md from the reader's own tables and the golden cases.

A test in tests/unit/checks fails while the page is older than the code or the contracts.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from llmlab._usage.about import TIERS
from llmlab._usage.gemini import PARTS
from llmlab._usage.openai import BESIDE_DETAILS, INPUT_DETAILS, OUTPUT_DETAILS

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "usage.md"
CONTRACTS = ROOT / "contracts" / "usage"
FAMILIES = ("openai", "streams", "anthropic", "gemini", "bedrock", "compatible", "none")


def refreshed(page: str) -> str:
    """``page`` with every marked table as it should be."""
    tables = {"names": _names(), "gemini": _gemini(), "tiers": _tiers(), "cases": _cases()}
    for mark, table in tables.items():
        block = re.compile(f"(<!-- {mark} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = block.sub(lambda found, table=table: found[1] + table + found[2], page)
    return page


def _names() -> str:
    places = {
        "the input's details": INPUT_DETAILS,
        "the output's details": OUTPUT_DETAILS,
        "the usage itself": BESIDE_DETAILS,
    }
    rows = [
        (f"`{wire}`", place, f"`{ours}`")
        for place, names in places.items()
        for wire, ours in names.items()
    ]
    return _table(("on the wire", "in", "becomes"), rows)


def _gemini() -> str:
    rows = [(f"`{wire}`", part.replace("_", " ")) for wire, part in PARTS.items()]
    return _table(("on the wire", "is"), rows)


def _tiers() -> str:
    rows = [(f"`{word}`", f"`{tier}`") for word, tier in TIERS.items() if word != tier]
    return _table(("provider says", "event says"), rows)


def _cases() -> str:
    return "\n".join(
        f"### {family}.json\n\n{_table(('case', 'why'), _cases_of(family))}" for family in FAMILIES
    )


def _cases_of(family: str) -> Iterator[tuple[str, str]]:
    cases = json.loads((CONTRACTS / f"{family}.json").read_text(encoding="utf-8"))["cases"]
    for case in cases:
        yield case["name"].replace("_s_", "'s ").replace("_", " "), case.get("why", "")


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(refreshed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
