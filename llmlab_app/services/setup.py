"""The first start, and what every start makes sure of."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.adapters.config_file import read_config, write_config
from llmlab_app.domain.access import ALL_SCOPES, DEFAULT_PROJECT
from llmlab_app.domain.errors import InvalidInput
from llmlab_app.domain.keys import new_key
from llmlab_app.services.owner_password import adopt_owner_password, read_password
from llmlab_app.settings import Settings
from llmlab_app.storage import audit, projects
from llmlab_app.storage.database import transaction
from llmlab_app.storage.sessions import delete_expired

_ACTOR = "llmlab up"
_KEPT_AFTER_EXPIRY = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a start did.

    ``config_file`` is set if it now holds this server and a key of it. ``api_key`` is set if the
    first key was created and could *not* be written there, because the file names another server
    or key: show it, this once.
    """

    is_first: bool
    config_file: Path | None = None
    api_key: str | None = field(default=None, repr=False)


def check_bind(settings: Settings) -> None:
    """Pass if the server may listen where it is told to.

    Raises:
        InvalidInput: others can reach it, but there is no owner password or no public URL.
    """
    if settings.public_url is not None:
        _check_public_url(settings.public_url)
    if settings.owner_password_file is not None:
        read_password(settings.owner_password_file)
    if settings.is_loopback:
        return
    missing = [
        name
        for name, value in (
            ("LLMLAB_OWNER_PASSWORD_FILE", settings.owner_password_file),
            ("LLMLAB_PUBLIC_URL", settings.public_url),
        )
        if value is None
    ]
    if missing:
        raise InvalidInput(
            f"LLMLAB_HOST is {settings.host}, so others could reach this server, but "
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set. Set "
            f"{'it' if len(missing) == 1 else 'them'}, or leave LLMLAB_HOST at 127.0.0.1. "
            "See docs/reference/authentication.md.",
            code="unsafe_bind",
        )


def _check_public_url(public_url: str) -> None:
    try:
        url = urlsplit(public_url)
        is_whole = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        is_whole, url = False, urlsplit("")
    if not is_whole or url.path not in ("", "/") or url.query or url.fragment or url.username:
        raise InvalidInput(
            f"LLMLAB_PUBLIC_URL is {public_url!r}; it has to be the address that people type, "
            "such as https://llmlab.example.com, without a path.",
            code="invalid_public_url",
        )


async def prepare(settings: Settings, *, timezone: str, now: datetime) -> Start:
    """Make the workspace at the first start; bring password and config file up to date at every.

    Args:
        settings: Where the server will listen and where its home is.
        timezone: IANA zone of the host; becomes the workspace's calendar at the first start.
        now: The moment of the start.

    Raises:
        InvalidInput: the owner's password or the config file can't be read.
    """
    path = settings.home / "config.json"
    config = read_config(path)
    wants_key = _wants_key(config, settings.local_url)
    workspace_id, is_first, api_key = await _ground(wants_key, timezone, now)
    if settings.owner_password_file is not None:
        await adopt_owner_password(workspace_id, settings.owner_password_file, now)
    if api_key is None or not wants_key:
        return Start(is_first=is_first, api_key=api_key)
    # Written after the commit: the file must never name a key that doesn't exist. A crash in
    # between leaves no key in it, and the next start makes another.
    write_config(path, {**config, "server": settings.local_url, "api_key": api_key})
    return Start(is_first=is_first, config_file=path)


def _wants_key(config: Mapping[str, object], server: str) -> bool:
    """Whether ours is the file to put a key in: a key goes to no other server than its own."""
    return not config.get("api_key") and config.get("server") in (None, "", server)


async def _ground(wants_key: bool, timezone: str, now: datetime) -> tuple[UUID, bool, str | None]:
    """The installation's workspace, whether it was made just now, and a new key if needed."""
    async with transaction() as session:
        await projects.lock_first_start(session)
        await delete_expired(session, now - _KEPT_AFTER_EXPIRY)
        workspace_id = await projects.first_workspace_id(session)
        is_first = workspace_id is None
        if workspace_id is None:
            workspace_id = await _add_workspace(session, timezone, now)
        api_key = await _add_key(session, workspace_id, now) if is_first or wants_key else None
        return workspace_id, is_first, api_key


async def _add_workspace(session: AsyncSession, timezone: str, now: datetime) -> UUID:
    workspace_id = await projects.add_workspace(
        session, name="LLMLab", timezone=timezone, owner="owner", now=now
    )
    await projects.add_or_restore_project(
        session, workspace_id=workspace_id, name=DEFAULT_PROJECT, now=now
    )
    audit.record(
        session,
        workspace_id=workspace_id,
        actor=_ACTOR,
        action="workspace.created",
        target=str(workspace_id),
        at=now,
        timezone=timezone,
    )
    return workspace_id


async def _add_key(session: AsyncSession, workspace_id: UUID, now: datetime) -> str:
    key = new_key(secrets.token_bytes)
    await projects.add_key(
        session,
        key,
        workspace_id=workspace_id,
        project_id=None,
        name="first key",
        scopes=ALL_SCOPES,
        now=now,
    )
    audit.record(
        session,
        workspace_id=workspace_id,
        actor=_ACTOR,
        action="key.created",
        target=key.public_id,
        at=now,
        scopes=sorted(ALL_SCOPES),
    )
    return key.reveal()
