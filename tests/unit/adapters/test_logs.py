from collections.abc import Iterator

import pytest
import structlog

from llmlab_app.adapters.logs import configure_logging

KEY = "llmlab_AbCd1234_" + "x" * 49


def fail(detail: str) -> None:
    raise ValueError(detail)


@pytest.fixture
def log(capfd: pytest.CaptureFixture[str]) -> Iterator[structlog.BoundLogger]:
    configure_logging()
    yield structlog.get_logger("test")
    structlog.reset_defaults()


def test_no_secret_reaches_the_log(
    log: structlog.BoundLogger, capfd: pytest.CaptureFixture[str]
) -> None:
    password = "hunter2hunter2"
    try:
        fail(f"refused {KEY} at postgresql://u:{password}@host/db /setup?token=abc123")
    except ValueError:
        log.exception("it failed", api_key=KEY, note=f"key {KEY}", password=password)
    written = capfd.readouterr().err
    assert "it failed" in written
    assert "ValueError" in written
    for secret in (KEY, password, "abc123"):
        assert secret not in written


def test_a_traceback_shows_no_values_of_variables(
    log: structlog.BoundLogger, capfd: pytest.CaptureFixture[str]
) -> None:
    prompt = "tell me a secret"
    try:
        fail("x")
    except ValueError:
        log.exception("it failed")
    assert prompt not in capfd.readouterr().err
