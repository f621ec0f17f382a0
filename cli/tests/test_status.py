from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from cli.tests.conftest import Run
from cli.tests.contract_server import COSTS, SUMMARY, ContractServer, period, spend


def test_status_shows_the_four_periods_and_their_models(server: ContractServer, run: Run):
    shown = run("status")
    assert (shown.code, shown.err) == (0, "")
    for words in ("$12.34", "$12.35", "$410.16", "$1,234.56", "gpt-4o", "4.1M", "Europe/Berlin"):
        assert words in shown.out


def test_change_names_the_period_it_is_compared_with(server: ContractServer, run: Run):
    out = run("status").out
    assert "▲ from $10.02" in out
    assert "▼ from $50.10" in out
    assert "last month by now" in out


def test_a_period_without_a_past_says_so(server: ContractServer, run: Run):
    summary = {**SUMMARY, "month": period("5", 1, "2026-11-01", "0")}
    server.answers["GET /api/costs/summary"] = (200, summary)
    assert "▲ from nothing" in run("status").out


def test_unpriced_calls_are_named_and_never_zero(server: ContractServer, run: Run):
    out = run("status").out
    assert "no price" in next(line for line in out.splitlines() if "llama-x" in line)
    assert "41 calls have no price. They are left out of every total." in out


def test_a_tiny_cost_is_not_rounded_to_zero(server: ContractServer, run: Run):
    line = next(line for line in run("status").out.splitlines() if "claude" in line)
    assert "<$0.01" in line


def test_json_keeps_every_digit_of_the_server(server: ContractServer, run: Run):
    printed = json.loads(run("status", "--json").out)
    assert printed["summary"] == SUMMARY
    assert printed["costs"] == COSTS
    assert printed["by"] == ["model"]
    assert printed["server"] == server.url


@pytest.mark.parametrize(
    ("since", "start"), [("1d", "2026-11-23"), ("30d", "2026-10-25"), ("2w", "2026-11-10")]
)
def test_days_count_with_today_in_the_workspaces_zone(
    server: ContractServer, run: Run, since: str, start: str
):
    run("status", "--since", since)
    assert server.sent("/api/costs")[0].query == {"group_by": ["model"], "since": [start]}


def test_hours_are_counted_back_from_now(server: ContractServer, run: Run):
    run("status", "--since", "24h")
    (asked,) = server.sent("/api/costs")[0].query["since"]
    start = datetime.strptime(asked, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    assert abs(datetime.now(timezone.utc) - timedelta(hours=24) - start) < timedelta(minutes=1)


def test_two_dimensions_and_a_day_are_passed_on(server: ContractServer, run: Run):
    row = {"key": {"provider": "openai", "tag:team": None}, **spend("1", 1)}
    server.answers["GET /api/costs"] = (200, {**COSTS, "data": [row]})
    out = run("status", "--by", "provider", "--by", "tag:team", "--since", "2026-11-01").out
    query = server.sent("/api/costs")[0].query
    assert query == {"group_by": ["provider", "tag:team"], "since": ["2026-11-01"]}
    assert "By provider and tag:team since 2026-11-01" in out
    assert "not set" in out


def test_rows_beyond_the_limit_are_counted(server: ContractServer, run: Run):
    out = run("status", "--limit", "1").out
    assert "2 more: --limit 3" in out
    assert "llama-x" not in out


def test_days_are_shown_newest_first(server: ContractServer, run: Run):
    days = [("2026-11-21", "9"), ("2026-11-23", "1"), ("2026-11-22", "5")]
    rows = [{"key": {"day": day}, **spend(cost, 1)} for day, cost in days]
    server.answers["GET /api/costs"] = (200, {**COSTS, "data": rows})
    out = run("status", "--by", "day").out
    assert out.index("2026-11-23") < out.index("2026-11-22") < out.index("2026-11-21")


def test_a_long_name_is_never_cut_off(
    server: ContractServer, run: Run, monkeypatch: pytest.MonkeyPatch
):
    row = {"key": {"model": "m" * 150 + "end"}, **spend("1", 1)}
    server.answers["GET /api/costs"] = (200, {**COSTS, "data": [row]})
    assert "m" * 150 + "end" in run("status").out


def test_a_workspace_without_calls_says_so(server: ContractServer, run: Run):
    nothing = period("0", 0, "2026-11-23", "0")
    empty = dict.fromkeys(("today", "week", "month", "all_time"), nothing)
    server.answers["GET /api/costs/summary"] = (200, {**SUMMARY, **empty})
    server.answers["GET /api/costs"] = (200, {"data": [], "total": spend(), "source": "rollup"})
    shown = run("status")
    assert shown.code == 0
    assert "No calls in the last 30 days." in shown.out


def test_project_is_sent_with_every_question(server: ContractServer, run: Run):
    assert "project search" in run("status", "--project", "search").out
    assert {request.project for request in server.requests} == {"search"}


def test_only_hostile_free_text_reaches_the_terminal(server: ContractServer, run: Run):
    name = "[bold]gpt[/bold]\x1b[2J\x07:smile:\u202eevil\u2028\x9b31m"
    row = {"key": {"model": name}, **spend("1", 1)}
    server.answers["GET /api/costs"] = (200, {**COSTS, "data": [row]})
    out = run("status").out
    assert "[bold]gpt[/bold][2J:smile:evil31m" in out
    assert not {"\x1b", "\x07", "\u202e", "\u2028", "\x9b"} & set(out)


@pytest.mark.parametrize("since", ["", "30", "0d", "d", "30x", "2026-13-01", "99999d"])
def test_a_since_that_is_no_time_is_a_usage_error(server: ContractServer, run: Run, since: str):
    refused = run("status", "--since", since)
    assert (refused.code, refused.out) == (2, "")
    assert "24h, 30d, 4w" in refused.err
    assert server.requests == []


def test_watch_without_a_terminal_is_a_usage_error(server: ContractServer, run: Run):
    assert run("status", "--watch").code == 2
