from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.tests.conftest import Run
from cli.tests.contract_server import KEY, TRACKED, ContractServer, problem


@pytest.fixture
def quiet_server(server: ContractServer, monkeypatch: pytest.MonkeyPatch) -> ContractServer:
    """A server that nothing in the environment names."""
    monkeypatch.delenv("LLMLAB_SERVER")
    monkeypatch.delenv("LLMLAB_API_KEY")
    return server


def stored(home: Path) -> dict:
    return json.loads((home / "config.json").read_text(encoding="utf-8"))


def install(environment: Path, **versions: str) -> None:
    """What pip leaves in a virtual environment, as far as its metadata goes."""
    site_packages = environment / "lib" / "python3.11" / "site-packages"
    for name, version in versions.items():
        folder = site_packages / f"{name}-{version}.dist-info"
        folder.mkdir(parents=True)
        text = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
        (folder / "METADATA").write_text(text)
    environment.joinpath("pyvenv.cfg").write_text("")


def connect(run: Run, server: ContractServer, *more: str, key: str = KEY):
    return run("init", "--server", server.url, "--api-key-stdin", *more, stdin=f"{key}\n")


def test_init_as_a_script_checks_writes_and_sends_a_test_event(
    home: Path, quiet_server: ContractServer, run: Run
):
    Path(".venv").mkdir()
    install(Path(".venv"), openai="3.54.0", google_genai="3.4.1", llmlab="0.1.0")
    done = connect(run, quiet_server, "--project", "search", "--yes")
    assert done.code == 0
    assert stored(home) == {
        "server": quiet_server.url,
        "api_key": KEY,
        "project": "search",
        "providers": ["openai", "google"],
    }
    assert "    from llmlab import instrument\n    instrument()\n" in done.out
    assert done.out.endswith(f"\n{quiet_server.url}/setup?token=once\n")
    assert "openai 3.54.0, google-genai 3.4.1" in done.err
    assert "pip install" not in done.err
    assert KEY not in done.out + done.err


def test_the_test_event_is_marked_as_a_test(quiet_server: ContractServer, run: Run):
    done = connect(run, quiet_server, "--yes")
    (request,) = quiet_server.sent("/api/events/track")
    assert request.body["charge"] == "test"
    assert request.body["feature"] == "llmlab-init"
    assert "$0.00035" in done.err


def test_no_test_event_is_sent_if_told_so(quiet_server: ContractServer, run: Run):
    assert connect(run, quiet_server, "--no-test-event").code == 0
    assert quiet_server.sent("/api/events/track") == []


def test_init_as_json_says_everything_and_masks_the_key(
    home: Path, quiet_server: ContractServer, run: Run
):
    Path(".venv").mkdir()
    install(Path(".venv"), anthropic="2.12.0")
    done = connect(run, quiet_server, "--yes", "--json")
    assert json.loads(done.out) == {
        "server": quiet_server.url,
        "api_key": "llmlab_9Qd4…",
        "project": None,
        "config_file": str(home / "config.json"),
        "environment": str(Path(".venv").resolve()),
        "clients": {"anthropic": "2.12.0"},
        "sdk_installed": False,
        "lines": ["from llmlab import instrument", "instrument()"],
        "test_event": TRACKED,
        "dashboard": quiet_server.url,
    }


def test_a_config_written_by_the_server_is_enough(
    home: Path, quiet_server: ContractServer, run: Run
):
    home.mkdir()
    content = {"server": quiet_server.url, "api_key": KEY, "project": "default"}
    (home / "config.json").write_text(json.dumps(content))
    done = run("init", "--yes")
    assert done.code == 0
    assert "nothing to change" in done.err
    assert {name: stored(home)[name] for name in content} == content


def test_what_the_environment_says_is_not_written(home: Path, server: ContractServer, run: Run):
    assert run("init", "--yes").code == 0
    assert set(stored(home)) == {"providers"}


@pytest.mark.parametrize(("flag", "code"), [((), 2), (("--yes",), 0)])
def test_an_existing_server_is_replaced_only_by_agreement_and_aloud(
    home: Path, quiet_server: ContractServer, run: Run, flag: tuple, code: int
):
    home.mkdir()
    old = {"server": "http://old.example:1", "api_key": "llmlab_oldoldol_" + "k" * 49}
    (home / "config.json").write_text(json.dumps(old))
    done = connect(run, quiet_server, "--no-test-event", *flag)
    assert done.code == code
    assert f"server http://old.example:1 becomes {quiet_server.url}" in done.err
    expected = old["server"] if code else quiet_server.url
    assert stored(home)["server"] == expected
    assert old["api_key"] not in done.err


def test_a_stored_key_is_not_shown_to_another_server(
    home: Path, quiet_server: ContractServer, run: Run
):
    home.mkdir()
    content = {"server": "http://other.example:1", "api_key": KEY}
    (home / "config.json").write_text(json.dumps(content))
    refused = run("init", "--server", quiet_server.url, "--yes")
    assert refused.code == 4
    assert [request.path for request in quiet_server.requests] == ["/api/health"]
    assert quiet_server.requests[0].key == ""
    assert stored(home) == content


def test_a_wrong_key_writes_nothing(home: Path, quiet_server: ContractServer, run: Run):
    refused = connect(run, quiet_server, "--yes", key=KEY[:-1] + "0")
    assert refused.code == 4
    assert not (home / "config.json").exists()


def test_an_empty_standard_input_is_no_key(home: Path, quiet_server: ContractServer, run: Run):
    refused = connect(run, quiet_server, "--yes", key="")
    assert refused.code == 2
    assert quiet_server.requests == []


def test_a_script_that_does_not_ask_for_a_test_event_sends_none(
    home: Path, quiet_server: ContractServer, run: Run
):
    assert connect(run, quiet_server).code == 0
    assert stored(home)["server"] == quiet_server.url
    assert quiet_server.sent("/api/events/track") == []


def test_a_key_that_may_only_write_is_accepted_with_a_warning(
    home: Path, quiet_server: ContractServer, run: Run
):
    quiet_server.answers["GET /api/costs/summary"] = problem(403, "This key lacks 'read'.")
    done = connect(run, quiet_server, "--yes")
    assert done.code == 0
    assert "can't read costs" in done.err
    assert stored(home)["api_key"] == KEY


def test_no_server_at_all_ends_with_three(home: Path, run: Run):
    refused = run("init", "--server", "http://127.0.0.1:1", "--yes")
    assert refused.code == 3
    assert "llmlab up" in refused.err
    assert not (home / "config.json").exists()


def test_the_active_environment_is_looked_at_first(
    home: Path, quiet_server: ContractServer, run: Run, tmp_path: Path, monkeypatch
):
    for name in ("active", "project/.venv"):
        (tmp_path / name).mkdir()
        install(tmp_path / name, openai="1.0" if name == "active" else "2.0")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "active"))
    assert "openai 1.0" in connect(run, quiet_server, "--yes").err


def test_an_environment_above_the_folder_is_found(
    quiet_server: ContractServer, run: Run, monkeypatch: pytest.MonkeyPatch
):
    Path(".venv").mkdir()
    install(Path(".venv"), openai="3.1")
    Path("src/deep").mkdir(parents=True)
    monkeypatch.chdir("src/deep")
    assert "openai 3.1" in connect(run, quiet_server, "--yes").err


def test_a_missing_sdk_is_pointed_out(quiet_server: ContractServer, run: Run):
    Path(".venv").mkdir()
    install(Path(".venv"), openai="3.1")
    assert "pip install llmlab" in connect(run, quiet_server, "--yes").err
