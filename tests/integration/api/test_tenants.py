"""No route shows or changes another workspace's things; every route asks who is there.

The routes come from the OpenAPI document: a new one fails here until it is placed.
"""

from typing import Any
from uuid import uuid4

import httpx2
import pytest

from llmlab_app.api.app import create_api
from tests.integration.api.conftest import Tenant, make_tenant

EVENT = {"model": "gpt-4o-mini", "usage": {"input_tokens": 1000, "output_tokens": 100}}
PATHS: dict[str, dict[str, Any]] = create_api().openapi()["paths"]
ROUTES = [(method.upper(), path) for path, methods in PATHS.items() for method in methods]
OPEN_TO_ALL = {("GET", "/api/health"), ("POST", "/api/sessions")}
# Which of a tenant's things the id in a path means.
IDS = {
    "/api/events/{id}/receipt": "event",
    "/api/projects/{project_id}": "project",
    "/api/keys/{key_id}": "key",
    "/api/sessions/{session_id}": "session",
    "/api/prices/overrides/{term_id}": "override",
    "/api/prices/discounts/{term_id}": "discount",
    "/api/prices/mappings/{term_id}": "mapping",
}
TERMS: dict[str, dict[str, Any]] = {
    "override": {"model": "their-model", "unit_prices_per_million": {"input": "1"}},
    "discount": {"percent": "10"},
    "mapping": {"provider": "azure", "model": "theirs", "target_model": "gpt-4o"},
}
PARAMETERS = {"/api/costs": {"group_by": "project"}, "/api/prices": {"model": "gpt-4o-mini"}}


def filled(path: str, thing: str) -> str:
    return path[: path.index("{")] + thing + path[path.index("}") + 1 :]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_every_route_but_a_few_asks_for_a_key(
    api: httpx2.AsyncClient, method: str, path: str
) -> None:
    answer = await api.request(method, filled(path, str(uuid4())) if "{" in path else path)
    if (method, path) in OPEN_TO_ALL:
        assert answer.status_code != 401
    else:
        assert answer.status_code == 401, answer.text


def test_every_path_with_an_id_is_checked_below() -> None:
    assert {path for path in PATHS if "{" in path} == set(IDS)


async def things_of(api: httpx2.AsyncClient, tenant: Tenant) -> dict[str, str]:
    """Ids of an event, a project, a key, a session and prices of ``tenant``."""
    event = await api.post("/api/events/track", json=EVENT, headers=tenant.headers)
    project = await api.post("/api/projects", json={"name": "theirs"}, headers=tenant.headers)
    key = await api.post(
        "/api/keys", json={"name": "k", "scopes": ["read"]}, headers=tenant.headers
    )
    link = await api.post("/api/setup-links", headers=tenant.headers)
    await api.get(link.json()["path"])
    api.cookies.clear()
    [session] = (await api.get("/api/sessions", headers=tenant.headers)).json()["data"]
    return {
        "event": event.json()["id"],
        "project": project.json()["id"],
        "key": key.json()["id"],
        "session": session["id"],
        **{kind: await term_of(api, tenant, kind) for kind in TERMS},
    }


async def term_of(api: httpx2.AsyncClient, tenant: Tenant, kind: str) -> str:
    url = f"/api/prices/{kind}s"
    added = await api.post(url, json=TERMS[kind], headers=tenant.headers)
    assert added.status_code == 201, added.text
    return added.json()["id"]


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if "{" in route[1]])
async def test_another_workspaces_id_is_not_found_and_left_alone(
    api: httpx2.AsyncClient, mine: Tenant, method: str, path: str
) -> None:
    theirs = await make_tenant()
    their_things = await things_of(api, theirs)
    url = filled(path, their_things[IDS[path]])
    refused = await api.request(method, url, headers=mine.headers)
    unknown = await api.request(method, filled(path, str(uuid4())), headers=mine.headers)
    assert refused.status_code == unknown.status_code == 404, refused.text
    assert refused.json() == unknown.json()
    allowed = await api.request(method, url, headers=theirs.headers)
    assert allowed.status_code in (200, 204), allowed.text


@pytest.mark.parametrize(
    "path", [path for method, path in ROUTES if method == "GET" and "{" not in path]
)
async def test_no_list_or_total_shows_another_workspaces_things(
    api: httpx2.AsyncClient, mine: Tenant, path: str
) -> None:
    parameters = PARAMETERS.get(path, {})
    before = await api.get(path, headers=mine.headers, params=parameters)
    assert before.status_code == 200, before.text
    theirs = await make_tenant()
    their_things = await things_of(api, theirs)
    after = await api.get(path, headers=mine.headers, params=parameters)
    assert not [thing for thing in their_things.values() if thing in after.text]
    if path != "/api/keys":  # shows when a key was last used
        assert after.json() == before.json()


async def test_a_project_of_another_workspace_can_not_be_selected(
    api: httpx2.AsyncClient, mine: Tenant
) -> None:
    theirs = await make_tenant()
    await api.post("/api/projects", json={"name": "secret"}, headers=theirs.headers)
    for method, path, body in (
        ("GET", "/api/costs/summary", None),
        ("POST", "/api/events/track", EVENT),
    ):
        headers = {**mine.headers, "X-LLMLab-Project": "secret"}
        answer = await api.request(method, path, headers=headers, json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_project")
