"""The letters: the few primitives every operator is spelled in, each with its shape and type rule.

| letters | meaning |
| --- | --- |
| `const input param state iota` | where values come from; iota(n) is 0..n-1 |
| `add sub mul neg` | f32: one rounding each, never fused; i32: proven not to overflow |
| `div sqrt` | f32 only, correctly rounded |
| `minimum maximum` | max(a, b) = a < b ? b : a; min(a, b) = b < a ? b : a (so b decides nothing when NaN) |
| `lt le eq band bor` ... | comparisons give b1; logic `both either invert` on b1; `band bor shl shr` on i32 |
| `where(c, a, b)` | a where c, else b |
| `when(c, a)` | a where c, one truth, else 0; what a alone needs may be left out meanwhile |
| `cast bits mulshr` | change type; reinterpret f32/i32; (a*b + half) >> s over 64 bits |
| `gather slice_ reshape stack concat` | move elements; indices are proven in range |
| `reduce(add/min/max)` | along one axis, strictly from left to right |
| `scan each` | bounded loops: with carried values; stacking what each turn gives |

Elementwise letters broadcast as NumPy does. Both sides have one type: there is no promotion, but a
plain Python number takes the type of the other side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadProgram
from bimetal.program.node import ARITHMETIC, STORAGE, Clock, Node, constant
from bimetal.program.program import bounds_of

Value = Node | float | int | bool


def const(value: NDArray[Any] | Sequence[Any] | float | int | bool, dtype: str) -> Node:
    """A constant; raises BadProgram when an integer does not fit its type or a float is NaN."""
    array = np.asarray(value)
    low, high = bounds_of(dtype)
    if array.size and (np.isnan(array.astype(np.float64)).any() or array.min() < low or array.max() > high):
        raise BadProgram(f"a constant within {array.min()}..{array.max()} is not a finite {dtype}")
    return constant(array, dtype)


def iota(n: int) -> Node:
    """The i32 numbers 0..n-1; an index, not a table."""
    return Node("iota", (), (n,), "i32")


def add(a: Value, b: Value) -> Node:
    """a + b."""
    return _arithmetic("add", a, b)


def sub(a: Value, b: Value) -> Node:
    """a - b."""
    return _arithmetic("sub", a, b)


def mul(a: Value, b: Value) -> Node:
    """a * b."""
    return _arithmetic("mul", a, b)


def div(a: Value, b: Value) -> Node:
    """a / b for f32, correctly rounded; there is no integer division."""
    return _same("div", a, b, only=("f32",))


def minimum(a: Value, b: Value) -> Node:
    """The smaller: b < a ? b : a."""
    return _arithmetic("min", a, b)


def maximum(a: Value, b: Value) -> Node:
    """The greater: a < b ? b : a."""
    return _arithmetic("max", a, b)


def neg(a: Node) -> Node:
    """-a; for f32 the sign bit is flipped."""
    return _one("neg", a, ARITHMETIC)


def sqrt(a: Node) -> Node:
    """The correctly rounded square root of an f32."""
    return _one("sqrt", a, ("f32",))


def lt(a: Value, b: Value) -> Node:
    """a < b."""
    return _arithmetic("lt", a, b, gives="b1")


def le(a: Value, b: Value) -> Node:
    """a <= b."""
    return _arithmetic("le", a, b, gives="b1")


def eq(a: Value, b: Value) -> Node:
    """a == b; an f32 NaN equals nothing, itself included."""
    return _arithmetic("eq", a, b, gives="b1")


def both(a: Value, b: Value) -> Node:
    """Logical and of b1."""
    return _same("and", a, b, only=("b1",))


def either(a: Value, b: Value) -> Node:
    """Logical or of b1."""
    return _same("or", a, b, only=("b1",))


def invert(a: Node) -> Node:
    """Logical not of b1."""
    return _one("not", a, ("b1",))


def band(a: Value, b: Value) -> Node:
    """Bitwise and of i32."""
    return _same("band", a, b, only=("i32",))


def bor(a: Value, b: Value) -> Node:
    """Bitwise or of i32."""
    return _same("bor", a, b, only=("i32",))


def shl(a: Node, by: int) -> Node:
    """a << by for a constant 0 <= by < 32; bits that leave are lost, as in a 32-bit register."""
    return _shift("shl", a, by)


def shr(a: Node, by: int) -> Node:
    """a >> by, the sign kept, for a constant 0 <= by < 32."""
    return _shift("shr", a, by)


def mulshr(a: Node, b: Value, by: int) -> Node:
    """(a * b + 2**(by-1)) >> by over 64 bits, for a constant 1 <= by < 63; the result must fit i32."""
    node = _same("mulshr", a, b, only=("i32",))
    if not 1 <= by < 63:
        raise BadProgram(f"mulshr cannot shift by {by}")
    return Node("mulshr", node.args, node.shape, "i32", attr=by, clock=node.clock)


def where(c: Node, a: Value, b: Value) -> Node:
    """a where c is true, else b."""
    if c.dtype != "b1":
        raise BadProgram(f"where needs a b1 condition, not {c!r}")
    left, right = _pair("where", a, b)
    if left.dtype != right.dtype:
        raise BadProgram(f"where cannot mix {left!r} and {right!r}")
    args = (c, left, right)
    return Node("where", args, _broadcast("where", args), left.dtype, clock=meet("where", args))


def when(c: Node, a: Node) -> Node:
    """a where c is true, else 0; targets that can leave out what `a` alone needs while c, one b1, is false.

    What it is does not depend on that: only the time that a reading takes does.
    """
    if c.shape or a.dtype not in ARITHMETIC:
        raise BadProgram(f"when needs one b1 and an f32 or i32, not {c!r} and {a!r}")
    return replace(where(c, a, const(0, a.dtype)), attr=True)


def cast(a: Node, dtype: str) -> Node:
    """Change the type: f32 -> i32 toward zero (proven in range), i32 -> f32 to even, storage <-> i32."""
    known = {("f32", "i32"), ("i32", "f32"), ("b1", "i32")}
    known |= {(s, "i32") for s in STORAGE} | {("i32", s) for s in STORAGE}
    if a.dtype == dtype:
        return a
    if (a.dtype, dtype) not in known:
        raise BadProgram(f"cannot cast {a!r} to {dtype}", hint="Go through i32")
    return Node("cast", (a,), a.shape, dtype, clock=a.clock)


def bits(a: Node) -> Node:
    """The same 32 bits read as the other type: f32 <-> i32."""
    if a.dtype not in ARITHMETIC:
        raise BadProgram(f"bits needs f32 or i32, not {a!r}")
    return Node("bits", (a,), a.shape, "i32" if a.dtype == "f32" else "f32", clock=a.clock)


def gather(a: Node, index: Node) -> Node:
    """a[index] along axis 0: shape index.shape + a.shape[1:]; the index is proven in range."""
    if not a.shape or index.dtype != "i32":
        raise BadProgram(f"cannot gather {index!r} from {a!r}")
    return Node("gather", (a, index), index.shape + a.shape[1:], a.dtype, clock=meet("gather", (a, index)))


def slice_(a: Node, start: int, stop: int, step: int = 1, axis: int = 0) -> Node:
    """a[start:stop:step] along one axis, bounds non-negative, step not 0 (negative walks backwards).

    `start` is the first element taken; `stop` is where to end, -1 meaning before element 0.
    """
    if step == 0 or not -len(a.shape) <= axis < len(a.shape):
        raise BadProgram(f"slice {start}:{stop}:{step} of axis {axis} cannot be taken from {a!r}")
    axis = axis % len(a.shape)
    count = len(range(start, stop, step))
    inside = count > 0 and 0 <= start < a.shape[axis] and 0 <= start + (count - 1) * step < a.shape[axis]
    if not inside:
        raise BadProgram(f"slice {start}:{stop}:{step} leaves axis {axis} of {a!r}")
    shape = (*a.shape[:axis], count, *a.shape[axis + 1 :])
    return Node("slice", (a,), shape, a.dtype, attr=(start, step, axis), clock=a.clock)


def reshape(a: Node, shape: tuple[int, ...]) -> Node:
    """The same elements in row-major order under another shape."""
    if int(np.prod(shape, dtype=np.int64)) != a.size:
        raise BadProgram(f"cannot reshape {a!r} to {list(shape)}")
    return Node("reshape", (a,), shape, a.dtype, clock=a.clock)


def stack(parts: Sequence[Node]) -> Node:
    """Equal shapes along a new first axis."""
    first = _alike("stack", parts)
    if any(p.shape != first.shape for p in parts):
        raise BadProgram(f"stack needs equal shapes, not {list(parts)}")
    return Node("stack", tuple(parts), (len(parts), *first.shape), first.dtype, clock=meet("stack", parts))


def concat(parts: Sequence[Node]) -> Node:
    """One after the other along the first axis."""
    first = _alike("concat", parts)
    if any(not p.shape or p.shape[1:] != first.shape[1:] for p in parts):
        raise BadProgram(f"concat needs equal trailing shapes, not {list(parts)}")
    shape = (sum(p.shape[0] for p in parts), *first.shape[1:])
    return Node("concat", tuple(parts), shape, first.dtype, clock=meet("concat", parts))


def reduce(a: Node, how: str = "add", axis: int = -1) -> Node:
    """Fold one axis strictly from left to right with add, min or max; the axis disappears."""
    if how not in ("add", "min", "max") or not a.shape or a.dtype not in ARITHMETIC:
        raise BadProgram(f"cannot reduce {a!r} by {how}")
    if not -len(a.shape) <= axis < len(a.shape):
        raise BadProgram(f"{a!r} has no axis {axis} to reduce")
    axis = axis % len(a.shape)
    if a.shape[axis] == 0:
        raise BadProgram(f"cannot reduce an empty axis of {a!r}")
    shape = a.shape[:axis] + a.shape[axis + 1 :]
    return Node("reduce", (a,), shape, a.dtype, attr=(how, axis), clock=a.clock)


def scan(
    turns: int, start: Sequence[Node], body: Callable[[tuple[Node, ...], Node], Sequence[Node]]
) -> tuple[Node, ...]:
    """Carry values through a fixed number of turns: `carried = body(carried, turn)`; returns the last.

    Node form: `scan` has args (*start, *next) and attr (turns, carries, turn), where `carries` are
    the `carry` nodes and `turn` the `iter` node the body is written with; `result` nodes (attr: which)
    take its values. A body may use outside nodes freely.
    """
    _check_turns("scan", turns)
    clock = meet("scan", start)
    carries = tuple(Node("carry", (), s.shape, s.dtype, attr=k, clock=clock) for k, s in enumerate(start))
    turn = Node("iter", (), (), "i32", attr=turns)
    return close_scan(turns, carries, turn, start, tuple(body(carries, turn)))


def close_scan(
    turns: int, carries: Sequence[Node], turn: Node, start: Sequence[Node], nexts: Sequence[Node]
) -> tuple[Node, ...]:
    """Finish a scan whose body is written already: from its `carry` and `iter` nodes to its results."""
    forms = [(s.shape, s.dtype) for s in start]
    if [(n.shape, n.dtype) for n in nexts] != forms or [(c.shape, c.dtype) for c in carries] != forms:
        raise BadProgram(f"scan carries {list(start)} but its body gives {list(nexts)}")
    args = (*start, *nexts)
    whole = Node("scan", args, (), "i32", attr=(turns, tuple(carries), turn), clock=meet("scan", args))
    return tuple(
        Node("result", (whole,), s.shape, s.dtype, attr=k, clock=whole.clock) for k, s in enumerate(start)
    )


def each(turns: int, body: Callable[[Node], Node]) -> Node:
    """Stack what `body(turn)` gives for every turn: code and scratch once, shape (turns, ...).

    Node form: args (value,), attr (turns, turn) with `turn` the `iter` node.
    """
    _check_turns("each", turns)
    turn = Node("iter", (), (), "i32", attr=turns)
    return close_each(turns, turn, body(turn))


def close_each(turns: int, turn: Node, value: Node) -> Node:
    """Finish an `each` whose body is written already."""
    return Node("each", (value,), (turns, *value.shape), value.dtype, attr=(turns, turn), clock=value.clock)


def meet(op: str, args: Sequence[Node]) -> Clock | None:
    """The one clock of the arguments; raises BadProgram where two clocks meet."""
    clocks = {a.clock for a in args if a.clock is not None}
    if len(clocks) > 1:
        raise BadProgram(
            f"{op} lets two clocks meet: {sorted(clocks)}", hint="Cross clocks by a state: see word.sample"
        )
    return next(iter(clocks), None)


def _check_turns(op: str, turns: int) -> None:
    if turns < 1:
        raise BadProgram(f"{op} needs one turn or more, not {turns}")


def _pair(op: str, a: Value, b: Value) -> tuple[Node, Node]:
    if isinstance(a, Node):
        return a, b if isinstance(b, Node) else const(b, a.dtype)
    if isinstance(b, Node):
        return const(a, b.dtype), b
    raise BadProgram(f"{op} needs a node, not {a!r} and {b!r}")


def _same(op: str, a: Value, b: Value, only: tuple[str, ...], gives: str = "") -> Node:
    left, right = _pair(op, a, b)
    if left.dtype != right.dtype or left.dtype not in only:
        raise BadProgram(
            f"{op} cannot take {left!r} and {right!r}", hint=f"Both must be one of {', '.join(only)}"
        )
    args = (left, right)
    return Node(op, args, _broadcast(op, args), gives or left.dtype, clock=meet(op, args))


def _arithmetic(op: str, a: Value, b: Value, gives: str = "") -> Node:
    return _same(op, a, b, only=ARITHMETIC, gives=gives)


def _one(op: str, a: Node, only: tuple[str, ...]) -> Node:
    if a.dtype not in only:
        raise BadProgram(f"{op} cannot take {a!r}", hint=f"It must be one of {', '.join(only)}")
    return Node(op, (a,), a.shape, a.dtype, clock=a.clock)


def _shift(op: str, a: Node, by: int) -> Node:
    if a.dtype != "i32" or not 0 <= by < 32:
        raise BadProgram(f"{op} cannot shift {a!r} by {by}")
    return Node(op, (a,), a.shape, a.dtype, attr=by, clock=a.clock)


def _alike(op: str, parts: Sequence[Node]) -> Node:
    if not parts or any(p.dtype != parts[0].dtype for p in parts):
        raise BadProgram(f"{op} needs one or more nodes of one type, not {list(parts)}")
    return parts[0]


def _broadcast(op: str, args: Sequence[Node]) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(*(a.shape for a in args))
    except ValueError:
        raise BadProgram(f"{op} cannot fit together {list(args)}") from None
