"""Grumbling: one line a second however much is set aside, and nothing is left unsaid."""

from __future__ import annotations

import pytest

from bimetal.cli.grumbling import Grumbler
from bimetal.wire.gather import Poison
from bimetal.wire.transport import Message


def test_one_line_a_second_says_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    grumbler = Grumbler(lambda: now[0])
    poison = [Poison(Message("readings/x", b"{", f"client-{k}", 1), "it is no JSON") for k in range(3)]
    grumbler.hear(())
    grumbler.hear(poison[:1])
    for _ in range(1000):
        grumbler.hear(poison)
    assert capsys.readouterr().err == "A message from 'client-0' was set aside: it is no JSON.\n"
    grumbler.speak()
    assert capsys.readouterr().err == ""
    now[0] = 1.0
    grumbler.speak()
    said = "A message from 'client-2' was set aside: it is no JSON. And 2,999 others.\n"
    assert capsys.readouterr().err == said
    grumbler.speak()
    grumbler.hear(poison)
    grumbler.speak(at_once=True)
    assert "And 2 others." in capsys.readouterr().err
