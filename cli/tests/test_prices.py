from __future__ import annotations

import json
from typing import Any

import pytest

from cli.tests.conftest import Run
from cli.tests.contract_server import (
    DISCOUNT,
    DRIFT,
    MAPPING,
    OVERRIDE,
    REPRICED,
    UNPRICED,
    ContractServer,
)


def test_list_shows_who_pays_what_since_when(server: ContractServer, run: Run):
    printed = run("prices", "list")
    assert printed.code == 0
    for words in (
        "openai/gpt-4o",
        "input $2.00, output $8.00 per 1M",
        "12.5 % off",
        "priced as openai/gpt-4o-mini",
        "2026-11-01",
    ):
        assert words in printed.out


def test_list_json_has_every_field_of_the_server(server: ContractServer, run: Run):
    listed = json.loads(run("prices", "list", "--json").out)
    assert listed == {"overrides": [OVERRIDE], "discounts": [DISCOUNT], "mappings": [MAPPING]}


def test_closed_terms_are_listed_only_when_asked_for(server: ContractServer, run: Run):
    closed = {**DISCOUNT, "closed_at": "2026-11-02T00:00:00Z"}
    server.answers["GET /api/prices/discounts"] = (200, {"data": [closed]})
    assert "12.5 %" not in run("prices", "list").out
    assert "12.5 %" in run("prices", "list", "--all").out


def test_without_terms_list_says_that_list_prices_are_paid(server: ContractServer, run: Run):
    for kind in ("overrides", "discounts", "mappings"):
        server.answers[f"GET /api/prices/{kind}"] = (200, {"data": []})
    printed = run("prices")
    assert (printed.code, printed.out) == (0, "")
    assert "list prices" in printed.err


def test_unpriced_names_model_reason_and_the_way_out(server: ContractServer, run: Run):
    printed = run("prices", "unpriced")
    for words in ("azure/search-bot", "unknown model", "41", "81.2k", "2026-11-22"):
        assert words in printed.out
    assert "llmlab prices map azure/search-bot" in printed.err
    assert json.loads(run("prices", "unpriced", "--json").out) == UNPRICED


def test_drift_shows_reported_beside_computed_cost(server: ContractServer, run: Run):
    printed = run("prices", "drift", "--since", "2026-11-01")
    for words in ("openrouter/openai/gpt-4o", "812", "$12.34", "$12.10", "−$0.24"):
        assert words in printed.out
    assert server.sent("/api/prices/drift")[0].query == {"since": ["2026-11-01"]}
    assert json.loads(run("prices", "drift", "--json").out) == DRIFT


def test_map_sends_both_names_and_says_how_to_price_older_calls(server: ContractServer, run: Run):
    printed = run("prices", "map", "azure/team-chat", "openrouter/openai/gpt-4o")
    assert printed.code == 0
    assert server.sent("/api/prices/mappings")[0].body == {
        "provider": "azure",
        "model": "team-chat",
        "target_provider": "openrouter",
        "target_model": "openai/gpt-4o",
    }
    assert "llmlab prices reprice --model team-chat --dry-run" in printed.err


def test_override_sends_each_price_and_the_day_it_holds_from(server: ContractServer, run: Run):
    command = ["prices", "override", "openai/gpt-4o", "--price", "input=2", "--price", "output=8"]
    assert run(*command, "--from", "2026-11-01").code == 0
    assert server.sent("/api/prices/overrides")[0].body == {
        "provider": "openai",
        "model": "gpt-4o",
        "unit_prices_per_million": {"input": "2", "output": "8"},
        "note": "",
        "effective_from": "2026-11-01T00:00:00Z",
    }


def test_discount_sends_its_share_and_scope(server: ContractServer, run: Run):
    assert run("prices", "discount", "12.5", "--provider", "anthropic").code == 0
    body = server.sent("/api/prices/discounts")[0].body
    assert body == {"percent": "12.5", "provider": "anthropic", "note": ""}


def test_what_a_new_term_closes_is_said(server: ContractServer, run: Run):
    server.answers["POST /api/prices/discounts"] = (201, {**DISCOUNT, "closed": ["an-older-one"]})
    assert "an-older-one" in run("prices", "discount", "20").err


def test_close_finds_a_term_by_the_start_of_its_id(server: ContractServer, run: Run):
    printed = run("prices", "close", "5b77", "--until", "2026-11-30", "--json")
    assert json.loads(printed.out) == {"id": DISCOUNT["id"], "kind": "discount", "closed": True}
    [sent] = [each for each in server.requests if each.method == "DELETE"]
    assert sent.path == f"/api/prices/discounts/{DISCOUNT['id']}"
    assert sent.query == {"until": ["2026-11-30T00:00:00Z"]}


def test_close_refuses_an_id_that_names_none_or_several(server: ContractServer, run: Run):
    server.answers["GET /api/prices/mappings"] = (200, {"data": [{**MAPPING, "id": "5b77zz"}]})
    assert run("prices", "close", "5b77").code == 1
    assert run("prices", "close", "nothing").code == 1
    assert not [each for each in server.requests if each.method == "DELETE"]


def test_reprice_dry_run_shows_each_month_and_changes_nothing(server: ContractServer, run: Run):
    printed = run("prices", "reprice", "--dry-run", "--model", "team-chat", "--unpriced")
    assert printed.code == 0
    for words in ("2026-11", "41", "$310.20", "$271.43", "−$38.78", "2026-08", "closed"):
        assert words in printed.out
    assert "--month 2026-08" in printed.err
    [sent] = server.sent("/api/prices/reprice")
    filters = {"model": "team-chat", "cost_source": "unpriced"}
    assert sent.body == {"filters": filters, "months": [], "dry_run": True}


def test_reprice_asks_a_script_for_yes(server: ContractServer, run: Run):
    refused = run("prices", "reprice")
    assert (refused.code, server.requests) == (2, [])
    assert "--yes" in refused.err


def test_reprice_with_yes_previews_then_changes(server: ContractServer, run: Run):
    printed = run("prices", "reprice", "--yes", "--month", "2026-08", "--since", "2026-08-01")
    assert printed.code == 0
    first, second = server.sent("/api/prices/reprice")
    assert (first.body["dry_run"], second.body["dry_run"]) == (True, False)
    assert second.body["months"] == ["2026-08"]
    assert second.body["since"] == "2026-08-01"
    assert "re-priced" in printed.err


def test_reprice_changes_nothing_if_nothing_would_change(server: ContractServer, run: Run):
    server.answers["POST /api/prices/reprice"] = (200, {**REPRICED, "months": []})
    printed = run("prices", "reprice", "--yes")
    assert "No cost would change" in printed.err
    assert len(server.sent("/api/prices/reprice")) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["map", "team-chat", "openai/gpt-4o"],
        ["map", "azure/team-chat", "gpt-4o"],
        ["override", "openai/gpt-4o", "--price", "2"],
        ["discount", "10", "--from", "spring"],
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(
    server: ContractServer, run: Run, arguments: list[Any]
):
    assert run("prices", *arguments).code == 2
    assert server.requests == []
