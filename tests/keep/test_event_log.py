"""The event log: durable, read by time and device, rewritten when something must go."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest

from bimetal.keep import line_file
from bimetal.keep.event_log import EventLog
from bimetal.nouns.errors import Unsupported
from tests.keep.given import START, event

DAY = 86_400_000_000_000
EVENTS = tuple(event(device, START + k * DAY) for k in range(3) for device in ("pump", "fan"))


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    log = EventLog(tmp_path / "events")
    log.append(EVENTS)
    return log


def test_events_come_back_in_order_of_time(log: EventLog) -> None:
    log.append([event("late", START - 5 * DAY)])
    told = EventLog(log.folder).read()
    assert told.events == (event("late", START - 5 * DAY), *EVENTS)
    assert told.damaged == 0


def test_events_are_found_by_time_and_device(log: EventLog) -> None:
    assert log.read(device="fan").events == EVENTS[1::2]
    assert log.read(START + DAY, START + 2 * DAY).events == EVENTS[2:4]
    assert log.read(START + 1, START + DAY + 1, "pump").events == EVENTS[2:3]


def test_a_line_cut_by_a_crash_is_dropped_when_opening(log: EventLog) -> None:
    path = max(log.folder.glob("*.jsonl"))
    path.write_bytes(path.read_bytes()[:-20])
    log = EventLog(log.folder)
    assert log.read().events == EVENTS[:-1]
    log.append(EVENTS[-1:])
    assert log.read().events == EVENTS


def test_a_damaged_line_is_counted_and_costs_no_other(log: EventLog) -> None:
    path = min(log.folder.glob("*.jsonl"))
    path.write_bytes(b"\xff\x00 not json\n" + path.read_bytes())
    told = log.read()
    assert (told.events, told.damaged) == (EVENTS, 1)


def test_old_events_are_forgotten(log: EventLog) -> None:
    assert log.forget_before(START + DAY + 1) == 4
    assert log.read().events == EVENTS[4:]
    assert len(list(log.folder.iterdir())) == 1


def test_a_devices_events_are_erased(log: EventLog) -> None:
    assert log.erase("pump") == 3
    assert log.read().events == EVENTS[1::2]
    assert not any(b"pump" in p.read_bytes() for p in log.folder.iterdir())


def test_a_full_disk_adds_nothing(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    real = line_file.write_all

    def full(handle: int, content: bytes) -> None:
        real(handle, content[:30])
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(line_file, "write_all", full)
    with pytest.raises(Unsupported, match="no room"):
        log.append([event()])
    monkeypatch.undo()
    assert log.read() == EventLog(log.folder).read()
    assert log.read().events == EVENTS


def test_other_files_in_the_folder_are_left_alone(log: EventLog) -> None:
    for name in ("notes.txt", "9999-99-99.jsonl", "abcd-ef-gh.jsonl"):
        (log.folder / name).write_text("mine")
    log.erase("pump")
    assert EventLog(log.folder).read().damaged == 0
    assert (log.folder / "9999-99-99.jsonl").read_text() == "mine"


def test_ids_of_later_batches_are_found_whatever_day_they_are_about(log: EventLog) -> None:
    for number, day in ((1, 9), (2, 3), (10, 9), (11, -4)):
        log.append([replace(event("pump", START + day * DAY), id=f"{number}:0:plant:pump")])
    assert log.ids_after(2) == {"10:0:plant:pump", "11:0:plant:pump"}
    assert len(log.ids_after(0)) == 4
    assert log.ids_after(11) == frozenset()


@pytest.mark.parametrize("line", [b"\xff\x00 no line\n", b"[]\n", b'{"id": 3}\n', b'{"id": "\\u00b2:0"}\n'])
def test_ids_are_found_past_lines_that_hold_none(log: EventLog, line: bytes) -> None:
    path = max(log.folder.glob("*.jsonl"))
    log.append([replace(event("pump", START + 2 * DAY), id="5:0:plant:pump")])
    if b"u00b2" not in line:  # an id of nobody's is older than everything
        path.write_bytes(path.read_bytes() + line)
    log.append([replace(event("pump", START + 2 * DAY), id="6:0:plant:pump")])
    assert log.ids_after(4) == {"5:0:plant:pump", "6:0:plant:pump"}
