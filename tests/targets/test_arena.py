"""Scratch memory: no buffer is overwritten while it is needed, and little is taken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bimetal.program.node import DTYPES
from bimetal.program.program import Program
from bimetal.targets.arena import arrange, lives_of
from bimetal.targets.loops import Buf, For, Lin, Lit, Op, Read, Stmt, Store, variable
from tests.targets.given import detector, lowered, many_programs
from tests.targets.shadow import Shadow

TURN = variable("i1")
ONE = Lit(1.0, "f32")


def scratch(name: str, size: int = 8, dtype: str = "f32") -> Buf:
    """A scratch buffer."""
    return Buf("scratch", name, dtype, size)


def filled(buf: Buf) -> For:
    """Write all of a buffer."""
    return For("i1", buf.size, (Store(buf, TURN, ONE),))


def copied(source: Buf, goal: Buf, step: int = 1) -> For:
    """Read one buffer and write another in the same loop."""
    return For("i1", goal.size, (Store(goal, TURN, Op("neg", (Read(source, TURN.times(step)),), "f32")),))


A, B, C, OUT = scratch("a"), scratch("b"), scratch("c"), Buf("out", "y", "f32", 8)


def test_lives_that_meet_lie_apart() -> None:
    both = For("i1", 8, (Store(OUT, TURN, Op("add", (Read(A, TURN), Read(B, TURN)), "f32")),))
    places, size = arrange((filled(A), filled(B), both))
    assert sorted(places.values()) == [0, 32]
    assert size == 64


def test_lives_that_do_not_meet_share() -> None:
    body = (filled(A), copied(A, OUT), filled(B), copied(B, OUT))
    assert arrange(body) == ({"a": 0, "b": 0}, 32)


def test_a_buffer_read_for_the_last_time_is_written_over_in_place() -> None:
    assert arrange((filled(A), copied(A, B), copied(B, OUT))) == ({"a": 0, "b": 0}, 32)


def test_the_largest_choose_first_where_that_saves_much() -> None:
    """Layers of a net: in time order the large third one finds no gap beside the second."""
    sizes = (1024, 1024, 1536, 1024)
    bufs = [scratch(f"b{k}", size) for k, size in enumerate(sizes)]
    body: list[Stmt] = [filled(bufs[0])]
    for one, other in zip(bufs, [*bufs[1:], OUT], strict=True):
        short = Read(one, variable("i2"))
        inner = For("i2", one.size, (Store(other, TURN, Op("neg", (short,), "f32")),))
        body.append(For("i1", other.size, (inner,)))
    places, size = arrange(tuple(body))
    assert size == 4 * (1024 + 1536)
    assert places["b0"] == places["b2"] == 0


REVERSED = Op("neg", (Read(A, TURN.times(-1) + 7),), "f32")


@pytest.mark.parametrize(
    "between",
    [
        For("i1", 8, (Store(B, TURN, REVERSED),)),
        For("i1", 8, (Store(B, TURN, ONE), Store(C, TURN, Read(A, TURN)))),
        For("i1", 4, (Store(B, TURN, Read(A, TURN.times(2))),)),
        For("i1", 8, (For("i2", 8, (Store(B, TURN, Read(A, variable("i2"))),)),)),
    ],
    ids=["another element", "written before it is read", "strided", "read in an inner loop"],
)
def test_not_in_place_where_an_element_is_still_needed(between: Stmt) -> None:
    places, _ = arrange((filled(A), between, copied(B, OUT)))
    assert abs(places["a"] - places["b"]) >= 32


def test_not_in_place_where_it_is_read_again_later() -> None:
    places, _ = arrange((filled(A), copied(A, B), copied(B, OUT), copied(A, OUT)))
    assert places["a"] != places["b"]


def test_a_use_in_a_loop_counts_for_the_whole_loop() -> None:
    """What was written before a loop must outlive all its turns."""
    turn = For("i1", 3, (Store(B, Lin(), Read(A, Lin())), Store(C, Lin(), Read(B, Lin()))))
    places, _ = arrange((filled(A), turn, copied(C, OUT)))
    assert places["a"] not in (places["b"], places["c"])


def test_elements_lie_where_their_width_allows() -> None:
    small, wide = scratch("small", 3, "u8"), scratch("wide", 2)
    body = (filled(small), filled(wide), copied(small, OUT), copied(wide, OUT))
    places, size = arrange(body)
    assert places["wide"] % 4 == 0
    assert size % 8 == 0


def test_no_bytes_for_no_buffers() -> None:
    assert arrange((filled(OUT),)) == ({}, 0)


@pytest.mark.parametrize("program", [pytest.param(p, id=f"{k}") for k, p in enumerate(many_programs())])
def test_every_element_is_read_as_it_was_written(program: Program) -> None:
    for stage in lowered(program).stages:
        for life in lives_of(stage.body):
            at = stage.scratch[life.buf.name]
            assert at % DTYPES[life.buf.dtype].itemsize == 0
            assert 0 <= at <= stage.scratch_bytes - life.size
        assert not Shadow(stage).run()


def test_the_account_sees_a_wrong_arrangement() -> None:
    stage, *_ = lowered(detector(3)[0]).stages
    assert Shadow(replace(stage, scratch=dict.fromkeys(stage.scratch, 0))).run()


def test_the_detector_takes_little_more_than_it_must() -> None:
    """At one statement so many bytes are in use, but for what is written over in place."""
    stage, *_ = lowered(detector(8)[0]).stages
    lives = lives_of(stage.body)
    used = max(sum(x.size for x in lives if x.start <= at <= x.end) for at in {x.start for x in lives})
    assert stage.scratch_bytes <= 1.2 * used
