"""The scorer: split anywhere gives the same bits, and devices do not touch each other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimetal.nouns import Kind
from bimetal.program.block import pack
from bimetal.program.layout import initial_state
from bimetal.program.letter import const, lt
from bimetal.program.node import Clock
from bimetal.program.program import Draft
from bimetal.stream.feed import feed_of
from bimetal.stream.scorer import DeviceState, Scorer
from bimetal.stream.shard import by_shard
from bimetal.targets.numpy import NumpyTarget
from tests.stream.given import FEED, NAMES, PROGRAM, RUNNING, explain, join, part, same, scorer, stream, whole

STREAM = stream(600)
ONCE = whole([STREAM])


def test_the_stream_says_something_of_every_kind() -> None:
    assert {e.kind for e in ONCE.events} == set(Kind)
    assert len(ONCE.events) > 20


@settings(max_examples=30)
@given(st.lists(st.integers(0, len(STREAM)), max_size=6))
def test_a_split_anywhere_gives_the_same_bits_and_events(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    parts = [part(STREAM, a, b) for a, b in pairwise(places)]
    assert same(whole(parts), ONCE)


def test_row_by_row_is_the_same_as_all_at_once() -> None:
    assert same(whole([part(STREAM, k, k + 1) for k in range(len(STREAM))]), ONCE)


def test_each_device_goes_its_own_way() -> None:
    for device, name in enumerate(STREAM.devices):
        rows = STREAM.rows_of(device)
        state, outputs, _ = RUNNING.run(initial_state(PROGRAM), FEED.rows(FEED.values(STREAM))[rows])
        for field in outputs.dtype.names or ():
            assert ONCE.outputs[field][rows].tobytes() == outputs[field].tobytes()
        assert scorer().advance({}, STREAM)[0][name].program == state


def test_devices_run_together_say_what_each_says_alone() -> None:
    class Alone:
        def run(self, state, rows):
            return RUNNING.run(state, rows)

    ragged = part(STREAM, 0, len(STREAM) - 1)
    alone, together = Scorer(PROGRAM, FEED, lambda _: Alone(), explain), scorer()
    assert len(list(together._groups(ragged))) == 2
    assert len(list(alone._groups(ragged))) == 3
    one, other = alone.advance({}, ragged), together.advance({}, ragged)
    assert one[0] == other[0]
    assert same(one[1], other[1])


def test_shards_apart_say_what_all_say_together() -> None:
    states: dict[str, DeviceState] = {}
    events: list[str] = []
    for shard in by_shard(STREAM, 7).values():
        after, scored = scorer().advance({}, shard)
        states |= after
        events += [repr(e) for e in scored.events]
    assert states == scorer().advance({}, STREAM)[0]
    assert sorted(events) == sorted(repr(e) for e in ONCE.events)


def test_the_states_given_are_left_as_they_were() -> None:
    states, _ = scorer().advance({}, part(STREAM, 0, 50))
    before = dict(states)
    after, _ = scorer().advance(states, part(STREAM, 50, 90))
    assert states == before
    assert after.keys() <= before.keys()
    assert all(after[d] != before[d] for d in after)


def test_an_empty_batch_changes_nothing() -> None:
    states, _ = scorer().advance({}, STREAM)
    after, scored = scorer().advance(states, part(STREAM, 0, 0))
    assert after == {}
    assert len(scored.outputs) == len(scored.score) == len(scored.events) == 0


def test_without_an_explanation_nothing_is_said_but_figures() -> None:
    _, scored = scorer(None).advance({}, STREAM)
    assert scored.events == ()
    np.testing.assert_array_equal(scored.score, ONCE.score)


def test_programs_are_loaded_once_a_device_and_again_when_forgotten() -> None:
    loads: list[str] = []

    def load(device: str):
        loads.append(device)
        return RUNNING

    one = Scorer(PROGRAM, FEED, load)
    one.advance({}, STREAM)
    one.advance({}, STREAM)
    one.forget(["b", "nobody"])
    one.advance({}, STREAM)
    assert loads == ["a", "b", "c", "b"]


def test_rows_at_which_a_slow_clock_did_not_fire_have_no_score_and_end_no_alarm() -> None:
    draft = Draft("slow")
    x = draft.input("x", "f32", (2,))
    slow = Clock(3, 2)
    held = draft.state("held", np.zeros(2, np.float32))
    draft.set(held, x)
    count = draft.state("count", np.float32(0), clock=slow, low=0, high=1)
    draft.set(count, const(1.0, "f32"))
    draft.output("score", count)
    draft.output("alarm", lt(count, const(2.0, "f32")))
    program = draft.finish()
    running = NumpyTarget().load(program, pack(program, {}))
    one = Scorer(program, feed_of(program, NAMES), lambda _: running, explain)
    _, scored = one.advance({}, stream(9, devices=("a",)))
    assert np.isnan(scored.score).tolist() == [True, True, False] * 3
    assert scored.alarm.tolist() == [False, False, True] * 3
    assert [e.kind for e in scored.events] == [Kind.ALARM]


def test_a_program_that_knows_no_alarm_only_puts_out_figures() -> None:
    draft = Draft("plain")
    draft.output("double", draft.input("x", "f32", (2,)))
    program = draft.finish()
    running = NumpyTarget().load(program, pack(program, {}))
    _, scored = Scorer(program, feed_of(program, NAMES), lambda _: running, explain).advance({}, STREAM)
    assert scored.events == ()
    assert np.isnan(scored.score).all()
    assert not scored.alarm.any()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e308, -0.0, 5e-324])
def test_hostile_values_break_nothing(value: float) -> None:
    batch = stream(30)
    batch.values[10:20] = value
    states, scored = scorer().advance({}, batch)
    assert len(scored.score) == 30
    assert set(states) == {"a", "b", "c"}


def test_being_made_ready_changes_no_answer() -> None:
    ready = scorer()
    ready.warm()
    _, said = ready.advance({}, STREAM)
    assert same(join([said]), whole([STREAM]))
