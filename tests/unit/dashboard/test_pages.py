"""Every page, as Reflex compiles it."""

import pytest
import reflex as rx

from llmlab_app.dashboard.pages.call import call_page
from llmlab_app.dashboard.pages.first_run import first_run_page
from llmlab_app.dashboard.pages.login import login_page
from llmlab_app.dashboard.pages.not_found import not_found_page
from llmlab_app.dashboard.pages.overview import overview_page
from llmlab_app.dashboard.pages.routes import add_pages

FRAMED = (overview_page, first_run_page, call_page, not_found_page)


def compiled(page: object) -> str:
    return str(page())  # type: ignore[operator]


@pytest.mark.parametrize("page", [*FRAMED, login_page])
def test_a_page_has_one_main_landmark_and_a_heading(page: object) -> None:
    code = compiled(page)
    assert code.count('jsx("main"') == 1
    assert 'jsx("h1"' in code


@pytest.mark.parametrize("page", FRAMED)
def test_a_page_begins_with_a_way_past_the_navigation(page: object) -> None:
    code = compiled(page)
    assert code.index("Skip to content") < code.index('jsx("nav"')


@pytest.mark.parametrize("page", FRAMED)
def test_every_table_has_a_caption(page: object) -> None:
    code = compiled(page)
    assert code.count('jsx("table"') == code.count('jsx("caption"')


@pytest.mark.parametrize("page", [overview_page, first_run_page])
def test_the_navigation_marks_the_page_on_desktop_and_phone(page: object) -> None:
    assert compiled(page).count('"aria-current":"page"') == 2


def test_every_page_has_a_title_of_its_own() -> None:
    app = rx.App()
    add_pages(app)
    titles = {str(page.title) for page in app._unevaluated_pages.values()}
    assert len(titles) == len(app._unevaluated_pages) == 5
