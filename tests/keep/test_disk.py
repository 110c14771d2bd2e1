"""The disk: whole files or none, and errors in words."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bimetal.keep import disk
from bimetal.nouns.errors import BadInput, Error, NotAllowed, NotFound, Unsupported


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, Unsupported),
        (errno.EDQUOT, Unsupported),
        (errno.EROFS, NotAllowed),
        (errno.EACCES, NotAllowed),
        (errno.ENOENT, NotFound),
        (errno.EISDIR, BadInput),
    ],
)
def test_each_refusal_has_its_kind_and_names_the_place(number: int, kind: type[Error]) -> None:
    error = disk.refusal(OSError(number, os.strerror(number)), "there/file")
    assert type(error) is kind
    assert "there/file" in error.sentence()


def test_a_whole_file_replaces_another(tmp_path: Path) -> None:
    path = tmp_path / "a"
    disk.write_whole(path, b"old")
    disk.write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["write_all", "sync_folder"])
def test_a_failure_leaves_old_or_new_and_nothing_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "a"
    disk.write_whole(path, b"old")

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(disk, step, refuse)
    with pytest.raises(Unsupported, match="no room"):
        disk.write_whole(path, b"new")
    assert path.read_bytes() in (b"old", b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_writing_goes_on_until_every_byte_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(disk.os, "write", lambda handle, content: real(handle, content[:3]))
    disk.write_whole(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_what_a_killed_writer_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".new-abc").write_bytes(b"half")
    (tmp_path / "kept").write_bytes(b"whole")
    disk.sweep_unfinished(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]


def test_a_folder_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    first = disk.hold(tmp_path)
    with pytest.raises(BadInput, match="somebody else"):
        disk.hold(tmp_path)
    os.close(first)
    os.close(disk.hold(tmp_path))


def test_a_file_in_the_way_of_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(BadInput, match="cannot be used"):
        disk.make_folder(tmp_path / "a")
