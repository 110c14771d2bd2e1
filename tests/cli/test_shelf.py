"""Shelf: what is kept is written whole, and loaded only from where nobody else can have put it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bimetal.cli.shelf import LocalShelf, unsafe
from bimetal.nouns.errors import Unsupported


def test_what_was_put_is_found_and_is_the_users_alone(tmp_path: Path) -> None:
    shelf = LocalShelf(tmp_path / "a" / "b")
    path = Path(shelf.put("x.so", b"data"))
    assert shelf.find("x.so") == str(path)
    assert path.read_bytes() == b"data"
    assert path.stat().st_mode & 0o777 == 0o700
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [f.name for f in path.parent.iterdir()] == ["x.so"]


def test_what_was_put_again_is_the_newer(tmp_path: Path) -> None:
    shelf = LocalShelf(tmp_path / "n")
    for data in (b"one", b"two"):
        path = shelf.put("x.so", data)
    assert Path(path).read_bytes() == b"two"


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o722, 0o1777])
def test_a_folder_others_can_write_to_is_not_trusted(mode: int, tmp_path: Path) -> None:
    shelf = LocalShelf(tmp_path / "n")
    shelf.put("x.so", b"data")
    (tmp_path / "n").chmod(mode)
    assert shelf.find("x.so") == ""
    with pytest.raises(Unsupported, match="can be written to by others"):
        shelf.put("y.so", b"data")
    assert not (tmp_path / "n" / "y.so").exists()


def test_a_folder_below_one_that_others_can_write_to_is_not_trusted(tmp_path: Path) -> None:
    shelf = LocalShelf(tmp_path / "open" / "n")
    shelf.put("x.so", b"data")
    (tmp_path / "open").chmod(0o777)
    assert shelf.find("x.so") == ""
    (tmp_path / "open").chmod(0o1777)
    assert shelf.find("x.so") != "", "there, nobody can rename what belongs to others"


@pytest.mark.parametrize("mode", [0o777, 0o720])
def test_a_file_others_can_write_to_is_not_trusted(mode: int, tmp_path: Path) -> None:
    shelf = LocalShelf(tmp_path / "n")
    Path(shelf.put("x.so", b"data")).chmod(mode)
    assert shelf.find("x.so") == ""


def test_links_are_not_followed(tmp_path: Path) -> None:
    real = LocalShelf(tmp_path / "real")
    real.put("x.so", b"data")
    (tmp_path / "real" / "y.so").symlink_to(tmp_path / "real" / "x.so")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert real.find("y.so") == ""
    assert LocalShelf(tmp_path / "link").find("x.so") == ""


def test_a_folder_of_somebody_else_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = LocalShelf(tmp_path / "n")
    shelf.put("x.so", b"data")
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    assert shelf.find("x.so") == ""
    assert "not a folder of this user" in unsafe(tmp_path / "n")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unsupported, match="cannot be written"):
        LocalShelf(tmp_path / "file" / "n").put("x.so", b"data")


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    assert LocalShelf(tmp_path / "n").find("x.so") == ""
