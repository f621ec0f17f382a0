"""Lock files are for everybody: they name no mirror, no private host and no path of a machine."""

import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[3]
PYTHON = (ROOT / "uv.lock").read_text()
JAVASCRIPT = [(ROOT / "reflex.lock" / name).read_text() for name in ("bun.lock", "package.json")]


def urls(text: str) -> set[str]:
    return set(re.findall(r"[a-z+]+://[^\"'\s]+", text))


def test_python_packages_come_from_one_public_index() -> None:
    sources = [package["source"] for package in tomllib.loads(PYTHON)["package"]]
    registries = {source["registry"] for source in sources if "registry" in source}
    others = [source for source in sources if "registry" not in source]
    assert len(registries) == 1
    assert all(set(source.values()) <= {".", "cli", "sdk"} for source in others)
    assert len({urlsplit(url).netloc for url in urls(PYTHON)}) == 2  # the index and its files
    assert all(re.fullmatch(r"https://[a-z.]+\.org/.*", url) for url in urls(PYTHON))


def test_javascript_packages_name_no_address() -> None:
    assert [urls(text) for text in JAVASCRIPT] == [set(), set()]
