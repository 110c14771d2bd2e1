"""What is found about every letter is true in every run, and tight enough for real programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bimetal.program import letter, word
from bimetal.program.interval import Interval
from bimetal.program.layout import initial_state
from bimetal.program.node import EVERY, Node
from bimetal.program.program import Draft
from bimetal.program.range import ranges_of
from bimetal.program.scope import scope_of
from bimetal.targets.numpy import NumpyRunning
from tests.agree.random_program import random_program, random_rows


@pytest.mark.parametrize("seed", range(40))
def test_every_value_of_a_run_is_inside(seed: int) -> None:
    program, values = random_program(seed)
    nodes = [n for n in scope_of(program.roots()).nodes if n.op != "scan"]
    shown = replace(program, outputs=tuple((f"z{k}", n) for k, n in enumerate(nodes)))
    ranges = ranges_of(shown)
    rows = random_rows(program, seed, 30, nasty=True)
    _, outputs, fired = NumpyRunning(shown, values).run(initial_state(shown), rows)
    for k, node in enumerate(nodes):
        bit = shown.clocks.index(node.clock or EVERY)
        seen = outputs[f"z{k}"][(fired >> bit) & 1 == 1].astype(float)
        gaps = np.isnan(seen)
        assert ranges[node].nan or not gaps.any()
        assert all(ranges[node].low <= v <= ranges[node].high for v in seen[~gaps].flat), (node, ranges[node])


def found(make: Callable[[Node, Node], Node]) -> Interval:
    """The interval of what is made of an f32 and an i32 input."""
    draft = Draft()
    node = make(draft.input("x"), draft.input("n", "i32"))
    draft.output("y", node)
    return ranges_of(draft.finish())[node]


def small(n: Node) -> Node:
    """A whole number within 0..9."""
    return word.clip(n, 0, 9)


def count_up(m: Node) -> Node:
    """One more, up to 9."""
    return letter.where(letter.lt(m, 9), letter.add(m, 1), m)


def wrap(m: Node) -> Node:
    """0 instead of 10."""
    return letter.where(letter.eq(m, 10), 0, m)


def between(m: Node) -> Node:
    """3 unless between 2 and 7."""
    return letter.where(letter.both(letter.lt(2, m), letter.lt(m, 7)), m, 3)


def beyond(m: Node) -> Node:
    """4 where beyond 2 or 7."""
    return letter.where(letter.either(letter.lt(m, 2), letter.lt(7, m)), 4, m)


def where_above(m: Node) -> Node:
    """6 unless above 5."""
    return letter.where(letter.invert(letter.le(m, 5)), m, 6)


def square(x: Node) -> Node:
    """x times itself."""
    return letter.mul(x, x)


def sums(x: Node, n: Node) -> Node:
    """0 + 1 + ... + 6."""
    return letter.scan(7, [letter.const(0, "i32")], lambda c, k: [letter.add(c[0], k)])[0]


def six(x: Node, n: Node) -> Node:
    """Three turns of two."""

    def inner(c: tuple[Node, ...], k: Node) -> tuple[Node, ...]:
        return letter.scan(2, [c[0]], lambda d, j: [letter.add(d[0], 1)])

    return letter.scan(3, [letter.const(0, "i32")], inner)[0]


TIGHT: dict[str, tuple[Callable[[Node, Node], Node], Interval]] = {
    "clip": (lambda x, n: word.clip(x, -1.0, 2.0), Interval(-1, 2)),
    "wrong way round": (lambda x, n: letter.minimum(letter.maximum(x, -1.0), 2.0), Interval(-1, 2, True)),
    "gap filled": (lambda x, n: word.clip(word.otherwise(x, 0.0), 0, 1), Interval(0, 1)),
    "otherwise": (lambda x, n: word.otherwise(x, 0.0), Interval(-np.inf, np.inf)),
    "absolute": (lambda x, n: word.absolute(word.clip(x, -3.0, 2.0)), Interval(0, 3)),
    "square": (lambda x, n: square(word.clip(x, -3.0, 2.0)), Interval(0, 9)),
    "wrap": (lambda x, n: wrap(letter.add(small(n), 1)), Interval(0, 9)),
    "count up to": (lambda x, n: count_up(small(n)), Interval(1, 9)),
    "not below": (lambda x, n: letter.maximum(letter.const(5, "i32"), small(n)), Interval(5, 9)),
    "inverted": (lambda x, n: where_above(small(n)), Interval(6, 9)),
    "both": (lambda x, n: between(small(n)), Interval(3, 6)),
    "either, on the other side": (lambda x, n: beyond(small(n)), Interval(2, 7)),
    "decided": (
        lambda x, n: letter.where(letter.lt(small(n), 10), letter.const(1, "i32"), n),
        Interval(1, 1),
    ),
    "band": (lambda x, n: letter.band(n, 0xFF), Interval(0, 255)),
    "bor": (lambda x, n: letter.bor(small(n), 0x10), Interval(16, 31)),
    "shr": (lambda x, n: letter.shr(n, 24), Interval(-128, 127)),
    "shl": (lambda x, n: letter.shl(small(n), 3), Interval(0, 72)),
    "mulshr": (lambda x, n: letter.mulshr(small(n), 100, 3), Interval(0, 113)),
    "sum": (lambda x, n: letter.reduce(letter.add(letter.iota(5), small(n))), Interval(0, 65)),
    "cast": (lambda x, n: letter.cast(word.clip(x, -2.7, 2.7), "i32"), Interval(-2, 2)),
    "gather": (lambda x, n: letter.gather(letter.const([5, 6], "i32"), letter.band(n, 1)), Interval(5, 6)),
    "each": (lambda x, n: letter.each(7, lambda k: letter.add(k, 1)), Interval(1, 7)),
    "scan": (sums, Interval(21, 21)),
    "nested scan": (six, Interval(6, 6)),
}


@pytest.mark.parametrize("name", TIGHT)
def test_it_is_tight(name: str) -> None:
    make, expected = TIGHT[name]
    assert found(make) == expected


def test_a_long_loop_is_widened_and_still_true() -> None:
    def body(c: tuple[Node, ...], k: Node) -> list[Node]:
        return [
            letter.add(letter.mul(c[0], 0.5), 1.0),
            letter.minimum(letter.const(99, "i32"), letter.add(c[1], 1)),
        ]

    interval = found(
        lambda x, n: letter.scan(10**6, [letter.const(0.0, "f32"), letter.const(0, "i32")], body)[1]
    )
    assert interval.inside(0, 2**31 - 1)
    assert interval.holds(99)


def test_states_hold_what_they_declare_and_nan_is_found_by_induction() -> None:
    draft = Draft()
    x = draft.input("x")
    clean, dirty, late = draft.state("clean", 0.0), draft.state("dirty", 0.0), draft.state("late", 0.0)
    count = draft.state("count", 3, "u8", low=1, high=7)
    draft.set(clean, word.otherwise(x, clean))
    draft.set(dirty, x)
    draft.set(late, dirty)
    draft.set(count, count)
    ranges = ranges_of(draft.finish())
    assert {n: i.nan for n, i in ranges.states.items()} == {
        "clean": False,
        "dirty": True,
        "late": True,
        "count": False,
    }
    assert ranges.states["count"] == Interval(1, 7)


def test_parameters_keep_their_declared_range_whatever_their_value() -> None:
    draft = Draft()
    gain = draft.param("gain", 1.0, low=0, high=4)
    node = letter.mul(gain, gain)
    draft.output("y", node)
    assert ranges_of(draft.finish())[node] == Interval(0, 16)
