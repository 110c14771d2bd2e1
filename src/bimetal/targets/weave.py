"""Weave: units become statements; elements that are used twice get a name, invariant ones move out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from bimetal.nouns.errors import Broken
from bimetal.program.interval import Interval
from bimetal.program.node import Node, walk
from bimetal.program.range import Ranges
from bimetal.program.scope import Scope, nexts_of
from bimetal.targets.block import Blocks, Value
from bimetal.targets.fusion import Fusion
from bimetal.targets.index import ELEMENTWISE, LEAVES, Index, align, flat, insert, zeros
from bimetal.targets.loops import (
    At,
    Buf,
    Expr,
    Lin,
    Lit,
    Note,
    Op,
    Read,
    Ref,
    Set,
    Stmt,
    Store,
    Var,
    variable,
)
from bimetal.targets.name import Names, hint
from bimetal.targets.order import sequence
from bimetal.targets.table import Tables
from bimetal.targets.unit import Dest, Unit

HEAVY = 8
"""An expression of more spellings than this gets a name."""

SPACES = {"input": "in", "param": "params", "state": "state"}
Late = list[tuple[Dest, Node, Value | Buf]]


class Weaver:
    """The statements of one stage."""

    def __init__(self, roots: Iterable[Node], ranges: Ranges, tables: Tables) -> None:
        roots = list(roots)
        self.ranges = ranges
        self.tables = tables
        self.unique = Names()
        self.blocks = Blocks(self.unique)
        self.carried: dict[Node, Dest] = {}
        self._kept: dict[Node, Buf] = {}
        self._home: dict[Node, int] = {}
        self._uses = Counter(roots)
        for node in walk(roots):
            self._uses.update(node.args)

    def weave(self, scope: Scope, dests: Iterable[tuple[Node, Dest]]) -> None:
        """Write all statements of a body whose values go to `dests`."""
        fusion = Fusion(scope, dests, self.ranges, self.unique, self.carried)
        self._home.update(dict.fromkeys(scope.nodes, self.blocks.depth))
        self._kept.update({n: b for n, b in fusion.kept.items() if n.op in ("stack", "concat", "each")})
        late: Late = []
        for unit in sequence(fusion.units, fusion.position):
            self.blocks.say(Note(described(unit)))
            self._unit(unit, scope, late)
            self._kept.update({n: fusion.kept[n] for n in unit.nodes if n in fusion.kept})
        if late:
            self.blocks.say(Note("what was computed from the old values is written now"))
        for dest, node, value in late:
            self._finish(self._fixed(dest), node, value)

    def finish(self) -> tuple[Stmt, ...]:
        """Return the statements of the stage."""
        return self.blocks.finish()

    # Units

    def _unit(self, unit: Unit, scope: Scope, late: Late) -> None:
        if unit.kind == "scan":
            return self._scan(unit.nodes[0], scope)
        if unit.kind == "each":
            return self._each(unit, scope, late)
        if unit.kind == "scalar":
            return self._scalar(unit, late)
        goes = {d: self._goes(n, d, unit, late) for n in unit.nodes for d in unit.dests.get(n, [])}
        loops = [self.blocks.open(length) if length > 1 else None for length in unit.shape]
        own = tuple(Lin() if at is None else at for at in loops)
        stores: list[Store] = []
        alone = len(unit.nodes) == 1 and self._once(unit)
        for node in unit.nodes:
            value = self._value(node, own) if alone else self._named(node, own)
            for dest in unit.dests.get(node, []):
                to = goes[dest]
                stores.append(self._store(to, to.start + flat(own, node.shape), node, value))
        for store in stores:
            self.blocks.say(store)
        for at in loops:
            if at is not None:
                self.blocks.close()
        return None

    def _goes(self, node: Node, dest: Dest, unit: Unit, late: Late) -> Dest:
        """Return where a unit writes a node now: scratch memory for what is written late."""
        if dest not in unit.late:
            return self._fixed(dest)
        self._early(dest)
        buf = Buf("scratch", self.unique.of(node), node.dtype, node.size)
        late.append((dest, node, buf))
        return Dest(buf)

    def _early(self, dest: Dest) -> None:
        """Read which item a late dest is before that may change."""
        if dest.at is not None and dest.at.op in LEAVES:
            self._place(dest.at, ())

    def _fixed(self, dest: Dest) -> Dest:
        """Return a dest with its computed item worked out."""
        return Dest(dest.buf, dest.start + self._chosen(dest), dest.var, mutable=dest.mutable)

    def _chosen(self, dest: Dest) -> Lin:
        """Return where the computed item of a dest starts."""
        return self._place(dest.at, ()).times(dest.row) if dest.at is not None else Lin()

    def _scalar(self, unit: Unit, late: Late) -> None:
        (node,) = unit.nodes
        value = self._value(node, zeros(node.shape))
        if not (self._once(unit) or value.atom) or self._changes(value.expr):
            value = self.blocks.bind(value, hint(node))
        if not isinstance(value.expr, Read | Op):
            self.blocks.note(node, zeros(node.shape), value)
        for dest in unit.dests.get(node, []):
            if dest in unit.late:
                self._early(dest)
                late.append((dest, node, value))
            elif dest.buf is None:
                self.blocks.say(Var(dest.var, value.expr))
                self.blocks.place(dest.var, self.blocks.depth)
            else:
                self.blocks.say(self._store(dest, dest.start, node, value))

    def _once(self, unit: Unit) -> bool:
        """Say whether all a unit does is write one node to one place at once."""
        (node, *_), dests = unit.nodes, [d for dests in unit.dests.values() for d in dests]
        return len(dests) == 1 and dests[0] not in unit.late and self._uses[node] == 1

    def _finish(self, dest: Dest, node: Node, value: Value | Buf) -> None:
        """Write late what was put aside."""
        if isinstance(value, Value):
            if dest.buf is None:
                self.blocks.say(Set(dest.var, value.expr))
            else:
                self.blocks.say(self._store(dest, dest.start, node, value))
            return
        at = self.blocks.open(value.size)
        self._check(value, at)
        element = Value(Read(value, at), self.blocks.depth)
        self.blocks.say(self._store(dest, dest.start + at, node, element))
        self.blocks.close()

    def _store(self, dest: Dest, place: Lin, node: Node, value: Value) -> Store:
        """Return a store; NaN becomes canonical where others may look at its bits."""
        if dest.buf is None:
            raise Broken("an array goes to a scalar", where="lowering")
        self._check(dest.buf, place)
        expr = value.expr
        if dest.buf.space in ("state", "out") and node.dtype == "f32" and self.ranges[node].nan:
            expr = Op("canon", (expr,), "f32")
        return Store(dest.buf, place, expr)

    # Loops

    def _scan(self, node: Node, scope: Scope) -> None:
        turns, carries, turn = node.attr
        at = self.blocks.open(turns)
        self.blocks.indexer.turns[turn] = at
        self._home.update(dict.fromkeys((*carries, turn), self.blocks.depth))
        dests: list[tuple[Node, Dest]] = []
        for carry, after in zip(carries, nexts_of(node), strict=True):
            place = self.carried[carry]
            if after is not carry:
                dests.append((after, Dest(place.buf, var=place.var, mutable=True)))
        self.weave(scope.inner[node], dests)
        self.blocks.close()

    def _each(self, unit: Unit, scope: Scope, late: Late) -> None:
        (node,) = unit.nodes
        ((_, (dest,)),) = unit.dests.items()
        dest = self._goes(node, dest, unit, late)
        turns, turn = node.attr
        (value,) = node.args
        at = self.blocks.open(turns)
        self.blocks.indexer.turns[turn] = at
        self._home[turn] = self.blocks.depth
        part = Dest(dest.buf, dest.start + at.times(value.size))
        self.weave(scope.inner[node], [(value, part)])
        self.blocks.close()

    # Values

    def _named(self, node: Node, index: Index) -> Value:
        """Return an element under a name that holds for the rest of its block."""
        value = self._value(node, index)
        if not value.atom:
            value = self.blocks.bind(value, hint(node))
        self.blocks.note(node, index, value)
        return value

    def _value(self, node: Node, index: Index) -> Value:
        found = self.blocks.known(node, index)
        if found is not None:
            return found
        value = self._fresh(node, index)
        often = self._uses[node] > 1 and not value.atom
        if often or (value.weight > HEAVY and not value.atom):
            value = self.blocks.bind(value, hint(node))
        if not isinstance(value.expr, Read | Op):
            self.blocks.note(node, index, value)
        return value

    def _fresh(self, node: Node, index: Index) -> Value:
        """Spell an element that was not spelled before."""
        level = max(self._home.get(node, 0), self.blocks.level(index))
        buf = self._memory(node)
        if buf is not None:
            return self._read(buf, flat(index, node.shape), level)
        if node.op in ("carry", "result"):
            return Value(Ref(self._carried(node).var, node.dtype), level)
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
                return self._value(node.args[0], indexer.sliced(node, index))
            case "reshape":
                return self._shaped(node.args[0], flat(index, node.shape), level)
            case "stack" | "concat":
                part = indexer.picked(node, index)
                if part is not None:
                    return self._value(*part)
            case "gather":
                at, chosen = node.args[1], index[: len(node.args[1].shape)]
                return self._value(node.args[0], (self._place(at, chosen), *index[len(chosen) :]))
            case "reduce":
                return self._reduce(node, index, level)
            case op if op in ELEMENTWISE:
                args = [self._value(a, align(index, a.shape)) for a in node.args]
                return self._spelled(op, args, node.dtype, node.attr or 0, level)
        raise Broken(f"{node!r} was not computed before it is used", where="lowering")

    def _spelled(self, op: str, args: list[Value], dtype: str, attr: int, level: int) -> Value:
        """Apply a spelling; what belongs to an outer block is computed there."""
        lifted = [self.blocks.bind(a, hint_of(a.expr)) if a.level < level and not a.atom else a for a in args]
        weight = 1 + sum(a.weight for a in lifted)
        return Value(Op(op, tuple(a.expr for a in lifted), dtype, attr), level, weight)

    def _reduce(self, node: Node, index: Index, level: int) -> Value:
        how, axis = node.attr
        (arg,) = node.args
        count = arg.shape[axis]
        if count == 1:
            return self._value(arg, insert(index, axis, Lin()))
        with self.blocks.outer(level):
            first, starts = start_of(how, node.dtype, self.ranges[arg])
            name = self.unique.of(node)
            total = Ref(name, node.dtype)
            self.blocks.say(Var(name, Lit(first, node.dtype)))
            self.blocks.place(name, level)
            at = self.blocks.open(count)
            item = self._value(arg, insert(index, axis, at))
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
            return self._value(node, index)
        buf = self._memory(node)
        if buf is not None:
            return self._read(buf, place, level)
        if node.op == "const":
            return self._constant(node, place, level)
        if node.op == "reshape":
            return self._shaped(node.args[0], place, level)
        raise Broken(f"{node!r} was not kept, and is taken in another shape", where="lowering")

    def _memory(self, node: Node) -> Buf | None:
        """Return the buffer a node's elements lie in, if they do."""
        if node.op in ("carry", "result"):
            return self._carried(node).buf
        if node.op in SPACES:
            return Buf(SPACES[node.op], node.name, node.dtype, node.size)
        return self._kept.get(node)

    def _carried(self, node: Node) -> Dest:
        return self.carried[node if node.op == "carry" else node.args[0].attr[1][node.attr]]

    def _place(self, node: Node, index: Index) -> Lin:
        """Return a whole number as an index; what is not affine is computed and gets a name."""
        value = self._value(node, index)
        if isinstance(value.expr, Lit):
            return Lin(int(value.expr.value))
        if isinstance(value.expr, At):
            return value.expr.index
        if not isinstance(value.expr, Ref):
            value = self.blocks.bind(value, hint(node))
            self.blocks.note(node, index, value)
        assert isinstance(value.expr, Ref)
        known = self.ranges[node]
        self.blocks.indexer.spans[value.expr.name] = (int(known.low), int(known.high))
        return variable(value.expr.name)

    def _read(self, buf: Buf, place: Lin, level: int) -> Value:
        self._check(buf, place)
        return Value(Read(buf, place), level, 1)

    def _check(self, buf: Buf, place: Lin) -> None:
        """Prove that an index lies inside its buffer."""
        low, high = place.span(self.blocks.indexer.spans)
        if low < 0 or high >= buf.size:
            raise Broken(f"index {low}..{high} leaves {buf.name} of {buf.size} elements", where="lowering")

    def _changes(self, expr: Expr) -> bool:
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


def described(unit: Unit) -> str:
    """Return a unit in words."""
    places = [d.place for node in unit.nodes for d in unit.dests.get(node, [])]
    what = ", ".join(n.name or n.op for n in unit.nodes)
    return f"{what}{list(unit.shape) if unit.shape else ''}{' to ' if places else ''}{', '.join(places)}"
