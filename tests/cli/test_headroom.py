"""`bimetal headroom`: what the history in a folder says; and how a server looks at itself."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bimetal.cli.gauging import FILE, Gauge, history_of, memory_limit, resident_bytes
from bimetal.keep.archive import Archive
from bimetal.nouns.errors import BadInput, NotFound
from bimetal.stream.meter import History, Meter
from tests.cli.ground import call
from tests.stream.given import stream
from tests.stream.spells import GIGA, NOW, STILL, history

NEAR = history(lambda d: 20_000 + 1000 * d, spells=240, seconds=3600)
"""A server whose processor is used up in a month."""


def folder_of(place: Path, kept: History = NEAR) -> Path:
    """A folder with the history of a server, moved so that it ends now."""
    place.mkdir(exist_ok=True)
    later = time.time_ns() - NOW
    spells = tuple(replace(s, begin_ns=s.begin_ns + later, end_ns=s.end_ns + later) for s in kept.spells)
    (place / FILE).write_bytes(History(spells).encode())
    return place


def test_the_first_limit_its_date_and_what_to_change(tmp_path: Path) -> None:
    ended = call("headroom", "--data", folder_of(tmp_path / "kept"))
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].startswith(("Taking readings in at its limit about 20", "Scoring at its limit about 20"))
    assert {line.split()[0] for line in lines[1:5]} == {"ingest", "scoring", "disk", "memory"}
    assert lines[5].startswith("What to do: ")
    assert "add a worker" in lines[5]


def test_figures_for_programs(tmp_path: Path) -> None:
    told = json.loads(call("headroom", "--data", folder_of(tmp_path / "kept"), "--json").out)
    assert set(told) == {"first", "words", "advice", "enough", "watched_s", "rate", "capacity", "limits"}
    assert told["first"] in ("ingest", "scoring")
    assert told["capacity"] == pytest.approx(47_500, rel=0.1)
    first = told["limits"][0]
    assert set(first) == {"bound", "used", "figures", "known", "about", "earliest", "latest"}
    assert first["earliest"] <= first["about"] <= first["latest"]


def test_keeping_for_less_long_moves_the_date_of_the_disk(tmp_path: Path) -> None:
    small = replace(STILL, disk_free=GIGA, kept_bytes=GIGA)
    folder = folder_of(tmp_path / "kept", history(lambda _: 100.0, spells=480, seconds=3600, like=small))
    assert json.loads(call("headroom", "--data", folder, "--json").out)["first"] == "disk"
    told = json.loads(call("headroom", "--data", folder, "--keep-days", "20", "--json").out)
    assert told["first"] is None


@pytest.mark.parametrize("name", ["nowhere", "emp\u202ety"])
def test_where_no_server_was_there_is_a_word(tmp_path: Path, name: str) -> None:
    if name != "nowhere":
        (tmp_path / name).mkdir()
    said = call("headroom", "--data", tmp_path / name).sentence(4)
    assert "no server was watched here yet" in said


@pytest.mark.parametrize("content", [b"", b"\x80", b"{}"[:1], b'{"spells": [{"begin_ns": 5, "end_ns": 1}]}'])
def test_a_damaged_history_is_named(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / FILE).write_bytes(content)
    said = call("headroom", "--data", folder).sentence(1)
    assert FILE in said
    assert "Move the file away" in said


def test_a_history_that_is_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "kept" / FILE).mkdir(parents=True)
    assert FILE in call("headroom", "--data", tmp_path / "kept").sentence(1)


@pytest.mark.parametrize("days", ["0", "-3", "nan", "inf", "1e9", "soon"])
def test_days_that_are_none_are_refused(tmp_path: Path, days: str) -> None:
    assert call("headroom", "--data", folder_of(tmp_path / "kept"), "--keep-days", days).code == 2


def test_a_gauge_notes_what_was_taken_in_and_how_things_stand(tmp_path: Path) -> None:
    archive, meter = Archive(tmp_path / "kept"), Meter(time.thread_time, time.process_time)
    begin = time.time_ns()
    gauge = Gauge(tmp_path / "kept", meter, begin)
    batch = stream(60)
    with meter.call() as call_:
        call_.decoded([0] * 60, batch.readings)
        archive.segments.append(batch, arrived_ns=begin)
        call_.kept()
    gauge.met(batch.devices)
    found = gauge.look(begin + 10 * 10**9)
    (spell,) = gauge.history.spells
    assert (spell.readings, spell.messages, spell.devices) == (batch.readings, 60, len(batch.devices))
    assert spell.kept_bytes > 0 < spell.disk_free
    assert 0 < spell.memory_bytes < spell.memory_limit
    assert (found.enough, found.rate) == (False, batch.readings / 10)
    gauge.save()
    archive.close()
    assert history_of(tmp_path / "kept") == gauge.history


def test_a_gauge_goes_on_with_what_is_there_and_begins_anew_where_it_cannot(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "kept")
    Archive(folder).close()
    now_ns = time.time_ns()
    assert len(Gauge(folder, Meter(time.thread_time, time.process_time), now_ns).history.spells) == 240
    assert not Gauge(folder, Meter(time.thread_time, time.process_time), now_ns - 10**18).history.spells
    (folder / FILE).write_bytes(b"rubbish")
    with pytest.raises(BadInput):
        history_of(folder)
    assert not Gauge(folder, Meter(time.thread_time, time.process_time), now_ns).history.spells
    (folder / FILE).unlink()
    with pytest.raises(NotFound):
        history_of(folder)


def test_a_process_holds_less_than_it_may() -> None:
    held = resident_bytes()
    assert 1_000_000 < held < memory_limit(held)
