from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from llmlab import _spool
from llmlab._segment import Segment, decode_line, encode_line
from llmlab._spool import Claim, Spool
from llmlab._stats import Drops


def make(folder: Path, **limits: Any) -> Spool:
    return Spool(str(folder), Drops(), **limits)


def drained(spool: Spool) -> list[bytes]:
    events: list[bytes] = []
    while True:
        claim = spool.claim()
        if claim is None:
            return events
        events += claim.events
        spool.settle(claim)


def claimed(spool: Spool) -> Claim:
    claim = spool.claim()
    assert claim is not None
    return claim


def abandon(spool: Spool) -> None:
    """What the end of a process does to its files: the locks are gone, the bytes are not."""
    for segment in spool._own_segments():
        segment.close()


def test_line_survives_a_round_trip_and_a_torn_one_is_known() -> None:
    line = encode_line(b'{"model":"gpt-4"}')
    assert decode_line(line[:-1]) == b'{"model":"gpt-4"}'
    for damaged in (line[:-2], line[1:-1], line[:-1].replace(b"4", b"5"), b"", b"2 0 {}"):
        assert decode_line(damaged) is None


def test_events_come_out_in_order_and_only_once(tmp_path: Path) -> None:
    spool = make(tmp_path)
    for number in range(2500):
        spool.append(b"%d" % number)
    assert len(claimed(spool).events) == 1000
    assert drained(spool) == [b"%d" % number for number in range(2500)]
    assert (spool.written, spool.settled) == (2500, 2500)


def test_claimed_events_stay_until_they_are_settled(tmp_path: Path) -> None:
    spool = make(tmp_path)
    spool.append(b"1")
    assert claimed(spool).events == claimed(spool).events == [b"1"]
    assert spool.has_events()


def test_settled_spool_is_an_empty_file_that_disappears(tmp_path: Path) -> None:
    spool = make(tmp_path)
    for _ in range(3):
        spool.append(b"1")
        drained(spool)
        assert [path.stat().st_size for path in tmp_path.iterdir()] == [0]
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_events_written_while_a_batch_is_under_way_are_kept(tmp_path: Path) -> None:
    spool = make(tmp_path)
    spool.append(b"1")
    claim = claimed(spool)
    spool.append(b"2")
    spool.settle(claim)
    assert drained(spool) == [b"2"]


def test_files_are_private_and_existing_modes_stay(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    folder = tmp_path / "home" / "spool" / "0123"
    make(folder).append(b"1")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path, folder.parent, folder)]
    assert modes == [0o755, 0o700, 0o700]
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]


def test_files_are_named_after_process_and_start(tmp_path: Path) -> None:
    make(tmp_path).append(b"1")
    (path,) = tmp_path.iterdir()
    pid, start = path.stem.split("-")
    assert int(pid) == os.getpid()
    assert int(start) > 1_700_000_000_000


def test_full_segments_are_followed_by_new_ones_and_deleted_when_settled(tmp_path: Path) -> None:
    spool = make(tmp_path, max_segment_bytes=100)
    for number in range(20):
        spool.append(b"%d" % number)
    assert len(list(tmp_path.iterdir())) == 3
    assert drained(spool) == [b"%d" % number for number in range(20)]
    assert len(list(tmp_path.iterdir())) == 1


def test_file_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    living, other = make(tmp_path), make(tmp_path)
    living.append(b"1")
    other.adopt_orphans()
    assert drained(other) == []


def test_file_of_a_dead_process_is_delivered_and_deleted(tmp_path: Path) -> None:
    dead, next_one = make(tmp_path), make(tmp_path)
    dead.append(b"1")
    dead.append(b"2")
    abandon(dead)
    next_one.adopt_orphans()
    assert drained(next_one) == [b"1", b"2"]
    assert list(tmp_path.iterdir()) == []
    assert next_one.settled == 0


def test_only_one_process_adopts_an_orphan(tmp_path: Path) -> None:
    dead, first, second = make(tmp_path), make(tmp_path), make(tmp_path)
    dead.append(b"1")
    abandon(dead)
    first.adopt_orphans()
    second.adopt_orphans()
    assert (first.has_events(), second.has_events()) == (True, False)


def test_torn_tail_is_skipped_and_counted(tmp_path: Path) -> None:
    good = encode_line(b"1") + encode_line(b"2")
    (tmp_path / "1-2.jsonl").write_bytes(good + encode_line(b"3")[:-4])
    drops = Drops()
    spool = Spool(str(tmp_path), drops)
    spool.adopt_orphans()
    assert drained(spool) == [b"1", b"2"]
    assert drops.as_dict() == {"torn": 1}


def test_garbage_in_the_middle_costs_only_itself(tmp_path: Path) -> None:
    lines = encode_line(b"1") + b"1 00000000 \xff\x00garbage\n" + encode_line(b"2")
    (tmp_path / "1-2.jsonl").write_bytes(lines)
    spool = make(tmp_path)
    spool.adopt_orphans()
    assert drained(spool) == [b"1", b"2"]


def test_file_of_a_later_version_is_left_for_those_who_know(tmp_path: Path) -> None:
    path = tmp_path / "1-2.jsonl"
    path.write_bytes(b"2 whatever it will be\n")
    spool = make(tmp_path)
    spool.adopt_orphans()
    assert not spool.has_events()
    assert path.exists()


def test_file_too_old_to_matter_is_counted_and_deleted(tmp_path: Path) -> None:
    path = tmp_path / "1-2.jsonl"
    path.write_bytes(encode_line(b"1") * 3)
    os.utime(path, (1, 1))
    drops = Drops()
    spool = Spool(str(tmp_path), drops)
    spool.adopt_orphans()
    assert not path.exists()
    assert drops.as_dict() == {"too_old": 3}


def test_spool_has_a_largest_size_and_counts_what_it_turns_away(tmp_path: Path) -> None:
    drops = Drops()
    spool = Spool(str(tmp_path), drops, max_bytes=1_000, max_segment_bytes=500)
    for _ in range(1_000):
        spool.append(b"x" * 50)
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert size < 2_000
    assert drops.as_dict() == {"spool_full": 1_000 - spool.written}


def test_unwritable_disk_leaves_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_spool, "MAX_MEMORY_EVENTS", 5)
    blocker = tmp_path / "file"
    blocker.write_text("a file where the folder should be")
    drops = Drops()
    spool = Spool(str(blocker / "spool"), drops)
    for number in range(8):
        spool.append(b"%d" % number)
    assert drained(spool) == [b"0", b"1", b"2", b"3", b"4"]
    assert drops.as_dict() == {"memory_full": 3}


def test_half_written_line_spoils_neither_itself_nor_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk may take a part of a line: the event then waits in memory."""
    spool = make(tmp_path)
    spool.append(b"1")
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:7]))
    spool.append(b"2")
    monkeypatch.undo()
    spool.append(b"3")
    assert sorted(drained(spool)) == [b"1", b"2", b"3"]


def test_full_disk_is_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    spool = make(tmp_path)
    monkeypatch.setattr(os, "write", full)
    spool.append(b"1")
    monkeypatch.undo()
    spool.append(b"2")
    assert sorted(drained(spool)) == [b"1", b"2"]


def test_new_file_that_an_adopter_took_for_an_orphan_is_made_again(tmp_path: Path) -> None:
    path = str(tmp_path / "1-2.jsonl")
    segment = Segment.create(path)
    assert segment is not None
    assert Segment.create(path) is None
    assert Segment.adopt(path) is None
    segment.close()
    adopted = Segment.adopt(path)
    assert adopted is not None
    adopted.remove()
    assert not os.path.exists(path)
