"""Plain text: whatever is put in, one short printable line comes out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.tell.plain import plain
from tests.tell.given import HOSTILE


@given(st.text(), st.integers(1, 50))
def test_any_text_becomes_one_printable_line(text: str, longest: int) -> None:
    shown = plain(text, longest)
    assert shown.isprintable()
    assert len(shown) <= longest


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Größe 5 °C, 水温", "Größe 5 °C, 水温"),
        ("a\n\tb\r\nc", "a b c"),
        ("\x1b[2Jgone", "�[2Jgone"),
        ("left\u202eright", "left�right"),
        ("\ud800", "�"),
    ],
)
def test_what_people_may_see_stays(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_hostile_name_cannot_forge_a_line() -> None:
    assert "\x1b" not in plain(HOSTILE)
    assert len(plain(HOSTILE, 64)) == 64
