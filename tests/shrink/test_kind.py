"""Kinds: what is counted follows the loops, and what is never used is not linked."""

from __future__ import annotations

import numpy as np

from bimetal.program.operator import wire
from bimetal.program.operators.forest import Forest
from bimetal.program.program import Program
from bimetal.shrink.budget import need_of
from bimetal.shrink.grove import done_groves
from bimetal.shrink.kind import done_kinds, held_kinds, routines, written_kinds
from bimetal.targets.loops import Lowered
from tests.shrink.given import detector, tiny, windowed


def lowered(program: Program) -> Lowered:
    return need_of(program).lowered


def test_only_arithmetic_that_occurs_links_a_routine() -> None:
    assert routines(lowered(tiny())) == {"f32 add", "f32 mul"}
    assert "f32 div" in routines(lowered(detector(2)))


def test_what_is_written_is_counted() -> None:
    one, four = written_kinds(lowered(tiny())), written_kinds(lowered(tiny(4)))
    assert (one["f32 mul"], four["f32 mul"]) == (2, 8)
    assert (one["f32 add"], four["f32 add"]) == (1, 4)
    assert (one["state field"], four["state field"]) == (1, 4)


def test_what_is_done_is_counted_with_its_turns() -> None:
    for size in (8, 64):
        (slow,) = [s for s in lowered(windowed(size)).stages if s.clock.period == size]
        assert done_kinds(slow)["f32 add"] == size
        assert done_kinds(slow)["turn"] == size
    assert written_kinds(lowered(windowed(8)))["f32 add"] == written_kinds(lowered(windowed(64)))["f32 add"]


def test_forests_are_counted_apart() -> None:
    program, _ = wire(Forest(((0, 10.0, 0, 1), (1, 5.0, 0, 1))), (np.zeros((1, 2), np.uint8),))
    (stage,) = lowered(program).stages
    assert set(done_kinds(stage)) == {"stage"}
    assert done_groves(stage)["links tree"] == 2


def test_names_that_live_at_once_are_held() -> None:
    one, many = held_kinds(lowered(tiny())), held_kinds(lowered(tiny(9)))
    assert many["name"] > one["name"]
    assert one["library"] == 1
    assert held_kinds(lowered(windowed(8)))["nested loop"] >= 1
