from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from cli.tests.conftest import Run
from cli.tests.contract_server import KEY
from llmlab_cli import config
from llmlab_cli.errors import Problem

posix_only = pytest.mark.skipif(os.name != "posix", reason="Windows protects by the profile's ACL")


def stored(home: Path) -> dict:
    return json.loads((home / "config.json").read_text(encoding="utf-8"))


def store(home: Path, **content: object) -> None:
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "config.json").write_text(json.dumps(content), encoding="utf-8")


def test_flag_beats_environment_beats_file_beats_default(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    assert config.read_settings().server == config.Setting(
        "server", "http://127.0.0.1:8484", "default"
    )
    store(home, server="http://file:1")
    assert config.read_settings().server.value == "http://file:1"
    monkeypatch.setenv("LLMLAB_SERVER", "http://environment:2")
    assert config.read_settings().server.value == "http://environment:2"
    flags = {"server": "http://flag:3/"}
    assert config.read_settings(flags).server == config.Setting(
        "server", "http://flag:3", "--server"
    )


def test_an_empty_variable_counts_as_not_set(home: Path, monkeypatch: pytest.MonkeyPatch):
    store(home, project="search")
    monkeypatch.setenv("LLMLAB_PROJECT", " ")
    assert config.read_settings().project.origin == "config.json"


@posix_only
def test_config_file_is_readable_by_its_owner_only(home: Path, run: Run):
    assert run("config", "set", "project", "search").code == 0
    assert stat.S_IMODE((home / "config.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@posix_only
def test_a_wider_mode_is_narrowed_when_written(home: Path, run: Run):
    store(home, project="old")
    (home / "config.json").chmod(0o644)
    run("config", "set", "project", "new")
    assert stat.S_IMODE((home / "config.json").stat().st_mode) == 0o600


def test_what_we_do_not_know_is_kept(home: Path, run: Run):
    store(home, profiles={"work": {"server": "http://work:1"}}, project="old")
    run("config", "set", "project", "new")
    assert stored(home) == {"profiles": {"work": {"server": "http://work:1"}}, "project": "new"}


def test_a_failed_write_leaves_the_old_file_and_no_litter(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    store(home, project="old")
    monkeypatch.setattr(os, "fsync", _disk_full)
    with pytest.raises(Problem, match="Nothing was changed"):
        config.write_file({"project": "new"})
    assert stored(home) == {"project": "old"}
    assert [each.name for each in home.iterdir()] == ["config.json"]


def _disk_full(descriptor: int) -> None:
    raise OSError(28, "No space left on device")


@posix_only
def test_a_linked_file_stays_a_link(home: Path, tmp_path: Path, run: Run):
    real = tmp_path / "dotfiles.json"
    real.write_text("{}", encoding="utf-8")
    home.mkdir()
    (home / "config.json").symlink_to(real)
    run("config", "set", "project", "search")
    assert (home / "config.json").is_symlink()
    assert json.loads(real.read_text(encoding="utf-8")) == {"project": "search"}


@pytest.mark.parametrize("content", ["{", "[]", '{"server": 7}', "\xff"])
def test_a_broken_file_is_named_and_not_overwritten(home: Path, run: Run, content: str):
    home.mkdir()
    (home / "config.json").write_text(content, encoding="latin-1")
    for command in (["list"], ["set", "project", "x"]):
        refused = run("config", *command)
        assert refused.code == 1
        assert str(home / "config.json") in refused.err
    assert (home / "config.json").read_text(encoding="latin-1") == content


def test_list_shows_origins_and_masks_the_key(
    home: Path, run: Run, monkeypatch: pytest.MonkeyPatch
):
    store(home, api_key=KEY)
    monkeypatch.setenv("LLMLAB_PROJECT", "search")
    shown = run("config", "list")
    assert KEY not in shown.out + shown.err
    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    assert "server http://127.0.0.1:8484 default" in lines
    assert "api_key llmlab_9Qd4… config.json" in lines
    assert "project search LLMLAB_PROJECT" in lines
    assert run("config").out == shown.out


def test_list_as_json_has_value_and_origin(home: Path, run: Run):
    store(home, api_key=KEY)
    assert json.loads(run("config", "list", "--json").out) == {
        "file": str(home / "config.json"),
        "settings": {
            "server": {"value": "http://127.0.0.1:8484", "origin": "default"},
            "api_key": {"value": "llmlab_9Qd4…", "origin": "config.json"},
            "project": {"value": None, "origin": "not set"},
        },
    }


def test_get_prints_one_value_and_the_key_only_when_asked(home: Path, run: Run):
    store(home, api_key=KEY, server="https://llmlab.example.org")
    assert run("config", "get", "server").out == "https://llmlab.example.org\n"
    assert run("config", "get", "api_key").out == "llmlab_9Qd4…\n"
    assert run("config", "get", "api_key", "--reveal").out == f"{KEY}\n"


def test_a_key_is_read_from_standard_input_and_refused_as_an_argument(home: Path, run: Run):
    refused = run("config", "set", "api_key", KEY)
    assert refused.code == 2
    assert KEY not in refused.err
    assert not (home / "config.json").exists()
    accepted = run("config", "set", "api_key", stdin=f"{KEY}\n")
    assert (accepted.code, stored(home)["api_key"]) == (0, KEY)
    assert KEY not in accepted.out + accepted.err


def test_an_empty_value_removes_a_setting(home: Path, run: Run):
    store(home, project="search", server="http://a:1")
    assert run("config", "set", "project", "").code == 0
    assert stored(home) == {"server": "http://a:1"}


def test_set_says_when_the_environment_wins(home: Path, run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LLMLAB_PROJECT", "other")
    assert "LLMLAB_PROJECT is set in the environment" in run("config", "set", "project", "x").err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("colour", "red"),
        ("server", "127.0.0.1:8484"),
        ("server", "ftp://host"),
        ("server", "http://"),
        ("server", "http://host:port"),
        ("server", "http://user:pass@host"),
        ("server", "http://host/?key=1"),
        ("project", "a\x1b[2Jb"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(home: Path, run: Run, name: str, value: str):
    refused = run("config", "set", name, value)
    assert (refused.code, refused.out) == (2, "")
    assert not (home / "config.json").exists()


def test_a_key_with_a_space_in_the_environment_is_explained(
    run: Run, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LLMLAB_API_KEY", "llmlab_a b")
    refused = run("status")
    assert refused.code == 2
    assert "LLMLAB_API_KEY" in refused.err
    assert "llmlab_a b" not in refused.err


def test_only_the_public_beginning_of_a_key_is_shown():
    assert config.masked(KEY) == "llmlab_9Qd4…"
    assert config.masked("llmlab_short") == "…"
    assert config.masked("sk-live-" + "x" * 40) == "…"
