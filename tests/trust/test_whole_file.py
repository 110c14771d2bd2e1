"""A file of keys is there whole or not at all, for its owner alone, and nothing is left beside it."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from bimetal.trust.whole_file import put, put_once


def test_what_is_put_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    put(path, b"one")
    put(path, b"two")
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_whoever_comes_second_keeps_the_first(tmp_path: Path) -> None:
    path = tmp_path / "a.pub"
    put_once(path, b"one", mode=0o644)
    put_once(path, b"two", mode=0o600)
    assert path.read_bytes() == b"one"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_many_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    contents = [bytes([k]) * 1000 for k in range(8)]
    threads = [threading.Thread(target=put_once, args=(path, content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("write", [put, put_once])
def test_where_it_cannot_be_nothing_is_left(tmp_path: Path, write: object) -> None:
    assert callable(write)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "in it").touch()
    with pytest.raises(OSError, match="none"):
        write(tmp_path / "none" / "a.key", b"one")
    if write is put:
        with pytest.raises(OSError, match="taken"):
            write(tmp_path / "taken", b"one")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["taken"]
