import json
import stat
from pathlib import Path

import pytest
from sqlmodel import select

from llmlab_app.domain.access import ALL_SCOPES
from llmlab_app.domain.errors import InvalidInput, LLMLabError
from llmlab_app.services.access import authenticate_key, authenticate_session
from llmlab_app.services.setup import check_bind, prepare
from llmlab_app.settings import Settings
from llmlab_app.storage.database import transaction
from llmlab_app.storage.tables import ApiKeyRow, AuditRow, MemberRow, ProjectRow, WorkspaceRow
from tests.integration.services.conftest import NOW


def settings_in(home: Path, **more: object) -> Settings:
    return Settings.model_validate({"home": home, **more})


def config_in(home: Path) -> dict[str, str]:
    return json.loads((home / "config.json").read_text())


async def rows(table: type) -> list:
    async with transaction() as session:
        return list(await session.exec(select(table)))


async def test_the_first_start_makes_workspace_project_owner_and_key(
    database: str, tmp_path: Path
) -> None:
    start = await prepare(settings_in(tmp_path), timezone="Europe/Berlin", now=NOW)
    assert start.is_first
    [workspace], [project], [owner] = (
        await rows(WorkspaceRow),
        await rows(ProjectRow),
        await rows(MemberRow),
    )
    assert workspace.timezone == "Europe/Berlin"
    assert (project.name, project.workspace_id) == ("default", workspace.id)
    assert (owner.role, owner.workspace_id) == ("owner", workspace.id)
    principal = await authenticate_key(config_in(tmp_path)["api_key"], None, NOW)
    assert principal.scopes == ALL_SCOPES
    assert principal.project_id is None
    assert principal.booking_project_id == project.id
    assert {row.action for row in await rows(AuditRow)} == {"workspace.created", "key.created"}


async def test_the_config_file_is_for_its_owner_only(database: str, tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    start = await prepare(settings_in(home), timezone="UTC", now=NOW)
    assert start.config_file == home / "config.json"
    assert stat.S_IMODE((home / "config.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert list(home.iterdir()) == [home / "config.json"]


async def test_the_mode_of_an_existing_directory_is_left_alone(
    database: str, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    await prepare(settings_in(tmp_path), timezone="UTC", now=NOW)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


async def test_a_second_start_changes_nothing(database: str, tmp_path: Path) -> None:
    await prepare(settings_in(tmp_path), timezone="UTC", now=NOW)
    before = config_in(tmp_path)
    start = await prepare(settings_in(tmp_path), timezone="Asia/Tokyo", now=NOW)
    assert not start.is_first
    assert start.api_key is None
    assert config_in(tmp_path) == before
    assert len(await rows(ApiKeyRow)) == len(await rows(WorkspaceRow)) == 1
    assert (await rows(WorkspaceRow))[0].timezone == "UTC"


async def test_a_key_that_never_reached_the_file_is_replaced_by_the_next_start(
    database: str, tmp_path: Path
) -> None:
    await prepare(settings_in(tmp_path), timezone="UTC", now=NOW)
    (tmp_path / "config.json").unlink()  # as after a crash between commit and write
    await prepare(settings_in(tmp_path), timezone="UTC", now=NOW)
    await authenticate_key(config_in(tmp_path)["api_key"], None, NOW)


@pytest.mark.parametrize(
    "existing",
    [
        {"server": "https://llmlab.example.com"},
        {"server": "https://llmlab.example.com", "api_key": "theirs"},
        {"api_key": "theirs"},
    ],
)
async def test_a_file_that_names_another_server_or_key_is_left_alone(
    database: str, tmp_path: Path, existing: dict[str, str]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(existing))
    start = await prepare(settings_in(tmp_path), timezone="UTC", now=NOW)
    assert config_in(tmp_path) == existing
    assert start.config_file is None
    assert start.api_key is not None  # shown instead, this once
    await authenticate_key(start.api_key, None, NOW)


async def test_what_else_the_file_says_stays(database: str, tmp_path: Path) -> None:
    existing = {"providers": ["openai"], "profiles": {"work": {"project": "x"}}, "project": "p"}
    (tmp_path / "config.json").write_text(json.dumps(existing))
    await prepare(settings_in(tmp_path, port=9000), timezone="UTC", now=NOW)
    config = config_in(tmp_path)
    assert config.pop("api_key").startswith("llmlab_")
    assert config == {**existing, "server": "http://127.0.0.1:9000"}


@pytest.mark.parametrize("content", ["{", "[]", '"text"', "\x00"])
async def test_a_broken_config_file_stops_the_start_before_anything_is_made(
    database: str, tmp_path: Path, content: str
) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(InvalidInput) as refused:
        await prepare(settings_in(tmp_path), timezone="UTC", now=NOW)
    assert refused.value.code == "config_file_unusable"
    assert await rows(WorkspaceRow) == []


async def test_a_config_file_that_can_not_be_written_is_named(
    database: str, tmp_path: Path
) -> None:
    (tmp_path / "config.json").symlink_to("/proc/nowhere/config.json")
    with pytest.raises(InvalidInput) as refused:
        await prepare(settings_in(tmp_path), timezone="UTC", now=NOW)
    assert "config.json" in refused.value.detail


def test_loopback_needs_neither_password_nor_public_url(tmp_path: Path) -> None:
    for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8"):
        check_bind(settings_in(tmp_path, host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "llmlab.example.com"])
def test_any_other_bind_needs_both(tmp_path: Path, host: str) -> None:
    password = tmp_path / "password"
    password.write_text("correct horse battery\n")
    both = {"owner_password_file": password, "public_url": "https://llmlab.example.com"}
    check_bind(settings_in(tmp_path, host=host, **both))
    for given, missing in (
        ({}, ("LLMLAB_OWNER_PASSWORD_FILE", "LLMLAB_PUBLIC_URL")),
        ({"public_url": both["public_url"]}, ("LLMLAB_OWNER_PASSWORD_FILE",)),
        ({"owner_password_file": password}, ("LLMLAB_PUBLIC_URL",)),
    ):
        with pytest.raises(InvalidInput) as refused:
            check_bind(settings_in(tmp_path, host=host, **given))
        assert refused.value.code == "unsafe_bind"
        assert all(name in refused.value.detail for name in missing)


@pytest.mark.parametrize(
    "public_url",
    [
        "llmlab.example.com",
        "ftp://llmlab.example.com",
        "https://",
        "https://a/llmlab",
        "https://me@a",
        "https://a:99999",
        "https://[::1",
        "",
    ],
)
def test_a_public_url_that_is_not_an_address_is_refused(tmp_path: Path, public_url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_bind(settings_in(tmp_path, public_url=public_url))
    assert refused.value.code == "invalid_public_url"


@pytest.mark.parametrize("content", [b"", b"short\n", b"\nsecond line only\n", b"\xff\xfe\x00"])
def test_an_owner_password_that_is_too_short_or_not_text_is_refused(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "password").write_bytes(content)
    with pytest.raises(InvalidInput):
        check_bind(settings_in(tmp_path, owner_password_file=tmp_path / "password"))


async def test_a_missing_password_file_stops_the_start(database: str, tmp_path: Path) -> None:
    with pytest.raises(LLMLabError) as refused:
        await prepare(
            settings_in(tmp_path, owner_password_file=tmp_path / "none"), timezone="UTC", now=NOW
        )
    assert refused.value.code == "owner_password_unreadable"
    with pytest.raises(LLMLabError):
        await authenticate_session("", NOW)
