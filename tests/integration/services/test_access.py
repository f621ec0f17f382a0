import asyncio
import time
from datetime import timedelta
from pathlib import Path
from secrets import token_bytes
from uuid import uuid4

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlmodel import select

from llmlab_app.domain.access import ALL_SCOPES, Principal, Scope
from llmlab_app.domain.errors import (
    NotAllowed,
    NotFound,
    TooManyRequests,
    Unauthenticated,
)
from llmlab_app.domain.keys import ApiKey, new_key, parse_key
from llmlab_app.services import access, credentials, owner_password, projects
from llmlab_app.services.access import (
    authenticate_key,
    authenticate_session,
    list_sessions,
    mint_setup_link,
    redeem_setup_token,
    revoke_session,
    sign_in,
)
from llmlab_app.services.setup import prepare
from llmlab_app.settings import Settings, get_settings
from llmlab_app.storage.database import transaction
from llmlab_app.storage.tables import ApiKeyRow, AuditRow, SessionRow, SetupTokenRow
from tests.integration.services.conftest import NOW

MINUTE = timedelta(minutes=1)
PASSWORD = "correct horse battery"


async def a_key(owner: Principal, *, project: str | None = None, **more: object) -> str:
    scopes = frozenset({Scope.READ})
    made = await projects.create_key(
        owner, **{"name": "k", "scopes": scopes, "project_name": project, "now": NOW, **more}
    )
    return made.text


async def a_token(**more: object) -> str:
    return (await mint_setup_link(NOW, **more)).removeprefix("/setup?token=")


async def rows(table: type) -> list:
    async with transaction() as session:
        return list(await session.exec(select(table)))


# Keys


async def test_a_key_opens_its_workspace(owner: Principal) -> None:
    principal = await authenticate_key(await a_key(owner), None, NOW)
    assert principal.workspace_id == owner.workspace_id
    assert principal.scopes == {Scope.READ}
    assert "(k)" in principal.name


async def test_an_unknown_key_and_a_wrong_secret_get_the_same_answer(owner: Principal) -> None:
    right = parse_key(await a_key(owner))
    wrong = ApiKey(public_id=right.public_id, secret=new_key(token_bytes).secret)
    answers = []
    for key in (wrong, new_key(token_bytes)):
        with pytest.raises(Unauthenticated) as refused:
            await authenticate_key(key.reveal(), None, NOW)
        answers.append((refused.value.code, refused.value.detail))
    assert answers[0] == answers[1]


async def test_a_wrong_secret_is_not_noted_as_use(owner: Principal) -> None:
    right = parse_key(await a_key(owner))
    wrong = ApiKey(public_id=right.public_id, secret=new_key(token_bytes).secret)
    with pytest.raises(Unauthenticated):
        await authenticate_key(wrong.reveal(), None, NOW)
    [row] = [row for row in await rows(ApiKeyRow) if row.public_id == right.public_id]
    assert row.last_used_at is None


async def test_a_revoked_key_is_refused_at_once_where_it_was_revoked(owner: Principal) -> None:
    key = await a_key(owner)
    await authenticate_key(key, None, NOW)
    await projects.revoke_key(owner, parse_key(key).public_id, NOW)
    with pytest.raises(Unauthenticated):
        await authenticate_key(key, None, NOW)


async def test_a_key_revoked_by_another_process_is_refused_within_five_seconds(
    owner: Principal,
) -> None:
    key = await a_key(owner)
    await authenticate_key(key, None, NOW)
    async with transaction() as session:  # another process, which can't reach our memory
        row = await session.get_one(ApiKeyRow, parse_key(key).public_id)
        row.revoked_at = NOW
    await authenticate_key(key, None, NOW + timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        await authenticate_key(key, None, NOW + timedelta(seconds=5))


async def test_a_hundred_requests_with_one_key_ask_the_database_once(
    owner: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, asked = await a_key(owner), []
    look_up = credentials.access.known_key

    async def counted(*arguments: object):
        asked.append(arguments)
        return await look_up(*arguments)

    monkeypatch.setattr(credentials.access, "known_key", counted)
    await asyncio.gather(*(authenticate_key(key, None, NOW) for _ in range(100)))
    assert len(asked) == 1


async def test_last_use_is_noted_once_a_minute(owner: Principal) -> None:
    key = await a_key(owner)
    for seconds in (0, 1, 59):
        await authenticate_key(key, None, NOW + timedelta(seconds=seconds))
    [used] = [row for row in await rows(ApiKeyRow) if row.public_id == parse_key(key).public_id]
    assert used.last_used_at == NOW
    await authenticate_key(key, None, NOW + MINUTE)
    [used] = [row for row in await rows(ApiKeyRow) if row.public_id == parse_key(key).public_id]
    assert used.last_used_at == NOW + MINUTE


async def test_a_workspace_key_selects_a_project_that_was_just_created(owner: Principal) -> None:
    key = await a_key(owner)
    with pytest.raises(NotFound):
        await authenticate_key(key, "search", NOW)
    project = await projects.create_project(owner, "search", NOW)
    principal = await authenticate_key(key, "search", NOW)
    assert principal.booking_project_id == project.id
    assert principal.project_ids == (project.id,)


async def test_nothing_stored_gives_a_key_back(owner: Principal) -> None:
    key = await a_key(owner)
    stored = repr(
        [row.model_dump() for table in (ApiKeyRow, AuditRow) for row in await rows(table)]
    )
    assert parse_key(key).public_id in stored
    assert parse_key(key).secret not in stored


# Set-up links and sessions


async def test_a_setup_link_signs_the_owner_in(settings: Settings) -> None:
    signed_in = await redeem_setup_token(await a_token(), user_agent="Firefox", now=NOW)
    principal = await authenticate_session(signed_in.cookie, NOW)
    assert principal.scopes == ALL_SCOPES
    assert principal.session_id == signed_in.session_id
    assert principal.name == "member owner"


async def test_a_setup_link_works_once(settings: Settings) -> None:
    token = await a_token()
    await redeem_setup_token(token, user_agent="", now=NOW)
    with pytest.raises(Unauthenticated) as refused:
        await redeem_setup_token(token, user_agent="", now=NOW)
    assert refused.value.code == "invalid_setup_link"


async def test_of_many_who_redeem_a_setup_link_at_once_one_gets_in(settings: Settings) -> None:
    token = await a_token()
    outcomes = await asyncio.gather(
        *(redeem_setup_token(token, user_agent="", now=NOW) for _ in range(10)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, Unauthenticated) for each in outcomes) == 9
    assert len(await rows(SessionRow)) == 1


async def test_a_setup_link_ends_after_an_hour(settings: Settings) -> None:
    token = await a_token()
    with pytest.raises(Unauthenticated):
        await redeem_setup_token(token, user_agent="", now=NOW + 60 * MINUTE)
    await redeem_setup_token(token, user_agent="", now=NOW + 59 * MINUTE)


async def test_only_an_admin_of_the_workspace_gets_a_setup_link(owner: Principal) -> None:
    await mint_setup_link(NOW, principal=owner)
    reader = await authenticate_key(await a_key(owner), None, NOW)
    with pytest.raises(NotAllowed):
        await mint_setup_link(NOW, principal=reader)
    own_admin = await authenticate_key(
        await a_key(owner, project="default", scopes=ALL_SCOPES), None, NOW
    )
    with pytest.raises(NotAllowed):
        await mint_setup_link(NOW, principal=own_admin)


async def test_neither_link_nor_cookie_is_stored(settings: Settings) -> None:
    token = await a_token()
    signed_in = await redeem_setup_token(token, user_agent="", now=NOW)
    tables = (SetupTokenRow, SessionRow, AuditRow)
    stored = repr([row.model_dump() for table in tables for row in await rows(table)])
    assert token not in stored
    assert signed_in.cookie not in stored
    assert signed_in.cookie not in repr(signed_in)


@pytest.mark.parametrize("cookie", ["", "x", "é" * 100, "\ud800", "x" * 100_000])
async def test_a_made_up_cookie_is_not_signed_in(settings: Settings, cookie: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await authenticate_session(cookie, NOW)
    assert refused.value.code == "not_signed_in"


async def test_a_session_ends_a_fortnight_after_its_last_use(settings: Settings) -> None:
    signed_in = await redeem_setup_token(await a_token(), user_agent="", now=NOW)
    day = timedelta(days=1)
    await authenticate_session(signed_in.cookie, NOW + 13 * day)  # counts as use
    await authenticate_session(signed_in.cookie, NOW + 26 * day)
    with pytest.raises(Unauthenticated):
        await authenticate_session(signed_in.cookie, NOW + 40 * day)


async def test_a_session_in_constant_use_ends_after_thirty_days(settings: Settings) -> None:
    signed_in = await redeem_setup_token(await a_token(), user_agent="", now=NOW)
    for day in range(30):
        await authenticate_session(signed_in.cookie, NOW + timedelta(days=day))
    with pytest.raises(Unauthenticated):
        await authenticate_session(signed_in.cookie, NOW + timedelta(days=30))


async def test_a_revoked_session_ends_at_once(owner: Principal) -> None:
    signed_in = await redeem_setup_token(await a_token(), user_agent="Opera", now=NOW)
    await authenticate_session(signed_in.cookie, NOW)
    await revoke_session(owner, signed_in.session_id, NOW)
    with pytest.raises(Unauthenticated):
        await authenticate_session(signed_in.cookie, NOW)
    assert signed_in.session_id not in {each.id for each in await list_sessions(owner, NOW)}


async def test_the_list_shows_live_sessions_with_their_browsers(owner: Principal) -> None:
    await redeem_setup_token(await a_token(), user_agent="x" * 10_000, now=NOW)
    found = await list_sessions(owner, NOW)
    assert {each.user_agent for each in found} == {"Firefox", "x" * 200}
    assert await list_sessions(owner, NOW + timedelta(days=15)) == ()


async def test_revoking_a_session_that_is_not_there_is_not_found(owner: Principal) -> None:
    with pytest.raises(NotFound):
        await revoke_session(owner, uuid4(), NOW)


async def test_a_reader_may_not_see_or_revoke_sessions(owner: Principal) -> None:
    reader = await authenticate_key(await a_key(owner), None, NOW)
    with pytest.raises(NotAllowed):
        await list_sessions(reader, NOW)
    assert owner.session_id is not None
    with pytest.raises(NotAllowed):
        await revoke_session(reader, owner.session_id, NOW)


# The owner's password


@pytest.fixture
async def password_file(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The settings of a server with an owner password, after a start."""
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    with_password = settings.model_copy(update={"owner_password_file": path})
    monkeypatch.setattr(access, "get_settings", lambda: with_password)
    await prepare(with_password, timezone="UTC", now=NOW)
    return path


@pytest.fixture(autouse=True)
def quick_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """No tries so far, and argon2id at its cheapest: its strength is not what is tested here."""
    cheap = PasswordHash([Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)])
    monkeypatch.setattr(owner_password, "_argon2id", cheap)
    monkeypatch.setattr(access, "_tries", access.MovingWindowRateLimiter(access.MemoryStorage()))


async def type_in(password: str, client: str = "10.0.0.1") -> access.SignedIn:
    return await sign_in(password, client=client, user_agent="Firefox", now=NOW)


async def test_the_owners_password_signs_in(password_file: Path) -> None:
    signed_in = await type_in(PASSWORD)
    assert (await authenticate_session(signed_in.cookie, NOW)).scopes == ALL_SCOPES


async def test_every_sign_in_gets_a_cookie_of_its_own(password_file: Path) -> None:
    assert (await type_in(PASSWORD)).cookie != (await type_in(PASSWORD)).cookie


@pytest.mark.parametrize("wrong", ["", "wrong", PASSWORD + "\n", PASSWORD[:-1], "x" * 1_000_000])
async def test_a_wrong_password_is_refused(password_file: Path, wrong: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await type_in(wrong)
    assert refused.value.code == "wrong_password"


async def test_the_password_is_kept_as_argon2id(password_file: Path) -> None:
    async with transaction() as session:
        kept = await access.owner_of(session, await access.installed_workspace_id(session))
    assert kept.password_hash is not None
    assert kept.password_hash.startswith("$argon2id$")


async def test_a_sixth_try_in_a_minute_waits_even_with_the_right_password(
    password_file: Path,
) -> None:
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await type_in("wrong password")
    with pytest.raises(TooManyRequests) as refused:
        await type_in(PASSWORD)
    assert 1 <= (refused.value.retry_after_seconds or 0) <= 60
    await type_in(PASSWORD, client="10.0.0.2")


async def test_one_ipv6_subscriber_has_five_tries_in_all(password_file: Path) -> None:
    for number in range(5):
        with pytest.raises(Unauthenticated):
            await type_in("wrong password", client=f"2001:db8::{number}")
    with pytest.raises(TooManyRequests):
        await type_in(PASSWORD, client="2001:db8::ffff")
    await type_in(PASSWORD, client="2001:db8:0:1::1")
    await type_in(PASSWORD, client="::ffff:10.0.0.1")


async def test_a_new_password_in_the_file_counts_at_once_and_signs_everyone_out(
    password_file: Path,
) -> None:
    before, link = await type_in(PASSWORD), await a_token()
    password_file.write_text("a new password\n")
    with pytest.raises(Unauthenticated):
        await type_in(PASSWORD)
    with pytest.raises(Unauthenticated):
        await authenticate_session(before.cookie, NOW)
    with pytest.raises(Unauthenticated):
        await redeem_setup_token(link, user_agent="", now=NOW)
    await type_in("a new password")


async def test_touching_the_file_signs_nobody_out(password_file: Path) -> None:
    before = await type_in(PASSWORD)
    password_file.write_text(PASSWORD + "\n")
    await type_in(PASSWORD)
    await authenticate_session(before.cookie, NOW)


async def test_a_password_file_that_vanishes_leaves_the_password_in_force(
    password_file: Path,
) -> None:
    password_file.unlink()
    await type_in(PASSWORD)


async def test_without_an_owner_password_there_is_no_sign_in(settings: Settings) -> None:
    assert get_settings().owner_password_file is None
    with pytest.raises(NotAllowed) as refused:
        await type_in(PASSWORD)
    assert refused.value.code == "no_owner_password"


class CountingHasher(Argon2Hasher):
    """Remembers how many verify at the same time."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.running, self.most = 0, 0

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        self.running += 1
        self.most = max(self.most, self.running)
        time.sleep(0.02)
        self.running -= 1
        return super().verify(password, hash)


async def test_two_passwords_at_most_are_verified_at_the_same_time(
    password_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher = CountingHasher()
    monkeypatch.setattr(owner_password, "_argon2id", PasswordHash([hasher]))
    await asyncio.gather(*(type_in(PASSWORD, client=f"10.0.1.{number}") for number in range(8)))
    assert hasher.most == 2
