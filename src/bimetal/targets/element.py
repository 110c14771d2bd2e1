"""Elements: one element of a letter's value as a scalar, spelled where it is used or named before.

What is used twice gets a name; what a loop does not change is computed outside of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from bimetal.nouns.errors import Broken
from bimetal.program.interval import Interval
from bimetal.program.node import Node, walk
from bimetal.program.range import Ranges
from bimetal.targets.block import Blocks, Value
from bimetal.targets.index import ELEMENTWISE, Index, align, flat, insert
from bimetal.targets.loops import At, Buf, Expr, Lin, Lit, Op, Read, Ref, Set, Var, variable
from bimetal.targets.name import Names, hint
from bimetal.targets.table import Tables
from bimetal.targets.unit import Dest

HEAVY = 8
"""An expression of more spellings than this gets a name."""

COMPARISONS = ("lt", "le", "eq")
SPACES = {"input": "in", "param": "params", "state": "state"}


class Elements:
    """What one stage has computed so far, and how to compute more."""

    def __init__(self, roots: Iterable[Node], ranges: Ranges, tables: Tables) -> None:
        roots = list(roots)
        self.ranges = ranges
        self.tables = tables
        self.unique = Names()
        self.blocks = Blocks(self.unique)
        self.carried: dict[Node, Dest] = {}
        self.kept: dict[Node, Buf] = {}
        self.home: dict[Node, int] = {}
        self.uses = Counter(roots)
        for node in walk(roots):
            self.uses.update(node.args)

    def named(self, node: Node, index: Index) -> Value:
        """Return an element under a name that holds for the rest of its block."""
        value = self.value(node, index)
        if not value.atom:
            value = self.blocks.bind(value, hint(node))
        self.blocks.note(node, index, value)
        return value

    def value(self, node: Node, index: Index) -> Value:
        """Return an element, as it is known or computed anew."""
        found = self.blocks.known(node, index)
        if found is not None:
            return found
        value = self._fresh(node, index)
        often = self.uses[node] > 1 and not value.atom
        if often or (value.weight > HEAVY and not value.atom):
            value = self.blocks.bind(value, hint(node))
        if not isinstance(value.expr, Read | Op):
            self.blocks.note(node, index, value)
        return value

    def _fresh(self, node: Node, index: Index) -> Value:
        """Spell an element that was not spelled before."""
        level = max(self.home.get(node, 0), self.blocks.level(index))
        buf = self.memory(node)
        if buf is not None:
            return self._read(buf, flat(index, node.shape), level)
        if node.op in ("carry", "result"):
            return Value(Ref(self._carried(node).var, node.dtype), level)
        known = self.ranges.nodes.get(node)
        if known is not None and known.low == known.high and node.dtype != "f32":
            return Value(Lit(int(known.low), node.dtype), level)
        place = self.blocks.indexer.affine(node, index)
        if place is not None:
            expr = At(place) if place.terms else Lit(place.const, "i32")
            return Value(expr, level, len(place.terms))
        return self._letter(node, index, level)

    def _letter(self, node: Node, index: Index, level: int) -> Value:
        indexer = self.blocks.indexer
        match node.op:
            case "const":
                return self._constant(node, flat(index, node.shape), level)
            case "slice":
                return self.value(node.args[0], indexer.sliced(node, index))
            case "reshape":
                return self._shaped(node.args[0], flat(index, node.shape), level)
            case "stack" | "concat":
                part = indexer.picked(node, index)
                if part is not None:
                    return self.value(*part)
            case "gather":
                at, chosen = node.args[1], index[: len(node.args[1].shape)]
                return self.value(node.args[0], (self.place(at, chosen), *index[len(chosen) :]))
            case "reduce":
                return self._reduce(node, index, level)
            case op if op in ELEMENTWISE:
                args = [self.value(a, align(index, a.shape)) for a in node.args]
                return self._spelled(op, args, node.dtype, node.attr or 0, level)
            case _:
                pass
        raise Broken(f"{node!r} was not computed before it is used", where="lowering")

    def _spelled(self, op: str, args: list[Value], dtype: str, attr: int, level: int) -> Value:
        """Apply a spelling; what belongs to an outer block is computed there.

        Compilers warn of comparisons that their types decide, so whole numbers are compared by name.
        """
        lifted = [self.blocks.bind(a, hint_of(a.expr)) if a.level < level and not a.atom else a for a in args]
        if op in COMPARISONS and args[0].expr.dtype == "i32":
            lifted = [self.blocks.bind(a, "value") if isinstance(a.expr, Op) else a for a in lifted]
            first, second = (a.expr for a in lifted)
            if isinstance(first, Ref) and isinstance(second, Ref) and first.name == second.name:
                return Value(Lit(op != "lt", "b1"), level)
        weight = 1 + sum(a.weight for a in lifted)
        return Value(Op(op, tuple(a.expr for a in lifted), dtype, attr), level, weight)

    def _reduce(self, node: Node, index: Index, level: int) -> Value:
        how: str = node.attr[0]
        axis = int(node.attr[1])
        (arg,) = node.args
        count = arg.shape[axis]
        if count == 1:
            return self.value(arg, insert(index, axis, Lin()))
        with self.blocks.outer(level):
            first, starts = start_of(how, node.dtype, self.ranges[arg])
            name = self.unique.of(node)
            total = Ref(name, node.dtype)
            self.blocks.say(Var(name, Lit(first, node.dtype)))
            self.blocks.place(name, level)
            at = self.blocks.open(count)
            item = self.value(arg, insert(index, axis, at))
            inner = self.blocks.depth
            if not starts:
                item = item if item.atom else self.blocks.bind(item, "item")
            folded: Expr = Op(how, (total, item.expr), node.dtype)
            if not starts:
                begin = Op("eq", (At(at), Lit(0, "i32")), "b1")
                folded = Op("where", (begin, item.expr, folded), node.dtype)
            self.blocks.say(Set(name, folded), inner)
            self.blocks.close()
        return Value(total, level)

    def _constant(self, node: Node, place: Lin, level: int) -> Value:
        values = node.attr.reshape(-1)
        if (values.view(np.uint8).reshape(len(values), -1) == values[:1].view(np.uint8)).all():
            return Value(Lit(values[0].item(), node.dtype), level)
        if not place.terms:
            return Value(Lit(values[place.const].item(), node.dtype), level)
        buf = self.tables.of(node)
        value = self._read(buf, place, level)
        return value if buf.dtype == node.dtype else Value(Op("cast", (value.expr,), "i32"), level, 1)

    def _shaped(self, node: Node, place: Lin, level: int) -> Value:
        """Return an element by its row-major place."""
        index = self.blocks.indexer.unflat(place, node.shape)
        if index is not None:
            return self.value(node, index)
        buf = self.memory(node)
        if buf is not None:
            return self._read(buf, place, level)
        if node.op == "const":
            return self._constant(node, place, level)
        if node.op == "reshape":
            return self._shaped(node.args[0], place, level)
        raise Broken(f"{node!r} was not kept, and is taken in another shape", where="lowering")

    def memory(self, node: Node) -> Buf | None:
        """Return the buffer a node's elements lie in, if they do."""
        if node.op in ("carry", "result"):
            return self._carried(node).buf
        if node.op in SPACES:
            return Buf(SPACES[node.op], node.name, node.dtype, node.size)
        return self.kept.get(node)

    def _carried(self, node: Node) -> Dest:
        return self.carried[node if node.op == "carry" else node.args[0].attr[1][node.attr]]

    def place(self, node: Node, index: Index) -> Lin:
        """Return a whole number as an index; what is not affine is computed and gets a name."""
        known = self.ranges[node]
        if known.low == known.high:
            return Lin(int(known.low))
        value = self.value(node, index)
        if isinstance(value.expr, Lit):
            return Lin(int(value.expr.value))
        if isinstance(value.expr, At):
            return value.expr.index
        if not isinstance(value.expr, Ref):
            value = self.blocks.bind(value, hint(node))
            self.blocks.note(node, index, value)
        assert isinstance(value.expr, Ref)
        self.blocks.indexer.spans[value.expr.name] = (int(known.low), int(known.high))
        return variable(value.expr.name)

    def _read(self, buf: Buf, place: Lin, level: int) -> Value:
        self.check(buf, place)
        return Value(Read(buf, place), level, 1)

    def check(self, buf: Buf, place: Lin) -> None:
        """Prove that an index lies inside its buffer."""
        low, high = place.span(self.blocks.indexer.spans)
        if low < 0 or high >= buf.size:
            raise Broken(f"index {low}..{high} leaves {buf.name} of {buf.size} elements", where="lowering")

    def changes(self, expr: Expr) -> bool:
        """Say whether a name stands for something that a scan changes."""
        return isinstance(expr, Ref) and any(d.var == expr.name for d in self.carried.values())


def start_of(how: str, dtype: str, known: Interval) -> tuple[float | int, bool]:
    """Return what a fold starts from, and whether that changes nothing for any first element.

    -0.0 + x is x for every x. A NaN as first element stays the least and the greatest, so nothing can
    stand before it.
    """
    if how == "add":
        return (-0.0 if dtype == "f32" else 0), True
    sign = 1 if how == "min" else -1
    if dtype == "f32":
        return (0.0, False) if known.nan else (sign * float("inf"), True)
    return (2**31 - 1 if how == "min" else -(2**31)), True


def hint_of(expr: Expr) -> str:
    """Return a name for what an expression reads or computes."""
    return expr.buf.name if isinstance(expr, Read) else "value"
