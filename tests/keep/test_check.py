"""The check: no byte that changed is handed out, wherever it is and however it is asked for."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimetal.keep.check import CheckedFile, CheckedReader, checks_of
from bimetal.keep.store import OpenFile
from bimetal.nouns.errors import BadInput, NotFound
from tests.keep.given import flip

CONTENT = bytes(range(256)) * 4
ENDS = [100, 101, 600, 1024]


def read(file: CheckedFile, start: int, count: int) -> bytes:
    reader = CheckedReader(file)
    reader.seek(start)
    found = reader.read(count)
    assert reader.tell() == max(start, min(start + count, file.size))
    return found


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checked") / "a"
    path.write_bytes(CONTENT)
    return path


@given(st.integers(0, 1100), st.integers(0, 1100))
def test_what_is_read_is_what_is_there(path: Path, start: int, count: int) -> None:
    file = CheckedFile(OpenFile(path), checks_of(path, ENDS))
    for _ in range(2):
        assert read(file, start, count) == CONTENT[start : start + count]
    file.close()


@settings(max_examples=60)
@given(st.integers(0, 1023), st.integers(0, 1023), st.integers(1, 1024))
def test_a_changed_byte_is_seen_by_whoever_reads_its_part(
    tmp_path_factory: pytest.TempPathFactory, at: int, start: int, count: int
) -> None:
    path = tmp_path_factory.mktemp("changed") / "a"
    path.write_bytes(CONTENT)
    checks = checks_of(path, ENDS)
    flip(path, at)
    file = CheckedFile(OpenFile(path), checks)
    part = next(k for k, end in enumerate(ENDS) if at < end)
    first = ENDS[part - 1] if part else 0
    if start < ENDS[part] and min(start + count, 1024) > first:
        with pytest.raises(BadInput, match="changed or damaged"):
            read(file, start, count)
    else:
        assert read(file, start, count) == CONTENT[start : start + count]
    file.close()


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"x", b""])
def test_a_file_of_another_length_is_refused(tmp_path: Path, path: Path, content: bytes) -> None:
    other = tmp_path / "a"
    other.write_bytes(content)
    with pytest.raises(BadInput, match="changed or damaged"):
        CheckedFile(OpenFile(other), checks_of(path, ENDS))


def test_a_file_that_is_gone_is_said(tmp_path: Path, path: Path) -> None:
    with pytest.raises(NotFound):
        CheckedFile(OpenFile(tmp_path / "b"), checks_of(path, ENDS))


def test_an_unlinked_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(CONTENT)
    file = CheckedFile(OpenFile(path), checks_of(path, ENDS))
    path.unlink()
    assert read(file, 0, 5000) == CONTENT
    file.close()


def test_threads_that_share_a_reader_have_each_their_own_place(path: Path) -> None:
    reader = CheckedReader(CheckedFile(OpenFile(path), checks_of(path, ENDS)))
    found: list[bytes] = []

    def read_elsewhere() -> None:
        reader.seek(700)
        found.append(reader.read(20))

    reader.seek(10)
    other = threading.Thread(target=read_elsewhere)
    other.start()
    other.join()
    assert (reader.read(20), found) == (CONTENT[10:30], [CONTENT[700:720]])
