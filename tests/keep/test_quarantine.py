"""The quarantine: messages come back byte for byte, in a bounded room, and go with their device."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.keep.quarantine import Quarantine, Refused, read_quarantine
from bimetal.nouns.errors import Unsupported
from tests.keep.given import SECOND, START

TEXT = st.text(max_size=20)
REFUSED = st.builds(Refused, st.integers(-(2**63), 2**63 - 1), TEXT, TEXT, TEXT, st.binary(max_size=100))


def refused(topic: str = "readings/pump", payload: bytes = b"{", time_ns: int = START) -> Refused:
    return Refused(time_ns, topic, "client-1", "this is no JSON", payload)


def messages(quarantine: Quarantine) -> list[Refused]:
    return [m.refused for m in quarantine.read().messages]


@given(st.lists(REFUSED, max_size=6), st.integers(0, 6))
def test_messages_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, given_messages: list[Refused], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("quarantine")
    Quarantine(folder).append(given_messages[:cut])
    quarantine = Quarantine(folder)
    quarantine.append(given_messages[cut:])
    assert messages(quarantine) == given_messages
    assert [m.number for m in quarantine.read().messages] == list(range(1, len(given_messages) + 1))
    assert (quarantine.read().gone, quarantine.read().damaged) == (0, 0)


def test_text_that_is_no_unicode_is_kept_readable(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    quarantine.append([refused(topic="readings/\ud800")])
    assert messages(quarantine)[0].topic == "readings/\\ud800"


def test_the_oldest_go_when_there_is_no_room_and_are_counted(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path, most_bytes=80_000)
    for k in range(60):
        quarantine.append(refused(payload=bytes([k]) * 1000, time_ns=START + k) for _ in range(2))
        assert sum(p.stat().st_size for p in tmp_path.iterdir()) <= 80_000
    found = quarantine.read()
    assert found.messages[-1].number == 120
    assert found.gone == 120 - len(found.messages) > 30
    assert len(found.messages) > 15
    assert len(list(tmp_path.iterdir())) <= 2 * 8
    again = Quarantine(tmp_path, most_bytes=80_000)
    again.append([refused()])
    assert again.read().messages[-1].number == 121


def test_many_at_once_are_as_bounded(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path, most_bytes=80_000)
    quarantine.append(refused(payload=b"x" * 1000) for _ in range(300))
    assert sum(p.stat().st_size for p in tmp_path.iterdir()) <= 80_000
    assert quarantine.read().messages[-1].number == 300


@pytest.mark.parametrize(
    "message",
    [
        refused(topic="readings/größe-7"),
        refused(payload='{"device": "größe-7"'.encode()),
        refused(payload=json.dumps({"device": "größe-7"}).encode()),
        refused(payload=json.dumps({"device": "größe-7"}).upper().encode()),
        refused(payload=b"\x66" + "größe-7".encode() + b"\xff"),
        Refused(START, "readings/x", "größe-7", "no", b""),
        Refused(START, "readings/x", "c", "größe-7 may not", b""),
    ],
)
def test_a_message_goes_with_the_device_it_names(tmp_path: Path, message: Refused) -> None:
    quarantine = Quarantine(tmp_path)
    quarantine.append([refused(), message, refused(payload=b"\xff")])
    assert quarantine.erase("größe-7") == 1
    assert messages(quarantine) == [refused(), refused(payload=b"\xff")]
    assert quarantine.read().gone == 1


def test_old_messages_are_forgotten(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    quarantine.append(refused(time_ns=START + k * SECOND) for k in range(5))
    assert quarantine.forget_before(START + 3 * SECOND) == 3
    assert [m.time_ns for m in messages(quarantine)] == [START + 3 * SECOND, START + 4 * SECOND]


def test_a_line_cut_by_a_crash_is_dropped_and_a_damaged_one_counted(tmp_path: Path) -> None:
    Quarantine(tmp_path).append([refused(), refused(payload=b"two")])
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    assert len(read_quarantine(tmp_path).messages) == 1
    quarantine = Quarantine(tmp_path)
    quarantine.append([refused(payload=b"three")])
    assert [m.payload for m in messages(quarantine)] == [b"{", b"three"]
    path.write_bytes(b"\xff nonsense\n" + path.read_bytes())
    assert quarantine.read().damaged == 1
    quarantine.erase("nobody")
    assert quarantine.read().damaged == 0


def test_a_full_disk_is_said_and_adds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quarantine = Quarantine(tmp_path)
    quarantine.append([refused()])

    def full(handle: int, content: bytes) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr("bimetal.keep.line_file.write_all", full)
    with pytest.raises(Unsupported, match="no room"):
        quarantine.append([refused(payload=b"more")])
    monkeypatch.undo()
    assert messages(quarantine) == [refused()]


def test_a_folder_without_one_is_empty(tmp_path: Path) -> None:
    assert read_quarantine(tmp_path / "nothing").messages == ()
