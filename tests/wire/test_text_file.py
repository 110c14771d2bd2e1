"""A file that somebody wrote is read whole, or it is said why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from bimetal.nouns.errors import BadInput, NotFound
from bimetal.wire.text_file import text_of


def test_what_stands_there_is_read_and_all_else_is_said(tmp_path: Path) -> None:
    (tmp_path / "good").write_text("größe = 1\n", "utf-8")
    (tmp_path / "odd").write_bytes(b"\xff\xfe")
    assert text_of(tmp_path / "good") == "größe = 1\n"
    with pytest.raises(NotFound, match="no such file"):
        text_of(tmp_path / "gone")
    for other in (tmp_path / "odd", tmp_path):
        with pytest.raises(BadInput, match="cannot be read"):
            text_of(other)
