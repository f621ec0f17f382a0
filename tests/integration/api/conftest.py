"""The real API over a real database, called in process."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx2
import pytest

from llmlab_app.api.app import create_api
from llmlab_app.domain.access import ALL_SCOPES, Principal, Scope
from llmlab_app.services import ingestion
from llmlab_app.services.credentials import forget_credentials
from llmlab_app.services.projects import create_key
from llmlab_app.settings import Settings
from llmlab_app.storage.database import transaction
from tests.factories import tenant


@dataclass(frozen=True)
class Tenant:
    """A workspace, its principal and a key of its own with all scopes."""

    principal: Principal
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


@pytest.fixture
async def api(database: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without credentials, over running writers."""
    forget_credentials()
    ingestion.start_ingestion(Settings())
    transport = httpx2.ASGITransport(create_api())
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client
    await ingestion.stop_ingestion()


async def make_tenant(
    *, projects: int = 1, timezone: str = "UTC", scopes: frozenset[Scope] = ALL_SCOPES
) -> Tenant:
    async with transaction() as session:
        principal = await tenant(session, projects=projects, timezone=timezone)
    made = await create_key(
        principal, name="test", project_name=None, scopes=scopes, now=datetime.now(UTC)
    )
    return Tenant(principal, made.text)


@pytest.fixture
async def mine(database: str) -> Tenant:
    return await make_tenant()


@pytest.fixture
async def client(api: httpx2.AsyncClient, mine: Tenant) -> httpx2.AsyncClient:
    """A client with the key of ``mine``."""
    api.headers.update(mine.headers)
    return api
