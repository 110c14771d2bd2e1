"""Substitute: forests of a program in one piece, for targets that have a kernel for them."""

from __future__ import annotations

from dataclasses import replace

from bimetal.program.node import Node, walk
from bimetal.program.program import Program, SetTo
from bimetal.program.range import Ranges
from bimetal.program.scope import scope_of
from bimetal.targets.kernels.forest import places_of


def in_one_piece(program: Program, ranges: Ranges) -> tuple[Program, Ranges]:
    """Return a program in which every forest is one node `kernel` of its vector, and the ranges of its nodes.

    Its letters stay the definition; this form is for lowering alone. Forests inside loops, and such of a
    single feature, stay as they are.
    """
    outside = set(scope_of(program.roots()).nodes)
    found = {p.sums: p for p in places_of(program) if p.sums in outside and p.x.size > 1}
    if not found:
        return program, ranges
    new: dict[Node, Node] = {}
    for node in walk(program.roots()):
        args = tuple(new[a] for a in node.args)
        if node in found:
            place = found[node]
            made = Node("kernel", (new[place.x],), node.shape, node.dtype, place.kernel, node.clock)
            new[node] = made
        else:
            same = all(a is b for a, b in zip(args, node.args, strict=True))
            new[node] = node if same else replace(node, args=args)
    known = {new.get(node, node): interval for node, interval in ranges.nodes.items()}
    sets = tuple(SetTo(s.state, new[s.value], None if s.at is None else new[s.at]) for s in program.sets)
    outputs = tuple((name, new[n]) for name, n in program.outputs)
    return replace(program, sets=sets, outputs=outputs), Ranges(known, ranges.states, {})
