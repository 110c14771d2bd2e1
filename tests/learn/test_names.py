"""Names of signals: whatever a stranger calls them, they stay apart in the program."""

from __future__ import annotations

import pytest

from bimetal.learn.detector import input_names


@pytest.mark.parametrize(
    "signals",
    [
        ("a", "a_3", "A"),
        ("x", "X", "x_2", "x_3", "X 3"),
        ("a b", "a-b", "a_b", "a.b", "A B"),
        ("温度", "圧力", "signal_2"),
        ("f" * 100, "f" * 101, "f" * 32 + "_2"),
        ("1", "2", "x_1"),
    ],
)
def test_inputs_have_names_of_their_own(signals: tuple[str, ...]) -> None:
    names = input_names(signals)
    assert len(set(names)) == len(signals)
    assert all(n.isidentifier() and n.isascii() and len(n) <= 40 for n in names)
