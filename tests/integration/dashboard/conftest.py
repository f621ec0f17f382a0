"""A browser that is signed in to an installation of its own."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llmlab_app.domain.access import Principal
from llmlab_app.services.access import authenticate_session, mint_setup_link, redeem_setup_token
from llmlab_app.services.credentials import forget_credentials
from llmlab_app.services.setup import prepare
from llmlab_app.settings import Settings


@pytest.fixture
async def cookie(database: str, tmp_path: Path) -> AsyncIterator[str]:
    """The session of an owner who has just signed in."""
    forget_credentials()
    now = datetime.now(UTC)
    await prepare(Settings(home=tmp_path / "home"), timezone="UTC", now=now)
    token = (await mint_setup_link(now)).removeprefix("/setup?token=")
    yield (await redeem_setup_token(token, user_agent="Firefox", now=now)).cookie
    forget_credentials()


@pytest.fixture
async def owner(cookie: str) -> Principal:
    return await authenticate_session(cookie, datetime.now(UTC))
