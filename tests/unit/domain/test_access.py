from datetime import UTC, datetime
from uuid import UUID

import pytest

from llmlab_app.domain.access import (
    ALL_SCOPES,
    Grant,
    Project,
    Scope,
    checked_key_name,
    checked_project_name,
)
from llmlab_app.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound

AT = datetime(2026, 5, 1, tzinfo=UTC)
DEFAULT = Project(id=UUID(int=1), name="default", created_at=AT)
SEARCH = Project(id=UUID(int=2), name="search", created_at=AT)
OLD = Project(id=UUID(int=3), name="old", created_at=AT, archived_at=AT)


def a_grant(*, project: Project | None = None, scopes: frozenset[Scope] = ALL_SCOPES) -> Grant:
    return Grant(
        workspace_id=UUID(int=9),
        project_id=project.id if project else None,
        projects=(DEFAULT, OLD, SEARCH),
        scopes=scopes,
        name="key",
    )


def test_a_workspace_key_books_to_default_and_sees_all_projects() -> None:
    principal = a_grant().principal()
    assert principal.booking_project_id == DEFAULT.id
    assert set(principal.project_ids) == {DEFAULT.id, SEARCH.id, OLD.id}


def test_a_workspace_key_that_selects_a_project_books_to_it_and_sees_nothing_else() -> None:
    principal = a_grant().principal("search")
    assert principal.booking_project_id == SEARCH.id
    assert principal.project_ids == (SEARCH.id,)


def test_selecting_a_project_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound) as refused:
        a_grant().principal("nowhere")
    assert refused.value.code == "unknown_project"


def test_selecting_an_archived_project_is_a_conflict() -> None:
    with pytest.raises(Conflict):
        a_grant().principal("old")


@pytest.mark.parametrize("selected", [None, "search"])
def test_a_projects_own_key_reaches_its_project_only(selected: str | None) -> None:
    principal = a_grant(project=SEARCH).principal(selected)
    assert principal.booking_project_id == principal.project_id == SEARCH.id
    assert principal.project_ids == (SEARCH.id,)


@pytest.mark.parametrize("selected", ["default", "nowhere"])
def test_a_projects_own_key_can_not_select_another_project(selected: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        a_grant(project=SEARCH).principal(selected)
    assert refused.value.code == "wrong_project"


def test_a_missing_scope_is_named() -> None:
    principal = a_grant(scopes=frozenset({Scope.READ})).principal()
    principal.require(Scope.READ)
    with pytest.raises(NotAllowed, match="events:write"):
        principal.require(Scope.EVENTS_WRITE)


@pytest.mark.parametrize("scope", Scope)
def test_admin_includes_every_other_scope(scope: Scope) -> None:
    a_grant(scopes=frozenset({Scope.ADMIN})).principal().require(scope)


def test_a_projects_own_admin_key_has_no_say_over_the_workspace() -> None:
    a_grant().principal("search").require_workspace()
    with pytest.raises(NotAllowed) as refused:
        a_grant(project=SEARCH).principal().require_workspace()
    assert refused.value.code == "workspace_key_needed"


@pytest.mark.parametrize("name", ["default", "Search v2", "team/web-1.0", "x", "x" * 100])
def test_a_project_may_have_a_name_that_travels_in_a_header(name: str) -> None:
    assert checked_project_name(name) == name


@pytest.mark.parametrize("name", ["", " x", "x ", "-x", "café", "a\nb", "a\x00b", "x" * 101, "a,b"])
def test_a_project_may_not_have_any_other_name(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked_project_name(name)
    assert refused.value.errors[0].pointer == "/name"


def test_a_key_may_have_any_name_that_can_be_shown() -> None:
    assert checked_key_name(" Läptop 🎈 ") == "Läptop 🎈"


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00b", "a\u2028b", "\ud800", "x" * 101])
def test_a_key_may_not_have_a_name_that_can_not_be_shown(name: str) -> None:
    with pytest.raises(InvalidInput):
        checked_key_name(name)
