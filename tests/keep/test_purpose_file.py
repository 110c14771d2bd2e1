"""Purposes: read from a file, one for each signal, and how far back they reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from bimetal.keep.purpose_file import read_purposes
from bimetal.keep.retain import DAY_NS
from bimetal.nouns.errors import BadInput, NotFound

TEXT = """
[monitoring]
ground = "contract"
keep_days = 400
signals = ["vibration"]
[comfort]
ground = "consent"
keep_days = 30
signals = ["*"]
"""


def test_a_signal_has_its_purpose_or_that_of_all_others(tmp_path: Path) -> None:
    path = tmp_path / "purposes.toml"
    path.write_text(TEXT)
    purposes = read_purposes(path)
    found = purposes.of(["vibration", "humidity"])
    assert {name: purpose.name for name, purpose in found.items()} == {
        "vibration": "monitoring",
        "humidity": "comfort",
    }
    assert purposes.oldest_ns(100 * DAY_NS) == 70 * DAY_NS


def test_without_one_for_all_others_some_have_none(tmp_path: Path) -> None:
    path = tmp_path / "purposes.toml"
    path.write_text(TEXT.partition("[comfort]")[0])
    assert list(read_purposes(path).of(["vibration", "humidity"])) == ["vibration"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "for any purpose"),
        ("[", "no file of purposes"),
        ("a = 1", "no file of purposes"),
        (TEXT.replace("30", '"long"'), "no file of purposes"),
        (TEXT.replace("400", "0"), "more than"),
        (TEXT.replace('"*"', '"vibration"'), "two purposes"),
        (TEXT.replace("ground", "reason"), "no file of purposes"),
    ],
)
def test_what_is_no_purpose_is_said(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "purposes.toml"
    path.write_text(text)
    with pytest.raises(BadInput, match=why):
        read_purposes(path)
    with pytest.raises(NotFound):
        read_purposes(tmp_path / "nothing.toml")
