"""The terminal against the real server: its figures are the server's, to the last digit."""

import json
import secrets
import subprocess
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cli.tests import contract_server
from tests.e2e.conftest import LLMLAB, RunningServer

Run = Callable[..., subprocess.CompletedProcess[str]]
CALLS = (
    ("gpt-4o-mini", 1450, 220),
    ("gpt-4o-mini", 3, 1),
    ("gpt-4o", 12_000, 900),
    ("claude-haiku-4-5", 777, 333),
)


@pytest.fixture
def project(server: RunningServer) -> str:
    """A project that has no calls but this test's."""
    name = f"cli-{secrets.token_hex(4)}"
    created = server.request("POST", "/api/projects", json={"name": name})
    assert created.status_code == 201, created.text
    return name


@pytest.fixture
def llmlab(server: RunningServer, project: str, tmp_path: Path) -> Run:
    """``llmlab`` as its user has it: the config file that the server wrote, and a project."""

    def llmlab(*arguments: str, code: int = 0, **environment: str) -> Any:
        base = {"LLMLAB_HOME": str(server.home), "LLMLAB_PROJECT": project, "PATH": "/usr/bin:/bin"}
        done = subprocess.run(
            [LLMLAB, *arguments],
            env={**base, **environment},
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    return llmlab


def track(server: RunningServer, project: str, **event: Any) -> dict[str, Any]:
    answer = httpx2.post(
        f"{server.url}/api/events/track",
        json=event,
        headers={"Authorization": f"Bearer {server.api_key}", "X-LLMLab-Project": project},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_init_needs_nothing_but_the_file_that_the_first_start_wrote(llmlab: Run) -> None:
    done = json.loads(llmlab("init", "--yes", "--json").stdout)
    assert done["test_event"]["accepted"] is True
    assert Decimal(done["test_event"]["cost"]) > 0
    empty = json.loads(llmlab("status", "--json").stdout)["summary"]["all_time"]
    assert (empty["cost"], empty["events"]) == ("0", 0), "a test event is no spend"


def test_init_connects_a_new_machine_with_a_pasted_key(
    server: RunningServer, llmlab: Run, tmp_path: Path
) -> None:
    home = {"LLMLAB_HOME": str(tmp_path / "home"), "LLMLAB_PROJECT": ""}
    llmlab("init", "--yes", "--server", server.url, code=4, **home)
    connect = [LLMLAB, "init", "--yes", "--server", server.url, "--api-key-stdin"]
    done = subprocess.run(
        connect, input=server.api_key, env=home, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(llmlab("status", "--json", **home).stdout)["server"] == server.url


def test_status_equals_the_sum_of_the_receipts_to_the_last_digit(
    server: RunningServer, project: str, llmlab: Run
) -> None:
    costs = [
        track(
            server,
            project,
            model=model,
            usage={"input_tokens": tokens_in, "output_tokens": tokens_out},
            feature=f"feature {model}",
        )["cost"]
        for model, tokens_in, tokens_out in CALLS
    ]
    track(server, project, model="no-such-model", usage={"input_tokens": 5, "output_tokens": 5})
    whole = sum(map(Decimal, costs))
    report = json.loads(llmlab("status", "--json").stdout)
    assert Decimal(report["summary"]["today"]["cost"]) == whole
    assert Decimal(report["summary"]["all_time"]["cost"]) == whole
    assert Decimal(report["costs"]["total"]["cost"]) == whole
    assert sum(Decimal(row["cost"]) for row in report["costs"]["data"]) == whole
    by_model = {row["key"]["model"]: row for row in report["costs"]["data"]}
    assert Decimal(by_model["gpt-4o-mini"]["cost"]) == sum(map(Decimal, costs[:2]))
    assert by_model["no-such-model"]["unpriced_events"] == 1
    shown = llmlab("status").stdout
    assert "1 call has no price. It is left out of every total." in shown
    assert "no price" in next(line for line in shown.splitlines() if "no-such-model" in line)


@pytest.mark.parametrize("by", ["provider", "feature", "user", "day", "hour", "tag:team"])
@pytest.mark.parametrize("since", ["30d", "24h"])
def test_every_breakdown_adds_up_to_the_same_total(
    server: RunningServer, project: str, llmlab: Run, by: str, since: str
) -> None:
    usage = {"input_tokens": 1450, "output_tokens": 220}
    tracked = [
        track(server, project, model="gpt-4o", usage=usage, user=user, tags={"team": user})
        for user in ("ada", "grace")
    ]
    report = json.loads(llmlab("status", "--json", "--by", by, "--since", since).stdout)
    rows = [Decimal(row["cost"]) for row in report["costs"]["data"]]
    assert sum(rows) == sum(Decimal(each["cost"]) for each in tracked)
    assert llmlab("status", "--by", by, "--since", since).stdout


def test_price_says_what_the_same_call_will_cost(
    server: RunningServer, project: str, llmlab: Run
) -> None:
    usage = {"input_tokens": 1450, "cache_read_tokens": 1000, "output_tokens": 220}
    cost = track(server, project, model="gpt-4o-mini", usage=usage)["cost"]
    typed = ["--input", "1450", "--cache-read", "1000", "--output", "220"]
    assert json.loads(llmlab("price", "gpt-4o-mini", *typed, "--json").stdout)["cost"] == cost
    assert f"${cost}" in llmlab("price", "gpt-4o-mini", *typed).stdout
    assert llmlab("price", "no-such-model", *typed).stdout == "no-such-model: no price\n"


def test_open_prints_a_link_that_signs_a_browser_in_once(llmlab: Run) -> None:
    link = llmlab("open", "--print", LLMLAB_PROJECT="").stdout.strip()
    assert "llmlab_session" in httpx2.get(link).cookies
    assert httpx2.get(link).status_code == 401


def test_failures_have_their_exit_codes_and_say_what_to_do(
    server: RunningServer, llmlab: Run
) -> None:
    assert "llmlab up" in llmlab("status", code=3, LLMLAB_SERVER="http://127.0.0.1:1").stderr
    wrong = server.api_key[:-1] + ("0" if server.api_key[-1] != "0" else "1")
    assert "llmlab init" in llmlab("status", code=4, LLMLAB_API_KEY=wrong).stderr
    assert "no-such" in llmlab("status", code=1, LLMLAB_PROJECT="no-such").stderr
    assert "dimension" in llmlab("status", "--by", "colour", code=2).stderr
    assert "input_tokens" in llmlab("price", "gpt-4o", "--cache-read", "5", code=2).stderr


def test_the_clis_own_test_server_answers_as_the_real_one_does(
    server: RunningServer, project: str
) -> None:
    track(server, project, model="gpt-4o-mini", usage={"input_tokens": 1450, "output_tokens": 2})
    quote = {"model": "gpt-4o-mini", "usage": {"input_tokens": 1450, "output_tokens": 220}}
    event = {**quote, "charge": "test"}
    real: dict[str, Any] = {
        "SUMMARY": server.request("GET", "/api/costs/summary"),
        "COSTS": server.request("GET", "/api/costs?group_by=model"),
        "QUOTE": server.request("POST", "/api/prices/quote", json=quote),
        "TRACKED": server.request("POST", "/api/events/track", json=event),
        "SETUP_LINK": server.request("POST", "/api/setup-links"),
    }
    for name, answer in real.items():
        ours, theirs = _shape(getattr(contract_server, name)), _shape(answer.json())
        assert ours.keys() <= theirs.keys(), name
        for path, kind in ours.items():
            assert kind == theirs[path] or "null" in (kind, theirs[path]), f"{name}{path}"


def _shape(value: Any, path: str = "") -> dict[str, str]:
    """The kind of every value in a JSON document, by its path; of a list the first one's."""
    if isinstance(value, dict):
        inner = [_shape(each, f"{path}/{key}") for key, each in value.items()]
    elif isinstance(value, list):
        inner = [_shape(each, f"{path}/0") for each in value[:1]]
    else:
        return {path: "null" if value is None else type(value).__name__}
    return {path: kind for shapes in inner for path, kind in shapes.items()}


def test_an_unpriced_model_is_mapped_and_its_calls_re_priced(
    server: RunningServer, project: str, llmlab: Run
) -> None:
    model = f"team-{secrets.token_hex(4)}"
    usage = {"input_tokens": 1000, "output_tokens": 100}
    event = {"provider": "azure", "model": model, "usage": usage}
    assert track(server, project, **event)["cost"] is None
    [group] = json.loads(llmlab("prices", "unpriced", "--json").stdout)["data"]
    assert (group["model"], group["reason"], group["calls"]) == (model, "unknown_model", 1)
    llmlab("prices", "map", f"azure/{model}", "openai/gpt-4o-mini")
    assert track(server, project, **event)["cost"] == "0.00021"
    preview = json.loads(llmlab("prices", "reprice", "--dry-run", "--json").stdout)
    assert [month["difference"] for month in preview["months"]] == ["0.00021"]
    llmlab("prices", "reprice", "--model", model, "--unpriced", "--yes")
    total = json.loads(llmlab("status", "--json").stdout)["summary"]["all_time"]
    assert (total["cost"], total["unpriced_events"]) == ("0.00042", 0)
    [mapping] = [
        each
        for each in json.loads(llmlab("prices", "list", "--json").stdout)["mappings"]
        if each["model"] == model
    ]
    llmlab("prices", "close", mapping["id"])
    assert track(server, project, **event)["cost"] is None
