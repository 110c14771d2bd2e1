"""The session file: notes that are durable and whole, and none of them after an erasure."""

from __future__ import annotations

from pathlib import Path

import pytest

from bimetal.keep.session_file import SessionFile
from bimetal.nouns.errors import BadInput, Error

MARK = "patient-7f3a-marker"


@pytest.fixture
def notes(tmp_path: Path) -> SessionFile:
    return SessionFile(tmp_path / "sessions.sqlite")


def test_notes_are_there_again_and_the_last_under_a_key_counts(notes: SessionFile) -> None:
    assert notes.load() == {}
    notes.commit({("letter", "c", "1"): ("a", b"\0\xff"), ("letter", "c", "2"): ("a", b"two")})
    notes.commit({("letter", "c", "1"): ("b", b"new"), ("letter", "c", "2"): None, ("x", "y", "z"): None})
    notes.close()
    assert SessionFile(notes.path).load() == {("letter", "c", "1"): ("b", b"new")}


def test_a_file_is_made_only_for_something(notes: SessionFile) -> None:
    assert notes.load() == {}
    assert notes.erase(MARK) == 0
    assert not notes.path.exists()


def test_names_may_be_anything_that_mqtt_allows(notes: SessionFile) -> None:
    key = ("filter", "a/ü\u202e'\";--", "$share/g/#")
    notes.commit({key: ("+/😀", b"")})
    assert notes.load() == {key: ("+/😀", b"")}


def test_an_erased_device_is_in_no_byte_of_the_file(notes: SessionFile) -> None:
    kept = {("letter", "ear", "2"): ("readings/fan", b"fan"), ("session", "ear", ""): ("ear", b"x")}
    notes.commit(
        {
            ("session", MARK, ""): (MARK, b"1"),
            ("filter", MARK, "a"): (MARK, b"2"),
            ("letter", "ear", "1"): (f"readings/{MARK}", b"3"),
            ("retained", "", f"plant/{MARK}/x"): (f"plant/{MARK}/x", b"4"),
            ("letter", "ear", "3"): ("a", b'{"who": "%s"}' % MARK.encode()),
        }
        | kept
    )
    assert MARK.encode() in notes.path.read_bytes()
    assert notes.erase(MARK) == 5
    assert notes.load() == kept
    notes.close()
    assert MARK.encode() not in notes.path.read_bytes()


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough to be looked at" * 40])
def test_a_file_that_is_not_ours_is_refused_in_words(notes: SessionFile, content: bytes) -> None:
    notes.path.write_bytes(content)
    if not content:
        assert notes.load() == {}
        return
    with pytest.raises(BadInput) as refused:
        notes.load()
    assert str(notes.path) in refused.value.sentence()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(Error, match="cannot be written"):
        SessionFile(tmp_path / "nowhere" / "sessions.sqlite").commit({("a", "b", "c"): ("d", b"")})
