"""Random programs that pass verify.check, and random rows to feed them: plain and nasty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.program import letter
from bimetal.program.layout import layout_of
from bimetal.program.node import ARITHMETIC, EVERY, Clock, Node
from bimetal.program.program import Draft, Program, bounds_of

SHAPES: tuple[tuple[int, ...], ...] = ((), (), (3,), (4,), (2, 3), (1, 4))
LARGE: tuple[tuple[int, ...], ...] = ((), (9,), (13,), (4, 9), (8, 3), (2, 3, 5), (1, 10), (12, 1))
"""Shapes whose loops are long enough to be unrolled and interleaved."""
SLOW = (Clock(3, 2), Clock(4, 0))
TINY = 2.0**-126

NASTY_F32 = (np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, 1.2e-38, 1e38, -1e38, 3.4028235e38)
"""Values that machines disagree about first; the NaN of a row also gets random payloads."""


def random_program(
    seed: int, letters: int = 40, *, shapes: tuple[tuple[int, ...], ...] = SHAPES
) -> tuple[Program, dict[str, NDArray[Any]]]:
    """Return a program of about `letters` letters that passes verify.check, and parameter values."""
    maker = _Maker(np.random.default_rng(seed), shapes)
    for _ in range(letters):
        maker.grow()
    maker.close()
    return maker.draft.finish(), maker.draft.values


def random_rows(program: Program, seed: int, count: int, *, nasty: bool = False) -> NDArray[Any]:
    """Return `count` rows of a program's inputs: everyday values, or the worst ones mixed in."""
    rng = np.random.default_rng(seed)
    rows = np.zeros(count, layout_of(program).input.dtype)
    for place in program.inputs:
        shape = (count, *place.shape)
        if place.dtype == "f32":
            values = (rng.normal(0, 10, shape)).astype(np.float32)
            if nasty:
                worst = rng.choice(np.array(NASTY_F32, np.float32), shape)
                payload = (
                    rng.integers(1, 2**22, shape) | 0x7F800000 | rng.integers(0, 2, shape) << 31
                ).astype(np.uint32)
                worst = np.where(rng.random(shape) < 0.1, payload.view(np.float32), worst)
                values = np.where(rng.random(shape) < 0.5, worst, values)
        else:
            low, high = (int(b) for b in bounds_of(place.dtype))
            near = rng.integers(max(low, -100), min(high, 100) + 1, shape)
            edge = rng.choice([low, high, 0, 1], shape)
            values = np.where(rng.random(shape) < (0.5 if nasty else 0.0), edge, near)
        rows[place.name] = values
    return rows


def clip(node: Node, low: float, high: float) -> Node:
    """Keep a value within low..high; NaN becomes low."""
    return letter.minimum(letter.const(high, node.dtype), letter.maximum(letter.const(low, node.dtype), node))


class _Maker:
    """Grows a draft letter by letter; whole numbers are kept small, so that nothing overflows."""

    def __init__(self, rng: np.random.Generator, shapes: tuple[tuple[int, ...], ...]) -> None:
        self.rng = rng
        self.shapes = shapes
        self.sparing = rng.spawn(1)[0]
        self.draft = Draft("random")
        self.pools: dict[Clock, list[Node]] = {EVERY: [], **{c: [] for c in SLOW[: rng.integers(0, 3)]}}
        self.held: list[Node] = []
        for k in range(rng.integers(1, 4)):
            dtype = self.choose(("f32", "f32", "i32", "i16", "u8", "i8", "b1"))
            self.add(EVERY, self.draft.input(f"x{k}", dtype, self.choose(self.shapes)))
        for k in range(rng.integers(0, 4)):
            self.param(k)
        for k in range(rng.integers(1, 5)):
            self.state(k)
        for clock, pool in self.pools.items():
            pool.append(letter.const(rng.normal(size=self.choose(self.shapes)).astype(np.float32), "f32"))
            self.sample(clock)

    def choose(self, options: Any) -> Any:
        """Return one of several things."""
        return options[int(self.rng.integers(len(options)))]

    def add(self, clock: Clock, node: Node) -> None:
        """Take a node into the pool of a clock, small enough to be used in sums."""
        self.pools[clock].append(self.tame(node))

    def tame(self, node: Node) -> Node:
        """Bring storage types to i32, and whole numbers within -1000..1000."""
        if node.dtype in ("i8", "u8", "i16"):
            node = letter.cast(node, "i32")
        return clip(node, -1000, 1000) if node.dtype == "i32" else node

    def param(self, k: int) -> None:
        """Declare a parameter; it belongs to every clock."""
        shape = self.choose(self.shapes)
        if self.rng.random() < 0.5:
            node = self.draft.param(f"p{k}", self.rng.normal(size=shape), low=-50, high=50)
        else:
            node = self.draft.param(f"p{k}", self.rng.integers(-9, 9, shape), "i8", low=-20, high=20)
        for clock in self.pools:
            self.add(clock, node)

    def state(self, k: int) -> None:
        """Declare a state of some clock; what it is set to is decided at the end."""
        clock = self.choose(list(self.pools))
        dtype = self.choose(("f32", "f32", "i32", "i16", "u8", "b1"))
        low, high = {"i32": (-1000, 1000), "i16": (-99, 99)}.get(dtype, (None, None))
        init = (
            np.zeros(self.choose(self.shapes))
            if self.rng.random() < 0.7
            else np.ones(self.choose(self.shapes))
        )
        node = self.draft.state(f"s{k}", init, dtype, low=low, high=high, clock=clock)
        self.held.append(node)
        self.add(clock, node)

    def sample(self, clock: Clock) -> None:
        """Let a clock see a state of another one."""
        for node in self.held:
            if node.clock != clock and self.rng.random() < 0.7:
                self.add(clock, Node("state", (), node.shape, node.dtype, clock=clock, name=node.name))

    def pick(self, clock: Clock, dtype: str, shape: tuple[int, ...] | None = None) -> Node:
        """Return a node of the pool, brought to a type and perhaps a shape."""
        node = self.to(self.choose(self.pools[clock]), dtype)
        return node if shape is None or node.shape == shape else self.fit(node, shape)

    def to(self, node: Node, dtype: str) -> Node:
        """Bring f32, i32 or b1 to a type."""
        if node.dtype == dtype:
            return node
        if dtype == "b1":
            return letter.lt(letter.const(0, node.dtype), node)
        if node.dtype == "b1":
            return self.to(letter.cast(node, "i32"), dtype)
        return letter.cast(clip(node, -1000, 1000), dtype)

    def fit(self, node: Node, shape: tuple[int, ...]) -> Node:
        """Bring a node to a shape by picking elements of it, the first ones again when it is too small."""
        flat = letter.reshape(node, (node.size,))
        index = letter.const(np.arange(int(np.prod(shape, dtype=int))) % node.size, "i32")
        return letter.reshape(letter.gather(flat, index), shape)

    def grow(self) -> None:
        """Add one random letter to a random clock's pool."""
        clock = self.choose(list(self.pools))
        kind: Callable[[Clock], Node] = self.choose(
            (
                self.arithmetic,
                self.arithmetic,
                self.arithmetic,
                self.compare,
                self.whole,
                self.move,
                self.loop,
                self.turning,
            )
        )
        self.add(clock, kind(clock))

    def two(self, clock: Clock, dtype: str) -> tuple[Node, Node]:
        """Return two nodes that can be broadcast together."""
        a, b = self.pick(clock, dtype), self.pick(clock, dtype)
        try:
            np.broadcast_shapes(a.shape, b.shape)
        except ValueError:
            b = self.fit(b, a.shape)
        return a, b

    def arithmetic(self, clock: Clock) -> Node:
        """One of the letters on f32 or i32."""
        dtype = self.choose(("f32", "f32", "i32"))
        a, b = self.two(clock, dtype)
        options: list[Callable[[], Node]] = [
            lambda: letter.add(a, b),
            lambda: letter.sub(a, b),
            lambda: letter.mul(a, b),
            lambda: letter.minimum(a, b),
            lambda: letter.maximum(a, b),
            lambda: letter.neg(a),
            lambda: letter.where(letter.lt(a, b), a, b),
        ]
        if dtype == "f32":
            options += [lambda: letter.div(a, b), lambda: letter.sqrt(a), lambda: self.bits(a)]
        return self.choose(options)()

    def bits(self, a: Node) -> Node:
        """The bits of a positive number, there and perhaps back."""
        raw = letter.bits(clip(a, TINY, 3e38))
        if self.rng.random() < 0.5:
            return letter.shr(raw, int(self.rng.integers(10, 24)))
        return letter.bits(letter.bor(letter.band(raw, 0x7FFFFF), 0x3F800000))

    def compare(self, clock: Clock) -> Node:
        """A comparison, or logic on two of them."""
        a, b = self.two(clock, self.choose(("f32", "i32")))
        first = self.choose((letter.lt, letter.le, letter.eq))(a, b)
        second = letter.eq(a, a)
        return self.choose((lambda: first, lambda: letter.both(first, second),
                            lambda: letter.either(first, letter.invert(second))))()  # fmt: skip

    def whole(self, clock: Clock) -> Node:
        """A letter that only whole numbers have."""
        a, b = self.two(clock, "i32")
        by = int(self.rng.integers(1, 9))
        return self.choose((
            lambda: letter.band(a, b),
            lambda: letter.bor(a, b),
            lambda: letter.shl(a, by + 20),
            lambda: letter.shr(a, by),
            lambda: letter.mulshr(letter.mul(a, 2000), b, by + 2),
            lambda: letter.cast(letter.cast(clip(a, -100, 100), "i8"), "i32"),
            lambda: letter.cast(a, "f32"),
        ))()  # fmt: skip

    def move(self, clock: Clock) -> Node:
        """A letter that moves or folds elements."""
        dtype = self.choose(("f32", "i32"))
        a = self.pick(clock, dtype, self.choose([s for s in self.shapes if len(s) and s[0] > 1]))
        axis = int(self.rng.integers(len(a.shape)))
        index = clip(self.pick(clock, "i32"), 0, a.shape[0] - 1)
        return self.choose((
            lambda: letter.gather(a, index),
            lambda: letter.gather(a, letter.iota(2)),
            lambda: letter.slice_(a, 0, a.shape[axis], 2, axis),
            lambda: letter.slice_(a, a.shape[axis] - 1, -1, -1, axis),
            lambda: letter.reshape(a, (a.size, 1)) if a.size > 3 else letter.reshape(a, (1, a.size)),
            lambda: letter.stack([self.pick(clock, dtype, a.shape), a]),
            lambda: letter.concat([a, self.pick(clock, dtype, a.shape)]),
            lambda: letter.reduce(a, self.choose(("add", "min", "max")), axis),
        ))()  # fmt: skip

    def loop(self, clock: Clock) -> Node:
        """A scan or an each over a vector, with a nested one now and then."""
        longest = max(length for shape in self.shapes for length in shape)
        turns = int(self.rng.integers(1, longest + 1))
        table = self.pick(clock, self.choose(("f32", "i32")), (4,))
        if self.rng.random() < 0.5:
            outside = self.pick(clock, table.dtype, ())
            return letter.each(turns, lambda k: letter.sub(letter.gather(table, self.wrap(k)), outside))
        start = self.pick(clock, table.dtype, ())
        count = letter.const(0, "i32")

        def body(held: tuple[Node, ...], k: Node) -> list[Node]:
            item = letter.gather(table, self.wrap(k))
            new = self.tame(letter.sub(letter.mul(held[0], letter.const(2, table.dtype)), item))
            return [new, letter.add(held[1], letter.cast(letter.lt(new, item), "i32"))]

        last, counted = letter.scan(turns, [start, count], body)
        return letter.add(last, self.to(counted, last.dtype))

    def turning(self, clock: Clock) -> Node:
        """A scan that carries arrays, which change where other elements of them are still to be read."""
        dtype = self.choose(("f32", "f32", "i32"))
        shape = self.choose([s for s in self.shapes if len(s) and s[0] > 1])
        around, start, other = (self.pick(clock, dtype, shape) for _ in range(3))
        axis = int(self.rng.integers(len(shape)))
        heavy = self.choose((letter.div, letter.mul, lambda a, b: letter.sqrt(letter.add(a, b))))
        kinds = [int(self.rng.integers(6)) for _ in range(2)]

        def body(held: tuple[Node, ...], k: Node) -> list[Node]:
            first, second = held
            dear = heavy(first, around) if dtype == "f32" else letter.mul(first, around)
            dear = self.tame(dear)
            turned = letter.slice_(dear, shape[axis] - 1, -1, -1, axis)
            item = letter.gather(first, letter.band(k, 1))
            made = (
                letter.add(dear, turned),
                letter.sub(turned, first),
                letter.where(letter.lt(second, dear), item, second),
                first,
                letter.add(letter.slice_(second, shape[axis] - 1, -1, -1, axis), dear),
                letter.maximum(around, turned),
            )
            return [self.tame(made[kind]) for kind in kinds]

        last, before = letter.scan(int(self.rng.integers(1, 5)), [start, other], body)
        return letter.sub(last, before) if self.rng.random() < 0.5 else last

    def wrap(self, k: Node) -> Node:
        """Keep a turn within the four elements of a table."""
        return letter.band(k, 3)

    def close(self) -> None:
        """Set the states and name the outputs."""
        for node in self.held:
            self.set(node, node.clock or EVERY)
        for clock, pool in self.pools.items():
            for k in range(int(self.rng.integers(1, 5))):
                value = self.perhaps(pool[-1 - k % len(pool)], pool)
                self.draft.output(f"y{clock.period}_{k}", value)
                if value.dtype == "i32" and k == 0:
                    self.draft.output(f"n{clock.period}", letter.cast(clip(value, 0, 255), "u8"))

    def perhaps(self, value: Node, pool: list[Node]) -> Node:
        """Ask for a value only where something of the pool says so, now and then."""
        asks = [node for node in pool if not node.shape]
        if value.dtype not in ARITHMETIC or not asks or self.sparing.random() < 0.5:
            return value
        return letter.when(self.to(asks[int(self.sparing.integers(len(asks)))], "b1"), value)

    def set(self, node: Node, clock: Clock) -> None:
        """Write a state whole, or one item of it at a computed place."""
        dtype = node.dtype if node.dtype in ("f32", "b1") else "i32"
        limits = {"i32": (-1000, 1000), "i16": (-99, 99), "u8": (0, 255)}.get(node.dtype)
        at = None
        shape = node.shape
        if node.shape and self.rng.random() < 0.6:
            at = clip(self.pick(clock, "i32", ()), 0, node.shape[0] - 1)
            shape = node.shape[1:]
        value = self.pick(clock, dtype, shape)
        value = value if limits is None else letter.cast(clip(value, *limits), node.dtype)
        self.draft.set(node, value, at)
