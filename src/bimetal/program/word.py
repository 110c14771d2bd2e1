"""Words: what operators say again and again, spelled in letters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter
from bimetal.program.letter import Value
from bimetal.program.node import DTYPES, EVERY, Clock, Node
from bimetal.program.program import Draft

TINY = 2.0**-100
"""Far below any share or spread that matters, far above where f32 loses digits."""

KEEP = 0.8
"""Below this part of its threshold a score no longer keeps up an alarm."""


def clip(x: Node, low: Value, high: Value) -> Node:
    """Keep x within low..high; NaN becomes low. The bounds come first, or NaN would slip through."""
    lowest = low if isinstance(low, Node) else letter.const(low, x.dtype)
    highest = high if isinstance(high, Node) else letter.const(high, x.dtype)
    return letter.minimum(highest, letter.maximum(lowest, x))


def absolute(x: Node) -> Node:
    """The size of x without its sign; NaN stays NaN."""
    return letter.where(letter.lt(x, 0), letter.neg(x), x)


def known(x: Node) -> Node:
    """True where an f32 is not NaN."""
    return letter.eq(x, x)


def otherwise(x: Node, instead: Value) -> Node:
    """x, or `instead` where x is NaN."""
    return letter.where(known(x), x, instead)


def total(x: Node, axis: int = -1) -> Node:
    """The sum along an axis, from left to right."""
    return letter.reduce(x, "add", axis)


def mean(x: Node, axis: int = -1) -> Node:
    """The mean of f32 along an axis: the sum from left to right, times one over the count."""
    return letter.mul(total(x, axis), 1.0 / x.shape[axis])


def dot(a: Node, b: Node) -> Node:
    """The sum of products of two vectors, from left to right."""
    return total(letter.mul(a, b))


def matvec(matrix: Node, vector: Node) -> Node:
    """A matrix (rows, columns) times a vector (columns,): shape (rows,), each row from left to right."""
    if len(matrix.shape) != 2 or vector.shape != matrix.shape[1:]:
        raise BadProgram(f"the matrix {matrix!r} cannot take the vector {vector!r}")
    return total(letter.mul(matrix, vector))


def shares(parts: Node) -> Node:
    """What part of the sum each positive part of a vector is; never more than 1 in all, 0 for NaN."""
    positive = clip(parts, 0.0, 1e30)
    whole = letter.maximum(letter.const(TINY, "f32"), total(positive))
    return letter.mul(letter.div(positive, whole), 1 - 2.0**-18)


def along(table: Node, x: Node) -> Node:
    """A table for the first axis of x, shaped so that it meets every element of an item."""
    return letter.reshape(table, (*table.shape, *(1 for _ in x.shape[1:])))


def any_of(conditions: Node) -> Node:
    """Whether one of a vector of b1 holds."""
    return letter.lt(letter.const(0, "i32"), total(letter.cast(conditions, "i32")))


def all_of(conditions: Node) -> Node:
    """Whether all of a vector of b1 hold."""
    return letter.invert(any_of(letter.invert(conditions)))


def rounded(x: Node, low: int, high: int) -> Node:
    """f32 to the nearest whole number within low..high, halves upwards; NaN becomes `low`; i32."""
    near = clip(x, float(low), float(high))
    return letter.add(letter.cast(letter.add(near, 0.5 - low), "i32"), low)


def requantised(sums: Node, scale: Node, shift: int, low: int) -> Node:
    """i32 sums times scale / 2**shift, rounded, within low..127, as i8; scale is i32 within 0..2**15 - 1.

    What is clipped before the product would be clipped after it too.
    """
    most = 2 ** (16 + shift)
    near = sums if most >= 2**31 else clip(sums, -most, most)
    return letter.cast(clip(letter.mulshr(near, scale, shift), low, 127), "i8")


def scaling(
    draft: Draft,
    name: str,
    bias: tuple[int, ...],
    multiplier: tuple[int, ...],
    shift: int,
    positive: int,
) -> Callable[[Node], Node]:
    """How a layer of i8 ends: i32 sums plus a bias, scaled down to i8, never negative if `positive`.

    Declares the parameters `<name>_bias`, i32, one for each output, and `<name>_multiplier`, i16, as many
    and a 0 where they are odd: what follows in memory then lies at whole words. No sum of up to 65,000
    products of i8 can overflow.
    """
    count = len(bias)
    added = biased(draft, name, bias)
    even = (*multiplier, *[0] * (count % 2))
    held = letter.cast(draft.param(f"{name}_multiplier", even, "i16", low=0, high=2**15 - 1), "i32")
    scale = letter.slice_(held, 0, count) if count % 2 else held
    return lambda sums: requantised(letter.add(sums, added), scale, shift, -127 * (1 - positive))


def biased(draft: Draft, name: str, bias: tuple[int, ...]) -> Node:
    """Declare the parameter `<name>_bias`: what is added to the sums of a layer, i32."""
    return draft.param(f"{name}_bias", bias, "i32", low=-(2**28), high=2**28)


def quads(draft: Draft, name: str, weights: Sequence[Sequence[int]]) -> Node:
    """Declare the parameter `<name>_weights`, i8 (rows, columns), and return it as i32 of that shape.

    Each row is filled up with zeros to a multiple of four bytes, so that a processor can read words; no
    filling is ever read.
    """
    columns = len(weights[0])
    filled = [(*row, *[0] * (-columns % 4)) for row in weights]
    held = letter.cast(draft.param(f"{name}_weights", filled, "i8", low=-127, high=127), "i32")
    return letter.slice_(held, 0, columns, axis=1) if columns % 4 else held


def every(period: int, clock: Clock = EVERY) -> Clock:
    """The clock that fires at the last of every `period` firings of another one, or readings."""
    return Clock(clock.period * period, clock.first + clock.period * (period - 1))


def sample(state: Node, clock: Clock) -> Node:
    """Read a state at another clock: the only bridge between clocks.

    A slower clock sees what the faster one wrote at this very reading; EVERY sees what was there before.
    """
    if state.op != "state":
        raise BadProgram(f"only a state can be read at another clock, not {state!r}")
    return Node("state", (), state.shape, state.dtype, clock=clock, name=state.name)


def hold(draft: Draft, x: Node, first: float = 0.0) -> Node:
    """x, or where it is NaN the last x that was not; `first` until there was one."""
    last = draft.state("held", np.full(x.shape, first), "f32", clock=x.clock or EVERY)
    value = letter.where(known(x), x, last)
    draft.set(last, value)
    return value


def push(draft: Draft, value: Node, size: int, name: str = "ring") -> tuple[Node, Node]:
    """Write a value into a ring of `size` items; returns (ring, head) as they were before.

    `head` is where the value goes: the oldest item, or a zero where there were fewer values yet.
    """
    clock = value.clock or EVERY
    ring = draft.state(name, np.zeros((size, *value.shape), DTYPES[value.dtype]), value.dtype, clock=clock)
    head = draft.state(f"{name}_head", 0, "i32", low=0, high=size - 1, clock=clock)
    after = letter.add(head, 1)
    draft.set(ring, value, at=head)
    draft.set(head, letter.where(letter.eq(after, size), 0, after))
    return ring, head


def unrolled(ring: Node, head: Node) -> Node:
    """The items of a ring from the oldest to the newest."""
    size = ring.shape[0]
    place = letter.add(letter.iota(size), head)
    return letter.gather(ring, letter.where(letter.lt(place, size), place, letter.sub(place, size)))


def newest(ring: Node, head: Node) -> Node:
    """The item that was pushed last."""
    size = ring.shape[0]
    before = letter.sub(head, 1)
    return letter.gather(ring, letter.where(letter.lt(head, 1), size - 1, before))


def recent(draft: Draft, value: Node, size: int, name: str = "ring") -> Node:
    """The last `size` values from the oldest to this one, shape (size, ...); zeros before the first."""
    present = letter.reshape(value, (1, *value.shape))
    if size == 1:
        return present
    return letter.concat([unrolled(*push(draft, value, size - 1, name)), present])


def delayed(draft: Draft, value: Node, readings: int, name: str = "delay") -> Node:
    """The value of `readings` readings ago; zero before there was one."""
    ring, head = push(draft, value, readings, name)
    return letter.gather(ring, head)


def window(draft: Draft, value: Node, size: int, hop: int, name: str = "window") -> Node:
    """The last `size` values, oldest first, at a clock that fires after every `hop` of them.

    The first firing is when `size` values are there. Where size equals hop the ring is read as it
    lies, for its head is at the start whenever the clock fires.
    """
    before = value.clock or EVERY
    clock = Clock(before.period * hop, before.first + before.period * (size - 1))
    if clock == before:
        return letter.reshape(value, (1, *value.shape))
    ring, head = push(draft, value, size, name)
    items = sample(ring, clock)
    return items if size == hop else unrolled(items, sample(head, clock))


def small(
    draft: Draft, name: str, shape: tuple[int, ...], most: int, clock: Clock
) -> tuple[Node, Callable[[Node], None]]:
    """Remember whole numbers 0..most in as few bytes as hold them: returns them, i32, and how to set them."""
    dtype = "u8" if most < 2**8 else "i16" if most < 2**15 else "i32"
    state = draft.state(name, np.zeros(shape), dtype, low=0, high=most, clock=clock)
    return letter.cast(state, "i32"), lambda value: draft.set(state, letter.cast(value, dtype))


def counted(draft: Draft, condition: Node, most: int, name: str = "run") -> Node:
    """For how many readings in a row a condition has held, this one included, up to `most`; i32."""
    before, keep = small(draft, name, condition.shape, most, condition.clock or EVERY)
    more = letter.minimum(letter.const(most, "i32"), letter.add(before, 1))
    run = letter.where(condition, more, 0)
    keep(run)
    return run


def polynomial(x: Node, coefficients: tuple[float, ...]) -> Node:
    """c0 + c1 x + c2 x**2 ..., by Horner's rule."""
    value = letter.const(coefficients[-1], "f32")
    for c in reversed(coefficients[:-1]):
        value = letter.add(letter.mul(value, x), c)
    return value


def mapped(parts: Node, of: Callable[[Node], Node]) -> Node:
    """Stack what `of` gives for each item along the first axis, as one loop."""
    return letter.each(parts.shape[0], lambda k: of(letter.gather(parts, k)))


def folded(
    x: Node, start: Sequence[Node], step: Callable[[tuple[Node, ...], Node], Sequence[Node]]
) -> tuple[Node, ...]:
    """Carry several values along the first axis at once: `carried = step(carried, item)`, one loop."""
    return letter.scan(x.shape[0], start, lambda held, k: step(held, letter.gather(x, k)))


def by_channel(x: Node, of: Callable[[Node], Node]) -> Node:
    """Stack what `of` gives for each channel of x (n, channels), as one loop with scratch for one."""
    count, channels = x.shape
    flat, places = letter.reshape(x, (x.size,)), letter.mul(letter.iota(count), channels)
    return letter.each(channels, lambda k: of(letter.gather(flat, letter.add(places, k))))
