"""Order: which unit comes before which, and which writes have to wait until all is computed.

All values of a stage come from the states as they were before it. A unit that writes a state in place
comes after all that read it; where that cannot be, or where it reads elements other than the one it
writes, it writes to scratch memory and the result is copied at the end (its dest is `late`).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping

from bimetal.nouns.errors import Broken
from bimetal.program.node import Node
from bimetal.targets.fusion import makers_of
from bimetal.targets.unit import Dest, Unit


def sequence(units: list[Unit], position: Mapping[Node, int]) -> list[Unit]:
    """Return units in an order in which they can run; marks late dests."""
    for unit in units:
        unit.nodes.sort(key=lambda n: position.get(n, -1))
        for node, dest in _in_place(unit):
            if unit.kind == "scalar" or unit.reads.get(dest.place, set()) - {unit.written(node, dest)}:
                unit.late.add(dest)
    while True:
        found, left = _sorted(units, position)
        if not left:
            return found
        writes = [(node.size, k, d) for k, u in enumerate(left) for node, d in _in_place(u)]
        if not writes:
            raise Broken("units wait for each other", where="lowering")
        _, k, dest = min(writes, key=lambda w: w[:2])
        left[k].late.add(dest)


def _in_place(unit: Unit) -> list[tuple[Node, Dest]]:
    """Return what a unit writes to mutable places while others may still read them."""
    found = [(node, d) for node, dests in unit.dests.items() for d in dests]
    return [(node, d) for node, d in found if d.mutable and d not in unit.late]


def _sorted(units: list[Unit], position: Mapping[Node, int]) -> tuple[list[Unit], list[Unit]]:
    """Return units in order, and those that cannot be ordered."""
    before = {u: _before(u, units, makers) for makers in [makers_of(units)] for u in units}
    after: dict[Unit, list[Unit]] = {u: [] for u in units}
    for unit, needed in before.items():
        for other in needed:
            after[other].append(unit)
    waiting = {u: len(needed) for u, needed in before.items()}
    ready = [_rank(u, position) for u in units if not waiting[u]]
    by_serial = {u.serial: u for u in units}
    heapq.heapify(ready)
    found: list[Unit] = []
    while ready:
        unit = by_serial[heapq.heappop(ready)[1]]
        found.append(unit)
        for other in after[unit]:
            waiting[other] -= 1
            if not waiting[other]:
                heapq.heappush(ready, _rank(other, position))
    return found, [u for u in units if waiting[u]]


def _rank(unit: Unit, position: Mapping[Node, int]) -> tuple[int, int]:
    return max(position.get(n, -1) for n in unit.nodes), unit.serial


def _before(unit: Unit, units: Iterable[Unit], makers: Mapping[str, list[Unit]]) -> set[Unit]:
    """Return the units that must come before one."""
    needed = [*unit.needs, *(place for dest, place in unit.items.items() if dest not in unit.late)]
    found = {m for place in needed for m in makers.get(place, ())}
    written = {d.place for _, d in _in_place(unit)}
    if written:
        found |= {u for u in units if not written.isdisjoint(u.reads)}
    return found - {unit}
