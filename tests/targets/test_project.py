"""A folder of files is written whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from bimetal.nouns.errors import BadInput
from bimetal.targets.project import write_folder


def test_files_are_written_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "a.c").write_text("old")
    write_folder({"a.c": b"new", "b.c": b"\x00\xff"}, str(tmp_path))
    assert {f.name: f.read_bytes() for f in tmp_path.iterdir()} == {
        "mine.txt": b"mine",
        "a.c": b"new",
        "b.c": b"\x00\xff",
    }


def test_a_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    write_folder({"a.c": b"new"}, str(tmp_path / "far" / "down"))
    assert (tmp_path / "far" / "down" / "a.c").read_bytes() == b"new"


def test_a_fault_leaves_the_old_files_alone(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("old")
    (tmp_path / "b.c.new").mkdir()
    with pytest.raises(BadInput, match="cannot be written"):
        write_folder({"a.c": b"new", "b.c": b"new"}, str(tmp_path))
    assert (tmp_path / "a.c").read_text() == "old"
    assert sorted(f.name for f in tmp_path.iterdir()) == ["a.c", "b.c.new"]


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "made").write_text("a file")
    with pytest.raises(BadInput, match="cannot be written"):
        write_folder({"a.c": b""}, str(tmp_path / "made"))
