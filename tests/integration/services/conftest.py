"""An installation after its first start."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llmlab_app.domain.access import Principal
from llmlab_app.services.access import authenticate_session, mint_setup_link, redeem_setup_token
from llmlab_app.services.credentials import forget_credentials
from llmlab_app.services.setup import prepare
from llmlab_app.settings import Settings

NOW = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)


@pytest.fixture
async def settings(database: str, tmp_path: Path) -> AsyncIterator[Settings]:
    """Settings of an installation that has had its first start, in local mode."""
    forget_credentials()
    settings = Settings(home=tmp_path / "home")
    await prepare(settings, timezone="Europe/Berlin", now=NOW)
    yield settings
    forget_credentials()


@pytest.fixture
async def owner(settings: Settings) -> Principal:
    """The owner, signed in by a set-up link."""
    token = (await mint_setup_link(NOW)).removeprefix("/setup?token=")
    signed_in = await redeem_setup_token(token, user_agent="Firefox", now=NOW)
    return await authenticate_session(signed_in.cookie, NOW)
