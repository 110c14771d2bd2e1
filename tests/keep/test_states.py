"""States: whole or refused, and a device can be taken out of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.keep import states as module
from bimetal.keep.states import MAGIC, StateFolder, States, from_bytes, to_bytes
from bimetal.nouns.errors import BadInput, NotFound, Unsupported

GIVEN = States(7, b"k" * 32, {"pump-1": b"\x00\x01", "ç/ü": b"", "fan": b"x" * 300})
CONTENT = to_bytes(GIVEN)


@given(
    st.integers(0, 2**62),
    st.binary(max_size=40),
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), st.binary(max_size=50)),
)
def test_states_come_back_exactly(sequence: int, key: bytes, devices: dict[str, bytes]) -> None:
    given_states = States(sequence, key, devices)
    assert from_bytes(to_bytes(given_states)) == given_states


@given(st.integers(0, len(CONTENT) - 1), st.integers(0, 7))
def test_one_flipped_bit_is_refused(place: int, bit: int) -> None:
    content = bytearray(CONTENT)
    content[place] ^= 1 << bit
    with pytest.raises((BadInput, Unsupported)):
        from_bytes(bytes(content))


@pytest.mark.parametrize("cut", [0, 3, 5, 36, 37, 100, -1])
def test_truncated_states_are_refused(cut: int) -> None:
    with pytest.raises(BadInput):
        from_bytes(CONTENT[:cut])


@given(st.binary(max_size=80))
def test_a_digest_that_fits_does_not_make_a_file(body: bytes) -> None:
    content = MAGIC + bytes([module.VERSION]) + module._digest(body) + body
    with pytest.raises(BadInput):
        from_bytes(content)


def test_a_newer_format_is_refused() -> None:
    with pytest.raises(Unsupported, match="format 9"):
        from_bytes(MAGIC + b"\x09" + bytes(64))


def test_what_was_never_saved_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        StateFolder(tmp_path / "streams").load("plant")


def test_streams_are_kept_apart_whatever_they_are_called(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "streams")
    names = ["plant", "plant 2", "../up", "a/b", "Ünï", "%2e", "CON"]
    for k, name in enumerate(names):
        folder.save(name, States(k, b"", {}))
    assert [folder.load(name).sequence for name in names] == list(range(len(names)))
    assert len(list(folder.folder.iterdir())) == len(names)
    assert [p.name for p in tmp_path.iterdir()] == ["streams"]
    folder.keep_only(["plant", "a/b"])
    assert sorted(p.name for p in folder.folder.iterdir()) == ["a%2Fb.state", "plant.state"]


def test_an_erased_device_is_in_no_file_and_the_others_stay(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "streams")
    folder.save("one", GIVEN)
    folder.save("two", States(3, b"", {"fan": b"y"}))
    (folder.folder / "damaged.state").write_bytes(CONTENT[:-1])
    assert folder.erase("pump-1") == 1
    assert set(folder.load("one").devices) == {"ç/ü", "fan"}
    assert folder.load("two") == States(3, b"", {"fan": b"y"})
    assert not any(b"pump-1" in path.read_bytes() for path in folder.folder.iterdir())


def test_what_a_kill_left_is_swept_away(tmp_path: Path) -> None:
    StateFolder(tmp_path).save("one", GIVEN)
    (tmp_path / ".new-abc").write_bytes(CONTENT[:50])
    assert StateFolder(tmp_path).load("one") == GIVEN
    assert [p.name for p in tmp_path.iterdir()] == ["one.state"]
