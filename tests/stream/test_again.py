"""Asking again: what would have been said of other values is what the program says of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bimetal.nouns.event import Event, Kind
from bimetal.program.layout import initial_state
from bimetal.stream.again import Again
from bimetal.stream.scorer import Scorer
from bimetal.targets.wasm_run import WasmTarget
from tests.stream.given import BLOCK, FEED, PROGRAM, RUNNING, explain, part, stream

ROWS = FEED.rows(FEED.values(stream(devices=("a",))))
STATE, OUTPUTS, _ = RUNNING.run(initial_state(PROGRAM), ROWS)


def again() -> Again:
    """The rows of one device, from the beginning."""
    return Again(RUNNING, initial_state(PROGRAM), ROWS, OUTPUTS, FEED)


def test_what_is_asked_of_the_values_that_were_is_what_was_said() -> None:
    asks = again()
    for at in (0, 3, 100, 100, 239):
        for signal, name in enumerate(FEED.inputs):
            same = np.array([float(ROWS[name][at])])
            assert asks.alarms(at, signal, same)[0] == (OUTPUTS["alarm"][at] != 0)


def test_another_value_is_answered_as_if_it_had_come() -> None:
    values = np.array([0.0, 2.0, 30.0, np.nan, 5000.0])
    found = again().alarms(50, 0, values)
    for value, alarm in zip(values, found, strict=True):
        changed = ROWS[:51].copy()
        changed[FEED.inputs[0]][50] = value
        assert (RUNNING.run(initial_state(PROGRAM), changed)[1]["alarm"][50] != 0) == alarm


def test_targets_that_run_many_at_once_answer_the_same() -> None:
    many = Again(WasmTarget().load(PROGRAM, BLOCK), initial_state(PROGRAM), ROWS, OUTPUTS, FEED)
    values = np.linspace(-20, 20, 33)
    assert many.alarms(70, 1, values).tolist() == again().alarms(70, 1, values).tolist()


def test_rows_are_asked_about_in_their_order() -> None:
    asks = again()
    asks.alarms(9, 0, np.zeros(1))
    with pytest.raises(IndexError, match="row 8 is before row 9"):
        asks.alarms(8, 0, np.zeros(1))
    assert asks.said(9, "score") == pytest.approx(float(OUTPUTS["score"][9]))
    assert asks.said(9, "pattern") is None


def doubled(event: Event, asks: Again, at: int) -> Event:
    """Say what the score was, and whether it would alarm with nothing at all."""
    if event.kind is not Kind.ALARM:
        return event
    nothing = asks.alarms(at, 0, np.zeros(1))[0]
    return replace(event, sentence=f"{event.sentence} {asks.said(at, 'score'):.6g} {nothing}")


@pytest.mark.parametrize("cut", [1, 17, 80, 121])
def test_a_stream_split_anywhere_is_told_the_same(cut: int) -> None:
    batch = stream()
    scorer = Scorer(PROGRAM, FEED, lambda _: RUNNING, explain, doubled)
    states, first = scorer.advance({}, part(batch, 0, cut))
    _, second = scorer.advance(states, part(batch, cut, len(batch)))
    whole = scorer.advance({}, batch)[1].events
    assert repr(whole) == repr(first.events + second.events)
    told = [e for e in whole if e.kind is Kind.ALARM]
    assert told
    assert all(f" {e.score:.6g} " in e.sentence for e in told)
