"""Fusion: what a body keeps in memory, what it computes on the spot, and what shares one loop.

Nodes are looked at users first, so that when one is looked at, every place that takes an element of
it is known (its *sites*: a unit and an index). A node is computed where it is used when that computes
nothing twice, or when it is cheap; otherwise it gets a unit, and memory if another unit needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bimetal.nouns.errors import Broken
from bimetal.program.node import Node, walk
from bimetal.program.range import Ranges
from bimetal.program.scope import Scope, every_scope, nexts_of
from bimetal.targets.aside import is_when
from bimetal.targets.index import ELEMENTWISE, LEAVES, Index, Indexer, align, flat, insert, names, zeros
from bimetal.targets.loops import Buf, Lin, variable
from bimetal.targets.name import Names
from bimetal.targets.unit import Dest, Unit, Where, identity

WEIGHT = {"div": 8, "sqrt": 8, "mulshr": 3, "cast": 0, "bits": 0, "neg": 0, "gather": 0, "reduce": 100}
"""What computing one element costs; 1 for all others."""
LIGHT = ("cast", "bits", "neg", "slice", "reshape")


class Fusion:
    """The decisions about one body."""

    def __init__(
        self,
        scope: Scope,
        dests: Iterable[tuple[Node, Dest]],
        ranges: Ranges,
        unique: Names,
        carried: dict[Node, Dest],
    ) -> None:
        """Decide about a scope whose values go to `dests`; `carried` has, and is given, places of carries."""
        self.scope = scope
        self.ranges = ranges
        self.unique = unique
        self.carried = carried
        self.position = {node: k for k, node in enumerate(scope.nodes)}
        self.kept: dict[Node, Buf] = {}
        self._units: list[Unit] = []
        self._dests: dict[Node, list[Dest]] = {}
        self._sites: dict[Node, dict[tuple[Unit, Where], None]] = {}
        self._indexer = Indexer({f"#{k}": (0, 2**20) for k in range(8)})
        self._trips: dict[str, tuple[frozenset[str], int]] = {}
        self._pinned: set[Node] = set()
        self._fresh: dict[tuple[Node, Index], str] = {}
        for turn in {n for n in walk(scope.nodes) if n.op == "iter"}:
            self._open(turn)
        for node, dest in dests:
            self._give(node, dest)
        for node in reversed(scope.nodes):
            self._decide(node)

    @property
    def units(self) -> list[Unit]:
        """Every unit there is now."""
        return [u for u in self._units if u.merged_into is None]

    # What is asked of a node

    def _give(self, node: Node, dest: Dest) -> None:
        """Ask for a node's elements at a place."""
        if dest.at is not None:
            self._pinned |= {dest.at, *(dest.at.args if dest.at.op == "result" else ())}
        if node in self.position:
            self._dests.setdefault(node, []).append(dest)
        else:
            self._unit(node, [dest])

    def _use(self, node: Node, unit: Unit, at: Where) -> None:
        """Note that a unit takes an element of a node; nodes of outer bodies are there already."""
        if node in self.position:
            self._sites.setdefault(node, {})[(unit, at)] = None

    def _unit(self, node: Node, dests: list[Dest], kind: str = "") -> Unit:
        """Start a unit for a node; what a nest of loops does is computed at its own index."""
        kind = kind or ("scalar" if node.size == 1 else "loop")
        shape = node.shape if kind == "loop" else ()
        unit = Unit(len(self._units), kind, shape, [node], {node: list(dests)} if dests else {})
        self._units.append(unit)
        for dest in dests:
            if dest.at is not None and dest.at.op in LEAVES:
                self._read(dest.at, unit, ())
            elif dest.at is not None:
                unit.items[dest] = self._key(dest.at.args[0] if dest.at.op == "result" else dest.at)
        return unit

    def _open(self, turn: Node) -> None:
        """Name the variable of a loop around this body."""
        name = f"#{len(self._trips)}t"
        self._trips[name] = (frozenset(), 1)
        self._indexer.spans[name] = (0, turn.attr - 1)
        self._indexer.turns[turn] = variable(name) if turn.attr > 1 else Lin()

    def _keep(self, node: Node) -> Dest:
        """Return the scratch buffer a node is kept in."""
        if node not in self.kept:
            self.kept[node] = Buf("scratch", self.unique.of(node), node.dtype, node.size)
        return Dest(self.kept[node])

    def _key(self, node: Node) -> str:
        """Return the name under which units give a node to others."""
        return Dest(self.kept[node]).place if node in self.kept else f"node {self.position[node]}"

    def _need(self, node: Node, unit: Unit, at: Where) -> None:
        if node in self.position:
            unit.find().needs.setdefault(self._key(node), set()).add(at)

    def _read(self, node: Node, unit: Unit, at: Where) -> None:
        """Note that a unit reads what is in memory already."""
        if node.op == "result":
            self._need(node.args[0], unit, None)
            self._use(node.args[0], unit, None)
        elif node.op in ("state", "carry"):
            place = self.carried[node].place if node.op == "carry" else f"state {node.name}"
            unit.reads.setdefault(place, set()).add(flat(at, node.shape) if isinstance(at, tuple) else at)

    # The decision

    def _decide(self, node: Node) -> None:
        dests = self._dests.pop(node, [])
        sites = list({(unit.find(), at): None for unit, at in self._sites.pop(node, {})})
        if not dests and not sites and node not in self._pinned:
            return
        if node.op in LEAVES or node.op == "result":
            if dests:
                sites.append((self._unit(node, dests), identity(node.shape)))
            for unit, at in sites:
                self._read(node, unit, at)
        elif node.op in ("scan", "each", "kernel") or node in self.scope.inner:
            self._loop(node, dests, sites)
        elif node.size == 1:
            self._scalar(node, dests, sites)
        elif node.op == "reshape":
            self._reshape(node, dests, sites)
        elif node.op in ("stack", "concat"):
            self._join(node, dests, sites)
        elif node.op == "slice" and not dests and not any(_whole(u, at) for u, at in sites):
            self._everywhere(node, sites)
        else:
            self._array(node, dests, sites)

    def _scalar(self, node: Node, dests: list[Dest], sites: list[tuple[Unit, Where]]) -> None:
        unit = sites[0][0] if sites else None
        if unit is None or dests or node in self._pinned or len(sites) > 1 or unit.kind != "scalar":
            unit = self._unit(node, dests)
            unit.makes.add(self._key(node))
            self._provide(node, sites)
        self._route(node, unit, zeros(node.shape))

    def _array(self, node: Node, dests: list[Dest], sites: list[tuple[Unit, Where]]) -> None:
        own = identity(node.shape)
        free = not any(not isinstance(at, tuple) for _, at in sites)
        by_axes = not any(_whole(u, at) for u, at in sites)
        if not dests and ((free and self._worth_repeating(node, sites)) or (by_axes and _light(node))):
            return self._everywhere(node, sites)
        beside = {u for u, at in sites if u.kind == "loop" and u.shape == node.shape and at == own}
        if len({(u, at) for u, at in sites if u not in beside or at != own}) == 0:
            together = self._merge(node, dests, beside)
            if together is not None:
                return self._route(node, together, own)
        unit = self._unit(node, [*dests, self._keep(node)])
        elsewhere = {u for u, at in sites if at != own}
        for other in sorted(beside - elsewhere, key=lambda u: u.serial):
            if self._may_merge({unit, other}, [u for u, _ in sites]):
                unit.absorb(other)
        self._provide(node, sites)
        return self._route(node, unit, own)

    def _merge(self, node: Node, dests: list[Dest], beside: set[Unit]) -> Unit | None:
        """Put all that use a node at their own index into one nest of loops, where order allows."""
        group = set(beside)
        if dests:
            group.add(self._unit(node, dests))
        if len(group) > 1 and not self._may_merge(group, []):
            if dests:
                self._units.pop()
            return None
        first, *rest = sorted(group, key=lambda u: u.serial)
        for other in rest:
            first.absorb(other)
        return first

    def _reshape(self, node: Node, dests: list[Dest], sites: list[tuple[Unit, Where]]) -> None:
        (arg,) = node.args
        for dest in dests:
            self._give(arg, dest)
        for unit, at in sites:
            place = flat(at, node.shape) if isinstance(at, tuple) else at
            self._use(arg, unit, self._shaped(place, arg, unit))

    def _join(self, node: Node, dests: list[Dest], sites: list[tuple[Unit, Where]]) -> None:
        """A `stack` or `concat`: its parts go where it goes, unless it must be in one piece."""
        picked = [(u, self._picked(node, at, u)) for u, at in sites]
        if any(part is None for _, part in picked):
            kept = self._keep(node)
            sites += [(self._unit(node, [dest]), identity(node.shape)) for dest in dests]
            self._provide(node, sites)
            dests, picked = [kept], []
        for unit, part in picked:
            if part is not None:
                self._use(part[0], unit, part[1])
        for dest in dests:
            offset = 0
            for part in node.args:
                self._give(part, dest.part(offset))
                offset += part.size

    def _loop(self, node: Node, dests: list[Dest], sites: list[tuple[Unit, Where]]) -> None:
        when = is_when(node)
        if when or (node.op in ("each", "kernel") and (sites or len(dests) != 1)):
            kept = self._keep(node)
            sites += [(self._unit(node, [dest]), identity(node.shape)) for dest in dests]
            dests = [kept]
        self._provide(node, sites)
        unit = self._unit(node, dests, kind="when" if when else node.op)
        unit.makes.add(self._key(node))
        if when:
            self._use(node.args[0], unit, ())
        if node.op == "kernel":
            return self._everywhere(node, [(unit, None)])
        for inner in every_scope(self.scope.inner[node]):
            for used in inner.nodes:
                for arg in used.args:
                    self._use(arg, unit, None)
        for used in () if when else nexts_of(node):
            self._use(used, unit, None)
        if node.op == "scan":
            for start, carry in zip(node.args, node.attr[1], strict=False):
                self._start(start, carry, unit)

    def _start(self, start: Node, carry: Node, unit: Unit) -> None:
        """Give a carried value a place of its own, and its first value."""
        name = self.unique.of(carry)
        buf = Buf("scratch", name, carry.dtype, carry.size) if carry.size > 1 else None
        place = Dest(buf, var="" if buf else name)
        self.carried[carry] = place
        unit.needs[place.place] = {None}
        self._give(start, place)

    # Sites

    def _provide(self, node: Node, sites: list[tuple[Unit, Where]]) -> None:
        for unit, at in sites:
            self._need(node, unit, at)

    def _everywhere(self, node: Node, sites: list[tuple[Unit, Where]]) -> None:
        for unit, at in sites:
            self._route(node, unit, at)

    def _route(self, node: Node, unit: Unit, at: Where) -> None:
        """Note which elements of its arguments an element of a node takes."""
        for arg, where in self._routes(node, unit, at):
            self._use(arg, unit.find(), where)

    def _routes(self, node: Node, unit: Unit, at: Where) -> Iterator[tuple[Node, Where]]:
        if at is None:
            yield from ((arg, None) for arg in node.args)
        elif isinstance(at, Lin):
            raise Broken(f"{node!r} is taken by its row-major place", where="lowering")
        elif node.op in ELEMENTWISE:
            yield from ((arg, align(at, arg.shape)) for arg in node.args)
        elif node.op == "slice":
            yield node.args[0], self._bounded(unit).sliced(node, at)
        elif node.op == "reduce":
            yield node.args[0], insert(at, node.attr[1], self._turn(node, at))
        elif node.op == "reshape":
            yield node.args[0], self._shaped(flat(at, node.shape), node.args[0], unit)
        elif node.op in ("stack", "concat"):
            part = self._picked(node, at, unit)
            if part is not None:
                yield part
        elif node.op == "gather":
            yield from self._gathered(node, unit, at)
        else:
            raise Broken(f"{node!r} has no elements to take", where="lowering")

    def _gathered(self, node: Node, unit: Unit, at: Index) -> Iterator[tuple[Node, Where]]:
        source, index = node.args
        chosen, rest = at[: len(index.shape)], at[len(index.shape) :]
        place = self._bounded(unit).affine(index, chosen)
        if place is None:
            yield index, chosen
            place = variable(self._fresh.setdefault((index, chosen), f"#{len(self._fresh)}g"))
            name = place.terms[0][0]
            self._trips[name] = (frozenset(names(chosen)), 1)
            known = self.ranges[index]
            self._indexer.spans[name] = (int(known.low), int(known.high))
        yield source, (place, *rest)

    def _turn(self, node: Node, at: Index) -> Lin:
        """Return the variable of a reduction's loop."""
        length = node.args[0].shape[int(node.attr[1])]
        if length == 1:
            return Lin()
        name = self._fresh.setdefault((node, at), f"#{len(self._fresh)}r")
        self._trips[name] = (frozenset(names(at)), length)
        self._indexer.spans[name] = (0, length - 1)
        return variable(name)

    def _bounded(self, unit: Unit) -> Indexer:
        """Return index arithmetic with the bounds of a unit's loops."""
        for k, length in enumerate(unit.shape):
            self._indexer.spans[f"#{k}"] = (0, length - 1)
        return self._indexer

    def _shaped(self, place: Lin | None, arg: Node, unit: Unit) -> Where:
        if place is None:
            return None
        return self._bounded(unit).unflat(place, arg.shape) or place

    def _picked(self, node: Node, at: Where, unit: Unit) -> tuple[Node, Index] | None:
        return self._bounded(unit).picked(node, at) if isinstance(at, tuple) else None

    # Costs and order

    def _worth_repeating(self, node: Node, sites: list[tuple[Unit, Where]]) -> bool:
        """Say whether to compute a node at each of its sites rather than to keep it."""
        times = sum(self._times(unit, at) for unit, at in sites if isinstance(at, tuple))
        if len(sites) == 1 and times <= node.size:
            return True
        near = all(a.op in LEAVES or a.size == 1 or a not in self.position for a in node.args)
        weight = WEIGHT.get(node.op, 1) if near else 100
        return weight == 0 or (weight == 1 and times <= 2 * node.size)

    def _times(self, unit: Unit, at: Index) -> int:
        """Return how often an element is computed for a site: once for each turn of its inmost loop."""
        return max((self._turns(unit, name) for name in names(at)), default=1)

    def _turns(self, unit: Unit, name: str) -> int:
        if name in self._trips:
            outer, count = self._trips[name]
            return count * max((self._turns(unit, n) for n in outer), default=1)
        turns = 1
        for length in unit.shape[: int(name[1:]) + 1]:
            turns *= length
        return turns

    def _may_merge(self, group: set[Unit], users: list[Unit]) -> bool:
        """Say whether units can share a nest: none needs another's past result, or waits for it."""
        makers = makers_of(self.units)
        own = identity(next(iter(group)).shape)
        for unit in group:
            for place, at in unit.needs.items():
                if at != {own} and any(maker in group for maker in makers.get(place, ())):
                    return False
        return not _reaches(group, makers, set(users) - group)


def _light(node: Node) -> bool:
    """Say whether a node is memory in another guise, which inner bodies may as well read themselves."""
    return node.op in LIGHT and all(a.op in LEAVES or _light(a) for a in node.args)


def _whole(unit: Unit, at: Where) -> bool:
    """Say whether a site needs a node in one piece: by row-major place, or all of it."""
    return isinstance(at, Lin) or unit.find().kind == "kernel"


def makers_of(units: Iterable[Unit]) -> dict[str, list[Unit]]:
    """Return the units that give what others need, by its name."""
    found: dict[str, list[Unit]] = {}
    for unit in units:
        places = {d.place for dests in unit.dests.values() for d in dests if not d.mutable}
        for place in unit.makes | places:
            found.setdefault(place, []).append(unit)
    return found


def _reaches(group: set[Unit], makers: dict[str, list[Unit]], users: set[Unit]) -> bool:
    """Say whether a unit of a group needs, by way of others, a unit of the group or one of its users."""
    todo = {m for u in group for place in u.needs for m in makers.get(place, ())} - group
    seen: set[Unit] = set()
    while todo:
        unit = todo.pop()
        seen.add(unit)
        makes = {m for place in unit.needs for m in makers.get(place, ())}
        if unit in users or makes & group:
            return True
        todo |= makes - seen
    return False
