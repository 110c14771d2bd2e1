"""Odd programs: forms that random ones do not take, each of which a target once could have got wrong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bimetal.program import elementary, letter, word
from bimetal.program.node import EVERY, Clock
from bimetal.program.program import Draft

GREATEST = float(np.finfo(np.float32).max)


def nothing() -> Draft:
    """No input, no output, no state."""
    return Draft("nothing")


def only_constants() -> Draft:
    """An output that depends on nothing at all."""
    draft = Draft("only constants")
    draft.output("y", letter.const([-0.0, 2.0**-149, GREATEST, 1 / 3], "f32"))
    draft.output("n", letter.const([-(2**31), 2**31 - 1], "i32"))
    draft.output("flag", letter.const([True, False], "b1"))
    return draft


def as_it_came() -> Draft:
    """Every type of input straight to an output, and back at the next reading from a state."""
    draft = Draft("as it came")
    for dtype in ("f32", "i32", "i16", "i8", "u8", "b1"):
        x = draft.input(f"in_{dtype}", dtype, (3,))
        held = draft.state(f"held_{dtype}", np.zeros(3), dtype)
        draft.set(held, x)
        draft.output(f"out_{dtype}", x)
        draft.output(f"late_{dtype}", held)
    return draft


def many_bytes() -> Draft:
    """Narrow states whose bytes do not come out even, of every type, each in its own way at both ends."""
    draft = Draft("many bytes")
    for k, (dtype, size) in enumerate((("u8", 7), ("b1", 6), ("i8", 5), ("u8", 1), ("i16", 3), ("b1", 9))):
        x = draft.input(f"in_{k}", dtype, (size,))
        held = draft.state(f"held_{k}", np.arange(size) % 2, dtype)
        draft.set(held, x)
        draft.output(f"late_{k}", held)
        draft.output(f"out_{k}", letter.concat([letter.slice_(x, size - 1, size), letter.slice_(held, 0, 1)]))
    return draft


def reserved_words() -> Draft:
    """Names that mean something in C, C++, its headers, or emitted code."""
    draft = Draft("int main(void) { /* ??/ */ } // \\")
    total = draft.input("float")
    for name in ("s", "p", "out", "i", "fired", "class", "NAN", "f_x", "scratch", "INT32_C", "f32_max"):
        learned = draft.param(name, [1.0, 2.0, 3.0], low=-9, high=9)
        held = draft.state(f"double_{name}", 1.0)
        total = letter.add(total, letter.reduce(letter.mul(learned, held)))
        draft.set(held, word.clip(total, -1e3, 1e3))
    held = draft.state("default", 0.0)
    draft.set(held, total)
    draft.output("int", total)
    draft.output("true", held)
    draft.output("_x", letter.neg(held))
    draft.output("__x", letter.neg(total))
    return draft


def names_like_tables() -> Draft:
    """Names that are those of emitted tables, but for a number."""
    draft = Draft("names like tables")
    x = draft.input("table", "i32")
    k = word.clip(x, 0, 4)
    primes = letter.gather(letter.const([2, 3, 5, 7, 11], "i32"), k)
    table = draft.param("init", 3, "i32", low=0, high=4)
    again = letter.gather(letter.const([0.5, 0.25, 7.5, 1e-3, 9.0], "f32"), letter.band(table, 3))
    held = draft.state("table", [1.0, -2.0], "f32")
    rows = letter.mul(held, letter.cast(primes, "f32"))
    draft.set(held, word.clip(letter.add(rows, again), -1e3, 1e3))
    draft.output("y", word.total(letter.mul(rows, rows)))
    draft.output("large", letter.both(letter.lt(k, x), letter.lt(letter.shr(x, 1), x)))
    draft.output("z", letter.add(primes, letter.mul(k, table)))
    return draft


def many_clocks() -> Draft:
    """As many clocks as there may be, each with an output and a state that the next one reads."""
    draft = Draft("many clocks")
    x = draft.input("x")
    seen = draft.state("seen", 0.0)
    draft.set(seen, x)
    last = seen
    for k in range(31):
        clock = Clock(1 + k % 7, k % 5) if k < 7 * 4 else Clock(2 + k, 1)
        if clock == EVERY or any(s.clock == clock for s in draft.finish().states):
            clock = Clock(40 + k, 2)
        held = draft.state(f"held{k}", float(k), clock=clock)
        value = letter.add(letter.mul(held, 0.5), word.sample(last, clock))
        draft.set(held, value)
        draft.output(f"y{k}", letter.stack([value, held]))
        last = held
    return draft


def first_values() -> Draft:
    """States that start at all kinds of values."""
    draft = Draft("first values")
    x = draft.input("x")
    starts = {"nan": np.nan, "minus_zero": -0.0, "tiny": 2.0**-149, "infinite": -np.inf, "third": 1 / 3}
    for name, value in starts.items():
        held = draft.state(name, value)
        draft.output(f"was_{name}", held)
        draft.set(held, letter.add(held, x))
    mixed = draft.state("mixed", [[np.nan, 1.5, -0.0], [2.0, np.inf, 1e-42]])
    draft.set(mixed, letter.mul(mixed, x))
    alike = draft.state("alike", np.full(50, np.nan))
    draft.set(alike, letter.mul(alike, x))
    whole = draft.state("whole", [-(2**31), 2**31 - 1, 7], "i32")
    draft.set(whole, letter.slice_(whole, 2, -1, -1))
    flags = draft.state("flags", [True, False, True], "b1")
    draft.set(flags, letter.invert(flags))
    draft.output("mixed_y", mixed)
    draft.output("whole_y", whole)
    draft.output("flags_y", flags)
    draft.output("alike_y", letter.reduce(alike, "max"))
    return draft


def swapped() -> Draft:
    """States that are set to each other, to parts of themselves, and turned round in place."""
    draft = Draft("swapped")
    x = draft.input("x")
    a, b = draft.state("a", [1.0, 2.0, 3.0, 4.0]), draft.state("b", [5.0, 6.0, 7.0, 8.0])
    square = draft.state("square", np.arange(9.0).reshape(3, 3))
    k = draft.state("k", 0, "i32", low=0, high=3)
    draft.set(a, b)
    draft.set(b, letter.add(letter.slice_(a, 3, -1, -1), x))
    turned = letter.stack([letter.slice_(square, c, c + 1, axis=1) for c in range(3)])
    draft.set(square, letter.reshape(turned, (3, 3)))
    draft.set(k, letter.band(letter.add(k, 1), 3))
    ring = draft.state("ring", np.zeros((4, 2)))
    draft.set(ring, letter.stack([letter.gather(a, k), letter.gather(letter.gather(ring, k), k0())]), at=k)
    draft.output("y", letter.concat([a, b]))
    draft.output("square_y", square)
    draft.output("ring_y", letter.gather(ring, letter.sub(3, k)))
    return draft


def k0() -> letter.Node:
    """The index 1."""
    return letter.const(1, "i32")


def folds() -> Draft:
    """Every fold over every axis, of values that may be NaN and of those that may not."""
    draft = Draft("folds")
    x = draft.input("x", shape=(2, 3, 4))
    clean = word.clip(x, -1e6, 1e6)
    whole = letter.cast(clean, "i32")
    for how in ("add", "min", "max"):
        for axis in range(3):
            draft.output(f"x_{how}_{axis}", letter.reduce(x, how, axis))
            draft.output(f"clean_{how}_{axis}", letter.reduce(clean, how, axis))
            draft.output(f"whole_{how}_{axis}", letter.reduce(whole, how, axis))
    draft.output("one", letter.reduce(letter.reshape(x, (24, 1)), "max"))
    return draft


def whole_numbers() -> Draft:
    """Whole numbers at their ends: shifts, products over 64 bits, narrow types multiplied."""
    draft = Draft("whole numbers")
    x = draft.input("x", "i32", (4,))
    small, byte, wide = (draft.input(t, t, (4,)) for t in ("i8", "u8", "i16"))
    a, b, c = (letter.cast(n, "i32") for n in (small, byte, wide))
    draft.output("shl", letter.shl(x, 7))
    draft.output("shr", letter.shr(x, 31))
    draft.output("same", letter.shr(letter.shl(x, 0), 0))
    draft.output("far", letter.mulshr(x, x, 62))
    draft.output("near", letter.mulshr(letter.band(x, 0xFFFF), letter.shr(x, 16), 1))
    draft.output("bytes", letter.add(byte_sum(b), letter.mul(a, b)))
    draft.output("words", letter.sub(letter.mul(c, 30000), letter.add(c, c)))
    draft.output("masked", letter.bor(letter.band(x, -(2**31)), letter.band(a, 255)))
    draft.output("rounded", letter.cast(x, "f32"))
    draft.output("narrow", letter.cast(letter.shr(x, 24), "i8"))
    draft.output("less", letter.lt(x, -(2**31) + 1))
    draft.output("least", letter.minimum(x, letter.const(-(2**31), "i32")))
    return draft


def byte_sum(b: letter.Node) -> letter.Node:
    """A sum of bytes: more than 16 bits hold."""
    return letter.reduce(letter.mul(b, b))


def fractions() -> Draft:
    """Letters on f32 where machines differ first: signs of zero, tiny numbers, what would be contracted."""
    draft = Draft("fractions")
    a, b, c = (draft.input(name, shape=(5,)) for name in "abc")
    draft.output("fused", letter.add(letter.mul(a, b), c))
    draft.output("fused_less", letter.sub(c, letter.mul(a, b)))
    draft.output("ratio", letter.div(a, b))
    draft.output("over_constant", letter.div(a, 3.0))
    draft.output("times_power", letter.mul(a, 2.0**-126))
    draft.output("root", letter.sqrt(letter.add(letter.mul(a, a), letter.mul(b, b))))
    draft.output("negative", letter.neg(a))
    draft.output("from_zero", letter.sub(0.0, a))
    draft.output("and_zero", letter.add(a, 0.0))
    draft.output("and_minus_zero", letter.add(a, -0.0))
    draft.output("times_zero", letter.mul(a, 0.0))
    draft.output("minus_itself", letter.sub(a, a))
    draft.output("over_itself", letter.div(a, a))
    draft.output("least", letter.minimum(a, b))
    draft.output("most", letter.maximum(a, letter.maximum(b, c)))
    draft.output("known", word.known(a))
    draft.output("not_less", letter.invert(letter.lt(a, b)))
    draft.output("toward_zero", letter.cast(word.clip(a, -(2.0**31), 2147483520.0), "i32"))
    draft.output("raw", letter.bits(word.clip(a, -3e38, 3e38)))
    draft.output("any_bits", letter.bits(letter.bits(word.clip(letter.mul(a, a), 0.0, 3e38))))
    return draft


def any_bits() -> Draft:
    """Whole numbers read as f32: NaN with every payload comes out as the one there is."""
    draft = Draft("any bits")
    x = letter.bits(draft.input("x", "i32", (4,)))
    held = draft.state("held", np.zeros(4))
    draft.set(held, x)
    draft.output("y", x)
    draft.output("z", letter.where(word.known(held), held, x))
    draft.output("w", letter.maximum(x, held))
    return draft


def long_loops() -> Draft:
    """Scans in scans, an each in a scan, and carried arrays that turn over."""
    draft = Draft("long loops")
    x = draft.input("x", shape=(6,))
    start = letter.const(np.arange(6.0), "f32")

    def turn(held: tuple[letter.Node, ...], k: letter.Node) -> list[letter.Node]:
        spun = letter.concat([letter.slice_(held[0], 1, 6), letter.slice_(held[0], 0, 1)])
        inner = letter.scan(
            3, [held[1]], lambda h, j: [letter.add(letter.mul(h[0], 0.5), letter.cast(j, "f32"))]
        )
        each = letter.each(6, lambda j: letter.mul(letter.gather(x, j), inner[0]))
        return [word.clip(letter.add(spun, each), -1e6, 1e6), letter.gather(spun, letter.band(k, 3))]

    spun, last = letter.scan(5, [start, letter.const(1.0, "f32")], turn)
    draft.output("spun", spun)
    draft.output("last", last)
    draft.output("once", letter.scan(1, [last], lambda h, k: [letter.add(h[0], letter.cast(k, "f32"))])[0])
    return draft


def half_and(x: letter.Node, k: letter.Node) -> letter.Node:
    """Half of x, and k."""
    return letter.add(letter.mul(x, 0.5), letter.cast(k, "f32"))


def elementary_functions() -> Draft:
    """exp, log, log2, sigmoid and tanh as words."""
    draft = Draft("elementary functions")
    x = draft.input("x", shape=(4,))
    for of in (elementary.exp, elementary.log, elementary.log2, elementary.sigmoid, elementary.tanh):
        draft.output(of.__name__, of(x))
    return draft


def windows() -> Draft:
    """Windows with and without overlap, of one signal and of three."""
    draft = Draft("windows")
    x, many = draft.input("x"), draft.input("many", "i16", (3,))
    for size, hop in ((8, 8), (8, 3), (5, 1), (2, 7), (1, 1), (1, 4)):
        draft.output(f"x_{size}_{hop}", word.window(draft, x, size, hop, f"w{size}_{hop}"))
    draft.output("many_4_2", word.window(draft, many, 4, 2, "many_ring"))
    draft.output("late", word.delayed(draft, x, 3))
    draft.output("recent", word.recent(draft, many, 4))
    return draft


def asked_for() -> Draft:
    """What is computed where it is asked for: loops, sums, a state of before, one asked for in another."""
    draft = Draft("asked for")
    x, on = draft.input("x", shape=(6,)), draft.input("on", "b1", (2,))
    held = draft.state("held", np.arange(6.0))
    draft.set(held, letter.where(word.known(x), x, held))
    first, second = (letter.gather(on, letter.const(k, "i32")) for k in range(2))
    apart = letter.each(6, lambda k: letter.sub(letter.gather(x, k), letter.gather(held, letter.sub(5, k))))
    rows = letter.mul(letter.reshape(x, (6, 1)), apart)
    sums = letter.when(second, letter.reduce(rows))
    turned = letter.scan(3, [sums], lambda h, k: [half_and(h[0], k)])[0]
    draft.output("turned", letter.when(first, turned))
    whole = letter.when(first, letter.cast(letter.lt(letter.reduce(apart, "max"), 3.0), "i32"))
    draft.output("whole", whole)
    late = draft.state("late", np.zeros(6))
    kept = letter.when(second, letter.add(late, apart))
    draft.set(late, word.clip(kept, -1e3, 1e3))
    draft.output("late", letter.reduce(kept))
    return draft


ODD: tuple[Callable[[], Draft], ...] = (
    nothing, only_constants, as_it_came, many_bytes, reserved_words, names_like_tables, many_clocks,
    first_values, swapped, folds, whole_numbers, fractions, any_bits, long_loops, elementary_functions,
    windows, asked_for,
)  # fmt: skip
