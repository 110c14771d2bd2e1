"""Parted: a program around its forests: what is ahead of them, and what is behind.

Many devices then run in three goes: all that is ahead, the forests, all that is behind. Nothing is
computed otherwise than before; where it must not be so, there are no parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bimetal.program.node import EVERY, Node, walk
from bimetal.program.program import Input, Program, SetTo
from bimetal.program.range import Ranges
from bimetal.program.scope import scope_of
from bimetal.targets.kernels.blend import fits
from bimetal.targets.kernels.forest import Place, places_of

MOST_VOTES = 255
"""Votes are counted in bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """A program in parts, with the ranges of their nodes.

    `ahead` gives the vector of forest k as output `x_k`, and is None where all are inputs as they come;
    `behind` takes the sums of forest k as input `sums_k`.
    """

    places: tuple[Place, ...]
    ahead: Program | None
    behind: Program
    ranges: Ranges


def parts_of(program: Program, ranges: Ranges) -> Parts | None:
    """Return the parts of a program around its forests, None where it has none that can be blended.

    None too where a stage is not run at every reading, or a forest needs what another one says.
    """
    if program.clocks != (EVERY,):
        return None
    outside = set(scope_of(program.roots()).nodes)
    places = tuple(p for p in places_of(program) if p.sums in outside and _fits(p))
    sums = {p.sums for p in places}
    if not places or any(n in sums for p in places for n in walk([p.x])):
        return None
    ahead = None
    if any(p.x.op != "input" for p in places):
        outputs = tuple((f"x_{k}", p.x) for k, p in enumerate(places))
        ahead = _lean(replace(program, sets=(), outputs=outputs))
    behind, new = _behind(program, places)
    known = ranges.nodes | {new.get(node, node): interval for node, interval in ranges.nodes.items()}
    return Parts(places, ahead, behind, Ranges(known, ranges.states, {}))


def _fits(place: Place) -> bool:
    kernel = place.kernel
    counted = bool(kernel.rows) or kernel.trees <= MOST_VOTES
    return fits(kernel) and counted and place.x.clock == EVERY


def _behind(program: Program, places: tuple[Place, ...]) -> tuple[Program, dict[Node, Node]]:
    names = {p.sums: f"sums_{k}" for k, p in enumerate(places)}
    new: dict[Node, Node] = {}
    for node in walk(program.roots()):
        if node in names:
            new[node] = Node("input", (), node.shape, node.dtype, clock=EVERY, name=names[node])
            continue
        args = tuple(new[a] for a in node.args)
        same = all(a is b for a, b in zip(args, node.args, strict=True))
        new[node] = node if same else replace(node, args=args)
    sets = tuple(SetTo(s.state, new[s.value], None if s.at is None else new[s.at]) for s in program.sets)
    given = tuple(Input(names[p.sums], p.sums.shape, p.sums.dtype) for p in places)
    outputs = tuple((name, new[n]) for name, n in program.outputs)
    whole = replace(program, inputs=(*program.inputs, *given), sets=sets, outputs=outputs)
    return _lean(whole), new


def _lean(program: Program) -> Program:
    """Return a program without the inputs and parameters that nothing reads."""
    read = {(n.op, n.name) for n in program.nodes()}
    return replace(
        program,
        inputs=tuple(i for i in program.inputs if ("input", i.name) in read),
        params=tuple(p for p in program.params if ("param", p.name) in read),
    )
