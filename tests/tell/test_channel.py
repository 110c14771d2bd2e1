"""Channels: found by name, and each keeps the law of the socket."""

from __future__ import annotations

import json
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from bimetal.nouns.errors import BadInput, NotFound, Unsupported
from bimetal.tell import channel as channel_room
from bimetal.tell.channel import channels, open_channel
from tests.tell.given import HOSTILE, notice

SETTINGS = {
    "terminal": {},
    "jsonlines": {"path": "alarms.jsonl"},
    "webhook": {"url": "https://example.org/x"},
}


def test_the_built_in_channels_come_by_the_same_door_as_others() -> None:
    assert set(SETTINGS) <= set(channels())


@pytest.mark.parametrize("name", SETTINGS)
def test_every_channel_opens_and_closes(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_channel(name, SETTINGS[name]).close()


@pytest.mark.parametrize("name", SETTINGS)
def test_an_unknown_setting_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match="no setting 'colour'"):
        open_channel(name, {**SETTINGS[name], "colour": "red"})
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_channel_names_those_there_are() -> None:
    with pytest.raises(NotFound, match="terminal"):
        open_channel("pigeon\n", {})


def test_a_guest_that_cannot_be_loaded_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("broken", "no.such.module:Thing", channel_room.GROUP)
    monkeypatch.setattr(channel_room, "entry_points", lambda group: [broken])
    with pytest.raises(Unsupported, match="cannot be loaded"):
        open_channel("broken", {})


def test_a_guest_comes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    class Guest:
        @classmethod
        def opened(cls, settings):
            return cls()

        def tell(self, given) -> None: ...

        def close(self) -> None: ...

    monkeypatch.setattr(sys.modules[__name__], "Guest", Guest, raising=False)
    point = EntryPoint("guest", f"{__name__}:Guest", channel_room.GROUP)
    monkeypatch.setattr(channel_room, "entry_points", lambda group: [point])
    assert isinstance(open_channel("guest", {}), Guest)


def test_terminal_and_file_take_hostile_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("terminal", "jsonlines"):
        opened = open_channel(name, SETTINGS[name])
        opened.tell(notice(device=HOSTILE[:100], sentence=HOSTILE))
        opened.tell(notice())
        opened.close()
    first, second = capsys.readouterr().out.splitlines()
    assert (first + second).isprintable()
    lines = (tmp_path / "alarms.jsonl").read_text().splitlines()
    assert [json.loads(line)["alarm_id"] for line in lines] == [7, 7]
