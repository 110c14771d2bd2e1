"""Laws of a shard: pure, the same whole or split, the same when it is run again, the same as one machine."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimetal.nouns import Batch
from bimetal.nouns.errors import BadInput
from bimetal.stream.late import WAIT_NS, Reorder
from bimetal.stream.parcel import Outcome, Parcel, outcome_bytes, outcomes_of, parcel_bytes
from bimetal.stream.shard import by_shard, take
from bimetal.stream.shard_run import run_all
from bimetal.stream.stream import Stream, Streamed
from tests.stream.given import SECOND, SIGNALS, START, part, scorer, stream
from tests.stream.shard_case import RUN, parcels, scattered

PARCELS = parcels()
SCATTERED = scattered()
Row = tuple[str, int, bytes, bool]


def rows(said: list[bytes]) -> list[Row]:
    """Every row that was scored, each device's in order, score as bits."""
    found = [
        (one.devices[d], t, np.float64(s).tobytes(), bool(a))
        for content in said
        for one in outcomes_of(content)
        for d, t, s, a in zip(one.device.tolist(), one.time_ns.tolist(), one.score, one.alarm, strict=True)
    ]
    return sorted(found, key=lambda row: row[:2])


def streamed_rows(streamed: Streamed) -> list[Row]:
    """The same of what a stream made of a batch."""
    ready, scored = streamed.ready, streamed.scored
    columns = ready.device.tolist(), ready.time_ns.tolist(), scored.score, scored.alarm
    return [
        (ready.devices[d], t, np.float64(s).tobytes(), bool(a)) for d, t, s, a in zip(*columns, strict=True)
    ]


def events(said: list[bytes]) -> list[str]:
    return sorted(
        repr(replace(e, id="")) for content in said for one in outcomes_of(content) for e in one.events
    )


def advanced(given_parcels: list[Parcel], state: bytes = b"") -> tuple[bytes, list[bytes]]:
    """What `advance` makes of parcels, from bytes to bytes."""
    said: list[bytes] = []
    for sequence, one in enumerate(given_parcels, 1):
        state, outcome = RUN.advance(state, sequence, parcel_bytes(one))
        said.append(outcome)
    return state, said


def test_the_case_has_all_that_can_go_wrong_in_it() -> None:
    _, said = run_all(RUN, 1, PARCELS)
    found = [one for content in said for one in outcomes_of(content)]
    assert sum(len(one.late_ns) for one in found) > 3
    assert sum(len(one.events) for one in found) > 5
    scored = sum(len(one) for one in found)
    assert scored < sum(len(p.batch) for p in PARCELS), "nothing came twice, late or last"


def test_running_it_again_gives_equal_bytes() -> None:
    assert advanced(PARCELS) == advanced(PARCELS)


@pytest.mark.parametrize("at", [0, 1, 5, 11])
def test_a_shard_that_is_taken_over_anywhere_ends_the_same(at: int) -> None:
    whole = advanced(PARCELS)
    state, first = advanced(PARCELS[:at])
    second: list[bytes] = []
    for sequence, one in enumerate(PARCELS[at:], at + 1):
        state, outcome = RUN.advance(state, sequence, parcel_bytes(one))
        second.append(outcome)
    assert (state, [*first, *second]) == whole


def test_a_state_that_is_stored_and_one_that_is_not_go_on_alike() -> None:
    state, told = RUN.start(), []
    for sequence, one in enumerate(SCATTERED, 1):
        state, outcome = RUN.push(state, sequence, one)
        told.append(outcome_bytes([outcome]))
    assert (RUN.close(state), told) == advanced(SCATTERED)
    assert any(len(set(outcomes_of(one)[0].devices)) > 2 for one in told[1::2]), (
        "nothing was let through by time"
    )


def test_the_state_that_is_given_is_left_as_it_is() -> None:
    before, _ = RUN.push(RUN.start(), 1, PARCELS[0])
    content = RUN.close(before)
    RUN.push(before, 2, PARCELS[1])
    assert RUN.close(before) == content
    assert RUN.close(RUN.open(content)) == content


@settings(max_examples=20)
@given(st.lists(st.integers(0, 240), max_size=6))
def test_parcels_in_order_of_time_may_be_cut_anywhere(cuts: list[int]) -> None:
    whole, now = stream(240), START + 10**12
    edges = [0, *sorted(cuts), 240]
    cut = [Parcel(now, part(whole, a, b)) for a, b in pairwise(edges)]
    one, other = advanced([Parcel(now, whole)]), advanced(cut)
    assert rows(one[1]) == rows(other[1])
    assert events(one[1]) == events(other[1])
    last = [RUN.open(state) for state in (one[0], other[0])]
    assert last[0].states == last[1].states


@pytest.mark.parametrize("shards", [1, 2, 64, 256])
def test_shards_say_what_one_machine_says_that_has_none(shards: int) -> None:
    alone = Stream("small", Reorder(SIGNALS, period_ns=SECOND), scorer())
    told: list[Row] = []
    for one in PARCELS:
        told += streamed_rows(alone.push(one.batch, one.now_ns))
    # A shard hears of time only with what it is sent; at the end everybody does.
    end = Parcel(PARCELS[-1].now_ns + 10 * WAIT_NS, part(PARCELS[0].batch, 0, 0))
    told += streamed_rows(alone.push(end.batch, end.now_ns))
    states, said = run_all(RUN, shards, PARCELS)
    for state in states.values():
        said.append(RUN.advance(state, 1000, parcel_bytes(end))[1])
    assert rows(said) == sorted(told, key=lambda row: row[:2])
    assert len(states) == len({k for p in PARCELS for k in by_shard(p.batch, shards)})


def test_every_process_gives_the_same_bytes() -> None:
    code = (
        "from tests.stream.test_shard_run import advanced, PARCELS; import hashlib;"
        "state, said = advanced(PARCELS); print(hashlib.sha256(state + b''.join(said)).hexdigest())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1


def test_the_order_in_which_devices_are_met_is_not_in_the_state() -> None:
    batch = PARCELS[0].batch
    turned = take(batch, np.argsort(-batch.device, kind="stable"))
    now = PARCELS[0].now_ns
    assert advanced([Parcel(now, batch)])[0] == advanced([Parcel(now, turned)])[0]


def test_time_alone_lets_through_what_waits() -> None:
    gap = take(stream(60, ("a",)), np.array([0, 1, 5]))
    state, outcome = RUN.push(RUN.start(), 1, Parcel(START, gap))
    due = RUN.due_ns(state)
    assert due == START + WAIT_NS
    assert len(outcome) == 2
    nothing = Parcel(due, part(gap, 0, 0))
    after, outcome = RUN.push(state, 2, nothing)
    assert [int(t) for t in outcome.time_ns] == [START + 5 * SECOND]
    assert RUN.due_ns(after) is None
    early, outcome = RUN.push(state, 2, Parcel(due - 1, nothing.batch))
    assert outcome.silent
    assert RUN.due_ns(early) == due


@pytest.mark.parametrize("sequence", [0, 1, 2])
def test_a_parcel_that_is_in_the_state_is_refused(sequence: int) -> None:
    state, _ = RUN.push(RUN.start(), 2, PARCELS[0])
    with pytest.raises(BadInput, match="in this state already"):
        RUN.push(state, sequence, PARCELS[1])


def test_a_signal_that_is_not_watched_changes_nothing() -> None:
    batch = PARCELS[0].batch
    extra = Batch(
        batch.devices,
        (*batch.signals[::-1], type(batch.signals[0])("noise")),
        batch.time_ns,
        batch.device,
        np.column_stack([batch.values[:, ::-1], np.ones(len(batch))]),
    )
    now = PARCELS[0].now_ns
    assert advanced([Parcel(now, extra)]) == advanced([Parcel(now, batch)])


def test_what_says_nothing_is_silent() -> None:
    none = np.empty(0, np.int64)
    nothing = Outcome(
        1, (), none.astype(np.int32), none, np.empty(0), np.empty(0, bool), none.astype(np.int32), none, ()
    )
    assert nothing.silent
    assert len(nothing) == 0
