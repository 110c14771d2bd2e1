"""Weave: units become statements, in order; what has to wait is written at the end of its body."""

from __future__ import annotations

from collections.abc import Iterable

from bimetal.nouns.errors import Broken
from bimetal.program.node import Node
from bimetal.program.scope import Scope, nexts_of
from bimetal.targets.block import Value
from bimetal.targets.element import Elements
from bimetal.targets.fusion import Fusion
from bimetal.targets.index import LEAVES, flat, zeros
from bimetal.targets.loops import Buf, Call, Lin, Note, Op, Read, Set, Stmt, Store, Var
from bimetal.targets.name import hint
from bimetal.targets.order import sequence
from bimetal.targets.unit import Dest, Unit

Late = list[tuple[Dest, Node, Value | Buf]]


class Weaver:
    """The statements of one stage."""

    def __init__(self, elements: Elements) -> None:
        self.elements = elements
        self.blocks = elements.blocks

    def weave(self, scope: Scope, dests: Iterable[tuple[Node, Dest]]) -> None:
        """Write all statements of a body whose values go to `dests`."""
        fusion = Fusion(scope, dests, self.elements.ranges, self.elements.unique, self.elements.carried)
        self.elements.home.update(dict.fromkeys(scope.nodes, self.blocks.depth))
        self.elements.kept.update(
            {n: b for n, b in fusion.kept.items() if n.op in ("stack", "concat", "each")}
        )
        late: Late = []
        for unit in sequence(fusion.units, fusion.position):
            self.blocks.say(Note(described(unit)))
            self._unit(unit, scope, late)
            self.elements.kept.update({n: fusion.kept[n] for n in unit.nodes if n in fusion.kept})
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
        if unit.kind == "when":
            return self._when(unit, scope)
        if unit.kind == "kernel":
            return self._kernel(unit, late)
        if unit.kind == "scalar":
            return self._scalar(unit, late)
        goes = {d: self._goes(n, d, unit, late) for n in unit.nodes for d in unit.dests.get(n, [])}
        loops = [self.blocks.open(length) if length > 1 else None for length in unit.shape]
        own = tuple(Lin() if at is None else at for at in loops)
        stores: list[Store] = []
        alone = len(unit.nodes) == 1 and self._once(unit)
        for node in unit.nodes:
            value = self.elements.value(node, own) if alone else self.elements.named(node, own)
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
        buf = Buf("scratch", self.elements.unique.of(node), node.dtype, node.size)
        late.append((dest, node, buf))
        return Dest(buf)

    def _early(self, dest: Dest) -> None:
        """Read which item a late dest is before that may change."""
        if dest.at is not None and dest.at.op in LEAVES:
            self.elements.place(dest.at, ())

    def _fixed(self, dest: Dest) -> Dest:
        """Return a dest with its computed item worked out."""
        return Dest(dest.buf, dest.start + self._chosen(dest), dest.var, mutable=dest.mutable)

    def _chosen(self, dest: Dest) -> Lin:
        """Return where the computed item of a dest starts."""
        return self.elements.place(dest.at, ()).times(dest.row) if dest.at is not None else Lin()

    def _scalar(self, unit: Unit, late: Late) -> None:
        (node,) = unit.nodes
        value = self.elements.value(node, zeros(node.shape))
        if not (self._once(unit) or value.atom) or self.elements.changes(value.expr):
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
        return len(dests) == 1 and dests[0] not in unit.late and self.elements.uses[node] == 1

    def _finish(self, dest: Dest, node: Node, value: Value | Buf) -> None:
        """Write late what was put aside."""
        if isinstance(value, Value):
            if dest.buf is None:
                self.blocks.say(Set(dest.var, value.expr))
            else:
                self.blocks.say(self._store(dest, dest.start, node, value))
            return
        at = self.blocks.open(value.size)
        self.elements.check(value, at)
        element = Value(Read(value, at), self.blocks.depth)
        self.blocks.say(self._store(dest, dest.start + at, node, element))
        self.blocks.close()

    def _store(self, dest: Dest, place: Lin, node: Node, value: Value) -> Store:
        """Return a store; NaN becomes canonical where others may look at its bits."""
        if dest.buf is None:
            raise Broken("an array goes to a scalar", where="lowering")
        self.elements.check(dest.buf, place)
        expr = value.expr
        if dest.buf.space in ("state", "out") and node.dtype == "f32" and self.elements.ranges[node].nan:
            expr = Op("canon", (expr,), "f32")
        return Store(dest.buf, place, expr)

    # Loops

    def _scan(self, node: Node, scope: Scope) -> None:
        turns, carries, turn = node.attr
        at = self.blocks.open(turns)
        self.blocks.indexer.turns[turn] = at if turns > 1 else Lin()
        self.elements.home.update(dict.fromkeys((*carries, turn), self.blocks.depth))
        dests: list[tuple[Node, Dest]] = []
        for carry, after in zip(carries, nexts_of(node), strict=True):
            place = self.elements.carried[carry]
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
        self.blocks.indexer.turns[turn] = at if turns > 1 else Lin()
        self.elements.home[turn] = self.blocks.depth
        part = Dest(dest.buf, dest.start + at.times(value.size))
        self.weave(scope.inner[node], [(value, part)])
        self.blocks.close()

    def _when(self, unit: Unit, scope: Scope) -> None:
        """Write zeros, and over them what is computed where it is asked for."""
        (node,) = unit.nodes
        ((_, (dest,)),) = unit.dests.items()
        asked = self.elements.named(node.args[0], ())
        zero = self.elements.value(node.args[2], zeros(node.args[2].shape))
        at = self.blocks.open(node.size) if node.size > 1 else Lin()
        self.blocks.say(self._store(dest, dest.start + at, node, zero))
        if node.size > 1:
            self.blocks.close()
        self.blocks.open_where(asked.expr)
        self.weave(scope.inner[node], [(node, dest)])
        self.blocks.close()
        self.elements.home[node] = self.blocks.depth

    def _kernel(self, unit: Unit, late: Late) -> None:
        """Run a kernel over buffers that are kept whole."""
        ((node, (dest,)),) = unit.dests.items()
        dest = self._goes(node, dest, unit, late)
        reads = [self._whole(arg) for arg in node.args]
        if dest.buf is None or dest.start.terms:
            raise Broken(f"{node!r} goes to no place that is known", where="lowering")
        self.blocks.say(Call(node.attr, tuple(reads), dest.buf, dest.start.const))

    def _whole(self, node: Node) -> Buf:
        """Return the buffer that holds all of a node, whatever its shape is called."""
        while node.op == "reshape":
            (node,) = node.args
        buf = self.elements.memory(node)
        if buf is None:
            raise Broken(f"{node!r} was not kept for a kernel", where="lowering")
        return buf


def described(unit: Unit) -> str:
    """Return a unit in words."""
    places = [d.place for node in unit.nodes for d in unit.dests.get(node, [])]
    what = ", ".join(n.name or n.op for n in unit.nodes)
    return f"{what}{list(unit.shape) if unit.shape else ''}{' to ' if places else ''}{', '.join(places)}"
