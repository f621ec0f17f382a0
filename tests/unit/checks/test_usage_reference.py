import re

from llmlab._usage.usage import ABOUT, COUNTS

from scripts.write_usage_reference import CONTRACTS, FAMILIES, PAGE, refreshed


def test_the_reference_says_what_is_read():
    written = PAGE.read_text(encoding="utf-8")
    assert written == refreshed(written), "Run: .venv/bin/python scripts/write_usage_reference.py"


def test_every_golden_file_is_in_the_reference():
    assert sorted(FAMILIES) == sorted(path.stem for path in CONTRACTS.glob("*.json"))


def test_every_attribute_and_unit_is_in_the_reference():
    written = set(re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8")))
    golden = "".join(path.read_text(encoding="utf-8") for path in CONTRACTS.glob("*.json"))
    units = set(re.findall(r'"(\w+)"', "".join(re.findall(r'"units": {([^}]*)}', golden))))
    assert {*COUNTS, *ABOUT, *units} <= written
