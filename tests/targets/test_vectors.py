"""Golden vectors: they make a program say something, come back as they went, and nothing else gets in."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.learn.detector import DRIFT_BLOCK
from bimetal.nouns.errors import BadInput, Error
from bimetal.program import letter, word
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.node import Clock
from bimetal.program.program import Draft
from bimetal.targets.agree import agree
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.vectors import AWAKE, KINDS, LONGEST, OFTEN, decode, make_vectors, maker
from tests.targets.given import detector, small, small_vectors


@pytest.mark.parametrize("signals", [1, 3])
def test_a_detector_is_through_with_its_warm_up(signals: int) -> None:
    vectors = make_vectors(*detector(signals), seed=0, runs=AWAKE)
    for run in vectors.runs:
        assert run.outputs["score"].max() > 0
        assert run.outputs["share"].max() > 0
    first, second = vectors.runs
    assert len(second.rows) < 100
    assert DRIFT_BLOCK < len(first.rows) < DRIFT_BLOCK + 50


def test_a_slow_clock_fires_once_in_the_first_run() -> None:
    program, block = detector(1)
    fired = [run.fired for run in make_vectors(program, block, seed=0).runs]
    slow = next(k for k, clock in enumerate(program.clocks) if clock.period > OFTEN)
    assert [int(((f >> slow) & 1).sum()) for f in fired] == [1, *[0] * (len(fired) - 1)]


def test_a_worst_reading_comes_after_everyday_ones_too() -> None:
    run = make_vectors(*detector(1), seed=0, runs=AWAKE).runs[1]
    assert run.name == "worst of all 1"
    assert np.isfinite(run.rows["x0"][:40]).all()
    assert not np.isfinite(run.rows["x0"][-16:]).all()


def test_every_clock_fires_twice() -> None:
    draft = Draft("slow")
    x = draft.input("x")
    for period, first in ((7, 3), (40, 39), (5, 90)):
        held = draft.state(f"held{period}", 0.0, clock=Clock(period, first))
        draft.output(f"y{period}", letter.add(held, 1.0))
        draft.set(held, word.sample(draft.state(f"seen{period}", 0.0), Clock(period, first)))
    draft.output("x_again", x)
    program = draft.finish()
    run = make_vectors(program, pack(program, {}), seed=1, runs=1).runs[0]
    for bit in range(len(program.clocks)):
        assert ((run.fired >> bit) & 1).sum() >= 2
    assert len(run.rows) < LONGEST


def test_a_program_that_never_says_anything_is_not_waited_for_longer_than_that() -> None:
    draft = Draft("silent")
    draft.output("y", word.clip(draft.input("x"), 1.0, 1.0))
    program = draft.finish()
    assert len(make_vectors(program, pack(program, {}), seed=1, runs=1).runs[0].rows) == 2 + 16


def test_runs_made_side_by_side_are_those_of_each_device_alone() -> None:
    for program, block in (small(), detector(1)):
        law, start = NumpyTarget().load(program, block), initial_state(program)
        runs = make_vectors(program, block, seed=6, runs=len(KINDS)).runs
        assert len({len(run.rows) for run in runs}) > 1
        for run in runs:
            state, outputs, fired = law.run(start, run.rows)
            assert (run.state, run.fired.tolist()) == (state, fired.tolist())
            assert run.outputs.tobytes() == outputs.tobytes()


def test_the_same_seed_gives_the_same_vectors() -> None:
    first, again, other = (make_vectors(*small(), seed=s, runs=5) for s in (4, 4, 5))
    assert first.encode() == again.encode()
    assert first.encode() != other.encode()


def test_every_kind_of_reading_is_there() -> None:
    runs = make_vectors(*small(), seed=1, runs=len(KINDS)).runs
    assert [r.name for r in runs] == [f"{name} 1" for name, _ in KINDS]
    values = np.concatenate([r.rows["x"] for r in runs])
    assert np.isnan(values).any()
    assert np.isposinf(values).any()
    assert np.isneginf(values).any()
    assert (np.signbit(values) & (values == 0)).any()
    assert ((values != 0) & (np.abs(values) < 1e-38)).any()
    assert (np.abs(values[np.isfinite(values)]) > 3e38).any()
    whole = np.concatenate([r.rows["n"] for r in runs])
    assert {-(2**15), 2**15 - 1} <= set(whole.reshape(-1).tolist())


def test_everyday_values_are_those_that_are_usual() -> None:
    vectors = make_vectors(*small(), seed=1, runs=1, usual={"x": (20.0, 25.0), "n": (100, 102)})
    assert 20 <= vectors.runs[0].rows["x"].min() <= vectors.runs[0].rows["x"].max() <= 25
    assert set(np.unique(vectors.runs[0].rows["n"])) == {100, 101, 102}


def test_a_block_of_another_program_is_refused() -> None:
    with pytest.raises(BadInput, match="is for the program"):
        make_vectors(small()[0], detector(1)[1], seed=0)


def test_vectors_come_back_as_they_went() -> None:
    program, block = small()
    plain = small_vectors().encode()
    again = decode(program, copy.deepcopy(plain))
    assert again.encode() == plain
    assert again.made_for == maker(program, block)
    (found,) = agree(program, block, again, [NumpyTarget()])
    assert found.equal == len(again.runs)


def test_rows_lie_as_the_struct_says_with_its_gaps() -> None:
    """Joining arrays drops the bytes between fields; a vector has them all the same."""
    draft = Draft("gaps")
    draft.output(
        "y", letter.mul(draft.input("x"), letter.cast(letter.cast(draft.input("k", "u8"), "i32"), "f32"))
    )
    program = draft.finish()
    vectors = make_vectors(program, pack(program, {}), seed=1, runs=3)
    assert layout_of(program).input.size == 8
    assert all(len(r.rows.tobytes()) == 8 * len(r.rows) for r in vectors.runs)
    decode(program, vectors.encode())


def changed(where: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Put something else into the first run, or into the whole."""

    def change(plain: dict[str, Any]) -> None:
        (plain["runs"][0] if where in plain["runs"][0] else plain)[where] = value

    return change


def without(where: str) -> Callable[[dict[str, Any]], None]:
    """Take something away."""

    def change(plain: dict[str, Any]) -> None:
        del (plain["runs"][0] if where in plain["runs"][0] else plain)[where]

    return change


HOSTILE: dict[str, Callable[[dict[str, Any]], None]] = {
    "another format": changed("format", 2),
    "no format": without("format"),
    "no runs": without("runs"),
    "runs are a number": changed("runs", 3),
    "runs are texts": changed("runs", ["a", "b"]),
    "made for a text": changed("made_for", "abc"),
    "a name that is none": changed("name", 7),
    "no rows": without("rows"),
    "rows cut": changed("rows", b"\0" * 7),
    "rows a list": changed("rows", [1, 2]),
    "outputs cut": changed("outputs", b""),
    "state too long": changed("state", b"\0" * 999),
    "fired cut": changed("fired", b"\0" * 3),
    "nothing fired": changed("fired", b""),
    "state missing": without("state"),
}


@pytest.mark.parametrize("change", HOSTILE)
def test_what_is_not_of_this_program_is_refused_in_words(change: str) -> None:
    plain = copy.deepcopy(small_vectors().encode())
    HOSTILE[change](plain)
    with pytest.raises(BadInput) as caught:
        decode(small()[0], plain)
    assert "vector" in caught.value.sentence()


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(st.sampled_from(["format", "made_for", "runs", "name", "rows", "outputs", "fired", "state"]), PLAIN)
def test_anything_else_is_refused_or_harmless(where: str, value: Any) -> None:
    plain = copy.deepcopy(small_vectors().encode())
    changed(where, value)(plain)
    try:
        found = decode(small()[0], plain)
    except Error:
        return
    assert isinstance(found.made_for, bytes)
    assert all(len(run.rows) == len(run.fired) for run in found.runs)
