"""Projects and keys over the API: what they open, and for whom."""

from typing import Any

import httpx2
import pytest

from llmlab_app.domain.access import Scope
from tests.integration.api.conftest import Tenant, make_tenant

EVENT = {"model": "gpt-4o-mini", "usage": {"input_tokens": 1000, "output_tokens": 100}}
SUMMARY = "/api/costs/summary"
UNKNOWN = "llmlab_OGusQGwp_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf4Du4ZY"


def bearer(key: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", **more}


async def create_key(client: httpx2.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post("/api/keys", json={"name": "k", "scopes": ["read"], **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def create_project(client: httpx2.AsyncClient, name: str) -> dict[str, Any]:
    answer = await client.post("/api/projects", json={"name": name})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def events_seen_by(client: httpx2.AsyncClient, headers: dict[str, str]) -> int:
    answer = await client.get(SUMMARY, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["all_time"]["events"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic bGxtbGFiOng="},
        {"Authorization": "Bearer sk-not-ours"},
        {"X-API-Key": ""},
        {"X-API-Key": UNKNOWN},
        {"Authorization": f"Bearer {UNKNOWN}"},
        {"Cookie": "llmlab_session=made-up"},
    ],
)
async def test_no_key_or_none_of_ours_is_unauthenticated(
    api: httpx2.AsyncClient, mine: Tenant, headers: dict[str, str]
) -> None:
    answer = await api.get(SUMMARY, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert not any(value in answer.text for value in (UNKNOWN, "sk-not-ours", "made-up"))


async def test_a_key_opens_the_api_in_either_header(api: httpx2.AsyncClient, mine: Tenant) -> None:
    for headers in (
        bearer(mine.key),
        {"Authorization": f"bearer {mine.key}"},
        {"X-API-Key": mine.key},
    ):
        assert (await api.get(SUMMARY, headers=headers)).status_code == 200


async def test_a_key_is_shown_whole_once_and_never_again(client: httpx2.AsyncClient) -> None:
    created = await create_key(client, name="CI")
    listed = await client.get("/api/keys")
    secret = created["key"].split("_")[2]
    assert created["key"].startswith(f"llmlab_{created['id']}_")
    assert secret not in listed.text
    [record] = [each for each in listed.json()["data"] if each["id"] == created["id"]]
    del created["key"]
    assert record == created
    assert record["name"] == "CI"
    assert record["scopes"] == ["read"]
    assert record["project"] is None


async def test_a_key_opens_what_its_scopes_say_and_nothing_else(
    client: httpx2.AsyncClient,
) -> None:
    reader = bearer((await create_key(client, scopes=["read"]))["key"])
    writer = bearer((await create_key(client, scopes=["events:write"]))["key"])
    assert (await client.get(SUMMARY, headers=reader)).status_code == 200
    assert (await client.post("/api/events/track", json=EVENT, headers=writer)).status_code == 200
    for method, path, headers, body in (
        ("POST", "/api/events/track", reader, EVENT),
        ("GET", SUMMARY, writer, None),
        ("GET", "/api/keys", reader, None),
        ("POST", "/api/keys", reader, {"name": "x", "scopes": ["admin"]}),
        ("POST", "/api/projects", writer, {"name": "x"}),
        ("POST", "/api/setup-links", reader, None),
        ("GET", "/api/sessions", reader, None),
    ):
        answer = await client.request(method, path, headers=headers, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope"), path


async def test_a_revoked_key_opens_nothing_any_more(client: httpx2.AsyncClient) -> None:
    created = await create_key(client)
    headers = bearer(created["key"])
    assert (await client.get(SUMMARY, headers=headers)).status_code == 200
    assert (await client.delete(f"/api/keys/{created['id']}")).status_code == 204
    answer = await client.get(SUMMARY, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_key")
    assert (await client.delete(f"/api/keys/{created['id']}")).status_code == 204  # again: no harm


async def test_a_workspace_key_books_to_default_unless_a_header_selects(
    client: httpx2.AsyncClient, mine: Tenant
) -> None:
    await create_project(client, "search")
    await client.post("/api/events/track", json=EVENT)
    for _ in range(2):
        await client.post("/api/events/track", json=EVENT, headers={"X-LLMLab-Project": "search"})
    own = bearer((await create_key(client, project="search"))["key"])
    assert await events_seen_by(client, bearer(mine.key)) == 3
    assert await events_seen_by(client, bearer(mine.key, **{"X-LLMLab-Project": "default"})) == 1
    assert await events_seen_by(client, bearer(mine.key, **{"X-LLMLab-Project": "search"})) == 2
    assert await events_seen_by(client, own) == 2


@pytest.mark.parametrize("name", ["nowhere", "'; DROP TABLE project; --", "x" * 10_000])
async def test_selecting_a_project_that_is_not_there_stores_nothing(
    client: httpx2.AsyncClient, mine: Tenant, name: str
) -> None:
    answer = await client.post("/api/events/track", json=EVENT, headers={"X-LLMLab-Project": name})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_project")
    assert await events_seen_by(client, bearer(mine.key)) == 0


async def test_a_projects_own_key_can_not_select_another(client: httpx2.AsyncClient) -> None:
    await create_project(client, "search")
    own = (await create_key(client, project="search"))["key"]
    answer = await client.get(SUMMARY, headers=bearer(own, **{"X-LLMLab-Project": "default"}))
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_project")


async def test_a_projects_own_admin_key_rules_its_project_only(client: httpx2.AsyncClient) -> None:
    await create_project(client, "search")
    elsewhere = await create_key(client, name="elsewhere")
    headers = bearer((await create_key(client, project="search", scopes=["admin"]))["key"])
    made = await client.post(
        "/api/keys", headers=headers, json={"name": "x", "scopes": ["read"], "project": "search"}
    )
    assert made.status_code == 201
    listed = (await client.get("/api/keys", headers=headers)).json()["data"]
    assert {key["project"] for key in listed} == {"search"}
    projects = (await client.get("/api/projects", headers=headers)).json()["data"]
    assert [project["name"] for project in projects] == ["search"]
    for method, path, body, status in (
        ("DELETE", f"/api/keys/{elsewhere['id']}", None, 404),
        ("POST", "/api/keys", {"name": "x", "scopes": ["read"]}, 403),
        ("POST", "/api/keys", {"name": "x", "scopes": ["read"], "project": "default"}, 404),
        ("POST", "/api/projects", {"name": "x"}, 403),
        ("POST", "/api/setup-links", None, 403),
        ("GET", "/api/sessions", None, 403),
    ):
        answer = await client.request(method, path, headers=headers, json=body)
        assert answer.status_code == status, (method, path, answer.text)


async def test_an_archived_project_keeps_its_calls_and_loses_its_keys(
    client: httpx2.AsyncClient, mine: Tenant
) -> None:
    project = await create_project(client, "search")
    own = bearer((await create_key(client, project="search", scopes=["admin"]))["key"])
    await client.post("/api/events/track", json=EVENT, headers=own)
    assert (await client.delete(f"/api/projects/{project['id']}")).status_code == 204
    assert (await client.get(SUMMARY, headers=own)).status_code == 401
    assert await events_seen_by(client, bearer(mine.key)) == 1
    selected = await client.get(SUMMARY, headers={"X-LLMLab-Project": "search"})
    assert (selected.status_code, selected.json()["code"]) == (409, "project_archived")
    restored = await create_project(client, "search")
    assert restored["id"] == project["id"]
    assert await events_seen_by(client, bearer(mine.key, **{"X-LLMLab-Project": "search"})) == 1


async def test_default_can_not_be_archived(client: httpx2.AsyncClient) -> None:
    [default] = (await client.get("/api/projects")).json()["data"]
    answer = await client.delete(f"/api/projects/{default['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "default_project")


async def test_two_projects_of_one_name_are_a_conflict(client: httpx2.AsyncClient) -> None:
    await create_project(client, "search")
    answer = await client.post("/api/projects", json={"name": "search"})
    assert (answer.status_code, answer.json()["code"]) == (409, "project_exists")


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/api/projects", {}, "/name"),
        ("/api/projects", {"name": ""}, "/name"),
        ("/api/projects", {"name": 5}, "/name"),
        ("/api/projects", {"name": "a\u0000b"}, "/name"),
        ("/api/projects", {"name": "x" * 101}, "/name"),
        ("/api/projects", {"name": "x", "workspace_id": "y"}, "/workspace_id"),
        ("/api/keys", {"name": "x"}, "/scopes"),
        ("/api/keys", {"name": "x", "scopes": []}, "/scopes"),
        ("/api/keys", {"name": "x", "scopes": ["everything"]}, "/scopes/0"),
        ("/api/keys", {"name": "x", "scopes": "admin"}, "/scopes"),
        ("/api/keys", {"name": " ", "scopes": ["read"]}, "/name"),
        ("/api/keys", {"name": "x", "scopes": ["read"], "project": ""}, "/project"),
    ],
)
async def test_bad_input_is_refused_with_a_pointer_to_the_field(
    client: httpx2.AsyncClient, path: str, body: dict[str, Any], pointer: str
) -> None:
    before = (await client.get(path)).json()
    answer = await client.post(path, json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert (await client.get(path)).json()["data"] == before["data"]


async def test_what_was_done_to_keys_and_projects_is_audited(client: httpx2.AsyncClient) -> None:
    from sqlmodel import select

    from llmlab_app.storage.database import transaction
    from llmlab_app.storage.tables import AuditRow

    project = await create_project(client, "search")
    key = await create_key(client, project="search")
    await client.delete(f"/api/keys/{key['id']}")
    await client.delete(f"/api/projects/{project['id']}")
    async with transaction() as session:
        rows = (await session.exec(select(AuditRow).order_by(AuditRow.at))).all()
    done = [(row.action, row.target) for row in rows[1:]]  # the first made the test's own key
    assert done == [
        ("project.created", project["id"]),
        ("key.created", key["id"]),
        ("key.revoked", key["id"]),
        ("project.archived", project["id"]),
    ]
    assert all(row.actor.startswith("key ") for row in rows[1:])


async def test_a_tenant_without_admin_sees_its_projects(api: httpx2.AsyncClient) -> None:
    reader = await make_tenant(scopes=frozenset({Scope.READ}))
    answer = await api.get("/api/projects", headers=reader.headers)
    assert [project["name"] for project in answer.json()["data"]] == ["default"]
