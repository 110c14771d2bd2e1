"""The journal: what was finished is read, what was torn is left out, what was damaged is said."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.keep import journal as journal_file
from bimetal.keep.journal import END, HEAD, KIND, Journal, Record, frame, read_journal, write_journal
from bimetal.nouns.errors import BadInput, NotAllowed, Unsupported
from tests.keep.given import flip

RECORDS = [Record(k, bytes([k]) * 50 * k) for k in range(1, 6)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "1.journal"


def test_records_come_back_in_order(path: Path) -> None:
    journal = Journal(path)
    for record in RECORDS:
        journal.append(record)
    journal.close()
    found = read_journal(path)
    assert (found.records, found.torn_bytes, found.damaged_at) == (RECORDS, 0, [])


@given(st.lists(st.binary(max_size=200), max_size=8), st.data())
def test_a_cut_anywhere_keeps_every_whole_record(contents: list[bytes], data: st.DataObject) -> None:
    records = [Record(k, content) for k, content in enumerate(contents)]
    whole = HEAD + b"".join(frame(r) for r in records)
    cut = data.draw(st.integers(0, len(whole)))
    path = Path(os.environ["BIMETAL_HOME"]) / "cut.journal"
    path.write_bytes(whole[:cut])
    ends = [len(HEAD) + sum(len(frame(r)) for r in records[: k + 1]) for k in range(len(records))]
    found = read_journal(path)
    assert found.records == [r for r, end in zip(records, ends, strict=True) if end - len(END) <= cut]
    assert found.damaged_at == []


def test_blocks_that_were_never_written_are_torn_and_not_damaged(path: Path) -> None:
    whole = HEAD + b"".join(frame(r) for r in RECORDS)
    path.write_bytes(whole[:-100] + bytes(4096))
    found = read_journal(path)
    assert (found.records, found.damaged_at) == (RECORDS[:-1], [])


@pytest.mark.parametrize("place", ["mark", "sequence", "length", "content"])
@pytest.mark.parametrize("which", [0, 2, 4])
def test_one_flipped_bit_is_seen_and_costs_one_record(path: Path, place: str, which: int) -> None:
    write_journal(path, RECORDS)
    start = len(HEAD) + sum(len(frame(r)) for r in RECORDS[:which])
    flip(path, start + {"mark": 0, "sequence": 5, "length": 13, "content": 30}[place])
    found = read_journal(path)
    assert found.records == RECORDS[:which] + RECORDS[which + 1 :]
    assert found.damaged_at[0] == start


def test_a_flipped_end_mark_costs_nothing(path: Path) -> None:
    write_journal(path, RECORDS)
    flip(path, -1)
    assert read_journal(path).records == RECORDS


def test_a_newer_format_is_refused(path: Path) -> None:
    path.write_bytes(KIND + b"\x02\x00" + b"anything")
    with pytest.raises(Unsupported, match="format 2"):
        read_journal(path)


def test_a_foreign_file_is_refused(path: Path) -> None:
    path.write_bytes(b"time,temperature\n1,2\n")
    with pytest.raises(BadInput, match="not a journal"):
        read_journal(path)


@pytest.mark.parametrize("content", [b"", HEAD[:3], bytes(512)])
def test_a_journal_whose_head_was_torn_is_empty(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert read_journal(path).records == []


def test_a_failed_append_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(path)
    journal.append(RECORDS[0])
    before = path.read_bytes()
    real = journal_file.write_all

    def half(handle: int, content: bytes) -> None:
        real(handle, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(journal_file, "write_all", half)
    with pytest.raises(Unsupported, match="no room"):
        journal.append(RECORDS[1])
    journal.close()
    assert path.read_bytes() == before


def test_a_journal_that_cannot_be_begun_leaves_no_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int) -> None:
        raise OSError(errno.EROFS, "read-only")

    monkeypatch.setattr(journal_file, "sync_data", refuse)
    with pytest.raises(NotAllowed):
        Journal(path)
    assert not path.exists()
