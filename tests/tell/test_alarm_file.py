"""The file of alarms: what was open stays open over a restart; other files are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bimetal.nouns import Kind
from bimetal.nouns.errors import BadInput, NotFound, Unsupported
from bimetal.tell.alarm import Alarms
from bimetal.tell.alarm_file import load_alarms, save_alarms
from tests.tell.given import HOSTILE, START, event


def test_every_alarm_comes_back(tmp_path: Path) -> None:
    alarms = Alarms()
    for name in ("pump", "fan", "mill"):
        alarms.take(event(0, device=name, sentence=HOSTILE))
    alarms.see(1, "ada")
    alarms.snooze(2, START + 10**12, START, "bob")
    alarms.take(event(9, Kind.CLEARED, device="mill"))
    save_alarms(tmp_path / "a", alarms.all())
    assert load_alarms(tmp_path / "a") == alarms.all()
    save_alarms(tmp_path / "a", ())
    assert load_alarms(tmp_path / "a") == ()


def test_no_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load_alarms(tmp_path / "a")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"hello\n",
        b"\xff\xfe",
        b'{"bimetal_alarms":1}\n{"id":1}',
        b'{"bimetal_alarms":1}\n{"id":1,"event"',
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(BadInput, match="not a file of alarms"):
        load_alarms(tmp_path / "a")


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b'{"bimetal_alarms":2}\n')
    with pytest.raises(Unsupported, match="format 2"):
        load_alarms(tmp_path / "a")


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    alarms = Alarms()
    alarms.take(event(0))
    save_alarms(tmp_path / "a", alarms.all())
    bad = replace(alarms.all()[0], event=event(0, sentence="\ud800"))
    with pytest.raises(BadInput):
        save_alarms(tmp_path / "a", [bad])
    assert load_alarms(tmp_path / "a") == alarms.all()
