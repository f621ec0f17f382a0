from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from llmlab_app.adapters import host_timezone as adapter
from llmlab_app.adapters.host_timezone import host_timezone


@pytest.fixture(autouse=True)
def not_read_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """tzlocal reads the zone once a process."""
    monkeypatch.setattr("tzlocal.unix._cache_tz_name", None)


@pytest.mark.parametrize(
    ("variable", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (":America/New_York", "America/New_York"),
        ("Etc/UTC", "UTC"),
        ("Nowhere/AtAll", "UTC"),
        ("../../etc/passwd", "UTC"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # tzlocal warns about what it can't read
def test_the_zone_of_the_host_comes_from_tz(
    monkeypatch: pytest.MonkeyPatch, variable: str, zone: str
) -> None:
    monkeypatch.setenv("TZ", variable)
    assert host_timezone() == zone


def test_without_tz_the_systems_zone_is_one_we_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    ZoneInfo(host_timezone())


def test_a_host_whose_files_contradict_each_other_is_in_utc(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def contradiction() -> str:
        raise ZoneInfoNotFoundError("Multiple conflicting time zone configurations found")

    monkeypatch.setattr(adapter, "get_localzone_name", contradiction)
    assert host_timezone() == "UTC"
