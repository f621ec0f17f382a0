"""Price files: the schema they follow, the contradictions they may not hold, and those we ship."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from llmlab_app.adapters.price_feed import bundled_price_feed
from llmlab_app.adapters.price_overlay import (
    ContradictoryPrices,
    PriceOverlay,
    bundled_price_overlay,
    load_overlay,
    price_folder,
)
from llmlab_app.domain.pricing import (
    Alias,
    ModelPrice,
    PriceBook,
    PriceRow,
    TokenClass,
    canonical_provider,
)

HEAD = """
provider: acme
sources:
  page: {text: Acme pricing, url: "https://acme.example/pricing", verified_on: 2026-11-23}
"""
TODAY = datetime(2026, 11, 23, tzinfo=UTC)


def overlay(folder: Path, text: str) -> PriceOverlay:
    (folder / "acme.yml").write_text(HEAD + text)
    return load_overlay(folder)


def price(folder: Path, text: str, model: str, at: datetime = TODAY) -> ModelPrice:
    found = PriceBook([overlay(folder, text)]).price_at(provider="acme", model=model, at=at)
    assert isinstance(found, ModelPrice), found
    return found


# What a file says


def test_a_number_is_the_decimal_that_was_written(tmp_path: Path) -> None:
    found = price(
        tmp_path, "prices:\n  - {models: m, usd_per_million: {input: 0.1}, source: page}", "m"
    )
    assert found.unit_prices["input"] == Decimal("0.1")


def test_a_fee_for_each_is_a_million_times_that_for_a_million(tmp_path: Path) -> None:
    found = price(
        tmp_path, "prices:\n  - {models: m, usd_each: {web_search: 0.01}, source: page}", "m"
    )
    assert found.unit_prices["web_search"] == 10_000


def test_a_day_begins_at_midnight_utc(tmp_path: Path) -> None:
    text = "prices:\n  - {models: m, from: 2026-01-01, usd_per_million: {input: 1}, source: page}"
    assert price(tmp_path, text, "m").effective_from == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_price_names_its_source_and_when_it_was_read(tmp_path: Path) -> None:
    text = "prices:\n  - {models: m, usd_per_million: {input: 1}, source: page, note: at launch}"
    found = price(tmp_path, text, "m")
    assert found.source == "Acme pricing (at launch)"
    assert found.source_url == "https://acme.example/pricing"
    assert str(found.verified_on) == "2026-11-23"


def test_a_step_keeps_what_it_does_not_replace(tmp_path: Path) -> None:
    text = """
prices:
  - models: m
    usd_per_million: {input: 1, output: 2}
    usd_each: {web_search: 1}
    above: {100: {input: 3}}
    source: page
"""
    book = PriceBook([overlay(tmp_path, text)])
    found = book.price_at(provider="acme", model="m", at=TODAY, input_tokens=101)
    assert isinstance(found, ModelPrice)
    assert found.unit_prices == {"input": 3, "output": 2, "web_search": 1_000_000}


def test_a_whole_name_goes_before_a_suffix_and_a_long_prefix_before_a_short_one(
    tmp_path: Path,
) -> None:
    text = """
prices:
  - {models: "*", usd_per_million: {input: 1}, source: page}
  - {models: m*, usd_per_million: {input: 2}, source: page}
  - {models: m-large*, usd_per_million: {input: 3}, source: page}
  - {models: "*:free", usd_per_million: {input: 4}, source: page}
  - {models: m-large:free, usd_per_million: {input: 5}, source: page}
"""
    names = ("other", "m-small", "m-large-2", "m-large-2:free", "m-large:free")
    prices = [price(tmp_path, text, name).unit_prices["input"] for name in names]
    assert prices == [1, 2, 3, 4, 5]


def test_the_star_of_an_alias_is_filled_in(tmp_path: Path) -> None:
    text = """
prices:
  - {models: m-1, usd_per_million: {input: 1}, source: page}
aliases:
  - {models: old/*, target: "*", source: page}
"""
    assert price(tmp_path, text, "old/m-1").model == "m-1"


def test_any_change_of_a_file_changes_the_version(tmp_path: Path) -> None:
    text = "prices:\n  - {models: m, usd_per_million: {input: 1}, source: page}"
    before = overlay(tmp_path, text).version
    assert overlay(tmp_path, text).version == before
    assert overlay(tmp_path, text.replace("1", "2")).version != before


# What a file may not say


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prices:\n  - {models: m, source: page}", "give prices, or free"),
        ("prices:\n  - {models: m, free: true, usd_each: {web_search: 1}, source: page}", "free"),
        ("prices:\n  - {models: m, usd_per_million: {input: -1}, source: page}", "greater than"),
        ("prices:\n  - {models: m, usd_per_million: {input: .nan}, source: page}", "finite"),
        (
            "prices:\n  - {models: m, usd_per_million: {input: 1}, source: nowhere}",
            "no such source",
        ),
        ("prices:\n  - {models: M, usd_per_million: {input: 1}, source: page}", "lower case"),
        ("prices:\n  - {models: a*b, usd_per_million: {input: 1}, source: page}", "at most one"),
        (
            "prices:\n  - {models: m, usd_per_million: {input: 1}, source: page, colour: red}",
            "extra",
        ),
        (
            "prices:\n  - {models: m, from: 2026-02-01, to: 2026-01-01, free: true, source: page}",
            "later than",
        ),
        (
            "prices:\n  - {models: m, from: 2026-02-01T10:00:00, free: true, source: page}",
            "needs a zone",
        ),
        (
            "prices:\n  - {models: m, hours: {start: 16:30, end: 18:00}, free: true, source: page}",
            "in quotes",
        ),
        (
            "prices:\n"
            "  - {models: m, usd_per_million: {input: 1}, above: {9: {output: 2}}, source: page}",
            "first step",
        ),
        ("factors:\n  - {models: m, name: n, factor: 0.5, source: page}", "one of tier"),
    ],
)
def test_a_file_that_breaks_the_schema_is_refused_with_the_reason(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(ValueError, match=says) as refusal:
        overlay(tmp_path, text)
    assert str(refusal.value).startswith("acme.yml: ")


def test_only_what_was_read_is_sure(tmp_path: Path) -> None:
    text = HEAD.replace(", verified_on: 2026-11-23", "") + "prices:\n  - {models: m, free: true"
    (tmp_path / "acme.yml").write_text(f"{text}, source: page, confidence: medium}}")
    assert load_overlay(tmp_path).providers == ("acme",)
    (tmp_path / "acme.yml").write_text(f"{text}, source: page}}")
    with pytest.raises(ValueError, match="was not read"):
        load_overlay(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        """
prices:
  - {models: m, to: 2026-02-01, usd_per_million: {input: 1}, source: page}
  - {models: m, from: 2026-01-01, usd_per_million: {input: 2}, source: page}
""",
        """
prices:
  - {models: m, hours: {start: "01:00", end: "04:00"}, usd_per_million: {input: 1}, source: page}
  - {models: m, hours: {start: "03:00", end: "05:00"}, usd_per_million: {input: 2}, source: page}
""",
        """
factors:
  - {models: m*, name: a, tier: batch, factor: 0.5, source: page}
  - {models: m*, name: b, tier: batch, factor: 0.6, source: page}
""",
        """
factors:
  - {models: m, name: a, regions: [us, eu], factor: 1.1, source: page}
  - {models: m, name: b, regions: [us], factor: 1.2, source: page}
""",
        """
fees:
  - {models: m, usd_each: {web_search: 1}, source: page}
  - {models: m, usd_each: {web_search: 2}, source: page}
""",
        """
aliases:
  - {models: m, target: a, source: page}
  - {models: m, from: 2026-01-01, target: b, source: page}
""",
    ],
)
def test_two_answers_to_one_question_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ContradictoryPrices, match="at once"):
        overlay(tmp_path, text)


def test_rows_that_follow_one_another_do_not_contradict(tmp_path: Path) -> None:
    text = """
prices:
  - {models: m, to: 2026-01-01, usd_per_million: {input: 1}, source: page}
  - {models: m, from: 2026-01-01, usd_per_million: {input: 2}, source: page}
  - {models: m, tier: batch, usd_per_million: {input: 1}, source: page}
  - models: m
    from: 2026-01-01
    hours: {start: "22:00", end: "02:00"}
    usd_per_million: {input: 1}
    source: page
  - models: m
    from: 2026-01-01
    hours: {start: "02:00", end: "04:00"}
    usd_per_million: {input: 3}
    source: page
"""
    assert price(tmp_path, text, "m", TODAY.replace(hour=3)).unit_prices["input"] == 3


def test_a_provider_has_one_file(tmp_path: Path) -> None:
    text = "prices:\n  - {models: m, free: true, source: page}"
    (tmp_path / "again.yml").write_text(HEAD + text)
    with pytest.raises(ContradictoryPrices, match="already has a file"):
        overlay(tmp_path, text)


def test_an_empty_folder_is_an_error_and_not_an_empty_price_list(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No price files"):
        load_overlay(tmp_path)


# What we ship


def test_the_shipped_files_follow_the_schema_and_do_not_contradict_themselves() -> None:
    assert len(bundled_price_overlay().providers) >= 15


def test_every_shipped_file_is_named_after_its_provider() -> None:
    named = {path.stem for path in price_folder().glob("*.yml")}
    assert named == set(bundled_price_overlay().providers)
    assert {canonical_provider(name) for name in named} == named


def test_no_shipped_price_has_real_bills_as_its_source() -> None:
    texts = " ".join(path.read_text() for path in price_folder().glob("*.yml"))
    assert "bill-cases" not in texts
    assert "corpora" not in texts


def test_every_shipped_alias_leads_to_a_price() -> None:
    shipped = bundled_price_overlay()
    book = PriceBook([shipped, bundled_price_feed()])
    lost = [
        (provider, pattern)
        for provider in shipped.providers
        for pattern, entry in shipped.entries(provider)
        if isinstance(entry, Alias) and "*" not in pattern
        for at in [entry.validity.start or datetime(2024, 1, 1, tzinfo=UTC)]
        if not isinstance(book.price_at(provider=provider, model=pattern, at=at), ModelPrice)
    ]
    assert lost == []


def test_shipped_cached_input_is_never_dearer_than_input() -> None:
    shipped = bundled_price_overlay()
    rows = [
        (pattern, step.unit_prices)
        for provider in shipped.providers
        for pattern, entry in shipped.entries(provider)
        if isinstance(entry, PriceRow)
        for step in entry.steps
    ]
    dear = [
        pattern
        for pattern, prices in rows
        if prices.get(TokenClass.CACHE_READ, Decimal(0)) > prices.get(TokenClass.INPUT, Decimal(1))
    ]
    assert len(rows) > 100
    assert dear == []
