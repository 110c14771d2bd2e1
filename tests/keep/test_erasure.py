"""Erasures: asked for in a file, done by whoever keeps the readings, told by a receipt that names nobody."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from bimetal.keep.archive import ERASURES, Archive
from bimetal.keep.erasure import ErasureFolder
from bimetal.nouns.errors import BadInput, NotFound
from tests.keep.given import START, batch

MARK = "patient-7f3a-marker"


def test_a_wish_becomes_a_receipt_that_names_nobody(tmp_path: Path) -> None:
    folder = ErasureFolder(tmp_path / "erasures")
    assert folder.all() == ()
    asked = folder.ask(MARK, secrets.token_bytes, START)
    other = ErasureFolder(tmp_path / "erasures")
    assert other.asked() == (asked,)
    done = other.finish(asked, {"readings": 3}, interrupted=False)
    assert folder.asked() == ()
    assert folder.find(asked.id) == done
    assert (done.device, done.found) == ("", {"readings": 3})
    assert done.is_of(MARK)
    assert not done.is_of("fan")
    assert all(MARK.encode() not in p.read_bytes() for p in (tmp_path / "erasures").iterdir())
    with pytest.raises(NotFound):
        folder.find("0")


def test_a_certificate_from_before_counts_no_longer_and_a_new_one_does(tmp_path: Path) -> None:
    folder = ErasureFolder(tmp_path / "erasures")
    assert not folder.bars(MARK, START)
    asked = folder.ask(MARK, secrets.token_bytes, START)
    for _ in ("asked", "done"):
        assert folder.bars(MARK, START - 1)
        assert not folder.bars(MARK, START + 1)
        assert not folder.bars("fan", START - 1)
        folder.finish(asked, {}, interrupted=False)


def test_opening_a_folder_erases_what_was_asked_meanwhile(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.segments.append(batch(30, devices=(MARK, "fan")))
    archive.close()
    asked = ErasureFolder(tmp_path / ERASURES).ask(MARK, secrets.token_bytes, START)
    archive = Archive(tmp_path)
    receipt = archive.erasures.find(asked.id)
    assert {h.device for h in archive.segments.held()} == {"fan"}
    archive.close()
    assert not receipt.device
    assert receipt.found["readings"] > 0


@pytest.mark.parametrize("content", [b"", b"{}", b"[", b'{"id": 7}', b"\xff"])
def test_what_is_no_erasure_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(BadInput, match="no erasure"):
        ErasureFolder(tmp_path).all()


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        ErasureFolder(tmp_path).ask("a/b", secrets.token_bytes, START)
