from __future__ import annotations

import json

from cli.tests.conftest import Run
from cli.tests.contract_server import QUOTE, ContractServer


def test_price_prints_a_receipt_whose_total_is_exact(server: ContractServer, run: Run):
    printed = run("price", "gpt-4o-mini", "--input", "1450", "--output", "345")
    assert printed.code == 0
    for words in ("cache read", "$0.075", "$0.0000675", "$0.0003495"):
        assert words in printed.out
    assert "2024-07-18" in printed.err
    assert "https://openai.com/api/pricing" in printed.err


def test_price_sends_only_what_was_asked(server: ContractServer, run: Run):
    run("price", "gpt-4o", "--input", "1450", "--cache-read", "1000", "--tier", "batch")
    usage = {
        "input_tokens": 1450,
        "output_tokens": 0,
        "cache_read_tokens": 1000,
        "cache_write_tokens": 0,
    }
    body = server.sent("/api/prices/quote")[0].body
    assert body == {"model": "gpt-4o", "usage": usage, "service_tier": "batch"}


def test_price_json_is_the_servers_answer(server: ContractServer, run: Run):
    assert json.loads(run("price", "gpt-4o-mini", "--json").out) == QUOTE


def test_an_unknown_model_has_no_price_and_is_not_free(server: ContractServer, run: Run):
    quote = {"cost": None, "currency": "USD", "cost_source": "unpriced", "lines": []}
    quote["detail"] = "No price is known for llama-x."
    server.answers["POST /api/prices/quote"] = (200, quote)
    printed = run("price", "llama-x", "--input", "10")
    assert (printed.code, printed.out) == (0, "llama-x: no price\n")
    assert "not $0: it is unknown" in printed.err


def test_price_of_a_day_is_asked_at_its_midnight(server: ContractServer, run: Run):
    run("price", "gpt-4o", "--at", "2025-01-31")
    assert server.sent("/api/prices/quote")[0].body["at"] == "2025-01-31T00:00:00Z"
    assert run("price", "gpt-4o", "--at", "yesterday").code == 2


def test_negative_tokens_are_a_usage_error(server: ContractServer, run: Run):
    assert run("price", "gpt-4o", "--input=-1").code == 2
    assert server.requests == []


def test_a_price_of_your_own_terms_says_so(server: ContractServer, run: Run):
    agreed = {"price_source": "list", "factors": {"discount of 10 %": "0.9"}}
    server.answers["POST /api/prices/quote"] = (200, {**QUOTE, "agreed": agreed})
    assert "discount of 10 %" in run("price", "gpt-4o-mini", "--input", "1450").err
    assert "own terms" not in run("price", "gpt-4o-mini", "--json").err
