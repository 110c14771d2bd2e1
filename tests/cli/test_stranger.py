"""Signals that no model knows are told of once, and never without end."""

from __future__ import annotations

from bimetal.cli.stranger import MOST, Strangers

WATCHED = (("pressure", "flow"), ("speed",))


def test_a_signal_that_no_model_knows_is_told_of_once() -> None:
    strangers = Strangers()
    assert strangers.words(["flow", "speed"], WATCHED) == ""
    said = strangers.words(["flow", "humidity", "speed"], WATCHED)
    assert said == "Kept, but not watched, for no model knows them: humidity."
    assert strangers.words(["flow", "humidity", "speed"], WATCHED) == ""


def test_where_no_model_watches_nothing_is_strange() -> None:
    assert Strangers().words(["flow"], ()) == ""


def test_whoever_sends_names_without_end_is_not_remembered_without_end() -> None:
    strangers = Strangers()
    for k in range(3 * MOST):
        strangers.words([f"name {k}"], WATCHED)
    assert len(strangers.met) == MOST
    assert strangers.words(["one more"], WATCHED) == ""
