"""JSON lines: the event's schema and the alarm it belongs to, appended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bimetal.keep.event_line import from_line
from bimetal.nouns.errors import BadInput, NotFound, Unsupported
from bimetal.tell.channels.jsonlines import JsonLines
from tests.tell.given import notice


def test_lines_are_appended_over_restarts(tmp_path: Path) -> None:
    for k in range(2):
        opened = JsonLines(tmp_path / "a")
        opened.tell(notice(at_s=k))
        opened.close()
    lines = (tmp_path / "a").read_bytes().splitlines()
    assert [from_line(line) for line in lines] == [notice(at_s=k).event for k in range(2)]
    assert json.loads(lines[0])["life"] == "open"


def test_a_line_is_there_before_telling_returns(tmp_path: Path) -> None:
    opened = JsonLines(tmp_path / "a")
    opened.tell(notice())
    assert (tmp_path / "a").read_bytes().endswith(b"\n")
    opened.close()


@pytest.mark.parametrize("settings", [{}, {"path": ""}])
def test_a_path_is_needed(settings: dict[str, str]) -> None:
    with pytest.raises(BadInput, match="path is missing"):
        JsonLines.opened(settings)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        JsonLines(tmp_path / "no" / "a")


def test_a_full_disk_is_said() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full, which this system has not")
    opened = JsonLines(full)
    with pytest.raises(Unsupported, match="no room"):
        opened.tell(notice())
