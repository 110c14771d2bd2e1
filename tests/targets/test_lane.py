"""Lanes: what devices share, where the elements of a strip lie, and who is run beside whom."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from bimetal.program import letter, word
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of, struct_of
from bimetal.program.node import EVERY, Clock
from bimetal.program.program import Draft, Program
from bimetal.targets.arena import arrange
from bimetal.targets.lane import Run, is_shared, narrow_runs, shared_names, side_by_side, strip_of
from bimetal.targets.loops import At, Buf, Expr, For, Let, Lin, Lit, Op, Read, Ref, Set, Store, Var, variable
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.wasm_run import WasmTarget

PARAM, STATE = Buf("params", "p", "i32", 9), Buf("state", "s", "i32", 9)
WEIGHT = Buf("params", "w", "f32", 9)


def plus(a: Expr, b: Expr) -> Op:
    return Op("add", (a, b), "i32")


def test_an_element_of_any_type_is_one_place_of_a_strip() -> None:
    layout = struct_of([("flag", "b1", (3,)), ("small", "i16", (2, 2)), ("x", "f32", ()), ("n", "i32", (2,))])
    strip = strip_of(layout)
    assert dict(strip.first) == {"n": 0, "x": 2, "small": 3, "flag": 7}
    assert strip.elements == 10


def test_neighbours_of_one_narrow_type_are_one_run_and_truths_are_bytes() -> None:
    fields = [
        ("a", "b1", (3,)),
        ("b", "u8", ()),
        ("c", "i8", (2,)),
        ("d", "u8", (5,)),
        ("e", "i16", ()),
        ("x", "f32", ()),
    ]
    assert narrow_runs(struct_of(fields)) == (
        Run("i16", 4, 1, 1), Run("u8", 6, 2, 4), Run("i8", 10, 6, 2), Run("u8", 12, 8, 5),
    )  # fmt: skip


def test_what_comes_of_parameters_and_turns_alone_is_shared() -> None:
    body = (
        Let("a", Read(PARAM, Lin(3))),
        For(
            "i1",
            4,
            (Let("b", plus(Ref("a", "i32"), At(variable("i1")))), Let("c", Read(STATE, variable("i1")))),
        ),
    )
    assert shared_names(body) == {"a", "b", "i1"}


def test_what_a_device_has_touched_once_is_its_own() -> None:
    """`sum` starts alike everywhere; what is added to it in the loop is not, nor what follows from it."""
    body = (
        Var("sum", Lit(0, "i32")),
        For(
            "i1",
            4,
            (Let("twice", plus(Ref("sum", "i32"), Ref("sum", "i32"))), Set("sum", Read(STATE, Lin()))),
        ),
        Let("of_table", Read(PARAM, variable("sum"))),
        Store(STATE, Lin(), Ref("of_table", "i32")),
    )
    assert shared_names(body) == {"i1"}


def test_a_float_is_a_vector_even_where_it_is_shared() -> None:
    assert not is_shared(Read(WEIGHT, Lin()), frozenset())
    assert not is_shared(Lit(1.0, "f32"), frozenset())
    assert is_shared(Lit(True, "b1"), frozenset())


def test_scratch_memory_of_lanes_has_words_for_bytes() -> None:
    flags, whole = Buf("scratch", "flags", "u8", 5), Buf("scratch", "whole", "i32", 5)
    at = variable("i1")
    body = (
        For("i1", 5, (Store(flags, at, Lit(1, "u8")), Store(whole, at, Lit(1, "i32")))),
        For("i1", 5, (Store(STATE, at, plus(Read(whole, at), Op("cast", (Read(flags, at),), "i32"))),)),
    )
    assert arrange(body)[1] == 32
    places, size = arrange(body, lambda _: 16)
    assert sorted(places.values()) == [0, 80]
    assert size == 160


def slow(period: int, first: int) -> Program:
    draft = Draft("slow")
    x = draft.input("x")
    held = draft.state("held", 0.0)
    draft.set(held, x)
    draft.output("y", letter.add(word.sample(held, Clock(period, first)), 1.0))
    return draft.finish()


@pytest.mark.parametrize("late", [0, 1, 2, 5])
def test_devices_that_fire_together_are_neighbours(late: int) -> None:
    program = slow(3, late)
    law = NumpyTarget().load(program, pack(program, {}))
    rows = np.zeros(40, layout_of(program).input.dtype)
    states = [law.run(initial_state(program), rows[: d * 7 % 11])[0] for d in range(40)]
    given = np.frombuffer(b"".join(states), np.uint8).reshape(40, -1)
    order = side_by_side(given, layout_of(program), program.clocks)
    assert order is not None
    assert sorted(order) == list(range(40))
    waits = [states[d][4:8] for d in order]
    assert sum(a != b for a, b in pairwise(waits)) == len(set(waits)) - 1


def test_nobody_is_moved_without_need() -> None:
    program = slow(3, 2)
    alike = np.frombuffer(initial_state(program) * 8, np.uint8).reshape(8, -1)
    assert side_by_side(alike, layout_of(program), program.clocks) is None
    assert side_by_side(alike, layout_of(program), (EVERY,)) is None


@pytest.mark.parametrize("devices", [1, 3, 4, 5, 8, 4099])
def test_any_number_of_devices_gets_the_laws_bits(devices: int) -> None:
    program = slow(2, 1)
    rows = np.zeros((devices, 3), layout_of(program).input.dtype)
    rows["x"] = np.arange(devices * 3).reshape(devices, 3)
    states = np.frombuffer(initial_state(program) * devices, np.uint8).reshape(devices, -1)
    ours, law = (
        t.load(program, pack(program, {})).run_devices(states, rows) for t in (WasmTarget(), NumpyTarget())
    )
    assert all(a.tobytes() == b.tobytes() for a, b in zip(ours, law, strict=True))
