"""Substitute: forests and layers of a program in one piece, for targets that have kernels for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bimetal.program.node import Node, walk
from bimetal.program.program import Program, SetTo
from bimetal.program.range import Ranges
from bimetal.program.scope import scope_of
from bimetal.targets.kernels.forest import places_of
from bimetal.targets.kernels.layer import DENSE, SUMS, layers_of

Pieces = dict[Node, tuple[Node, Any]]
"""By the node that gives its results: what a kernel takes, and which it is."""


def in_one_piece(program: Program, ranges: Ranges) -> tuple[Program, Ranges]:
    """Return a program in which every forest and every layer is one node `kernel` of its vector.

    Its letters stay the definition; this form is for lowering alone, and comes with the ranges of its nodes.
    Those inside loops, and forests of a single feature, stay as they are.
    """
    found: Pieces = {p.sums: (p.x, p.kernel) for p in places_of(program) if p.x.size > 1}
    return _replaced(program, ranges, found | _layers(program))


def dense_in_one_piece(program: Program, ranges: Ranges) -> tuple[Program, Ranges]:
    """Return a program as in_one_piece does, with its dense layers alone."""
    dense = {node: piece for node, piece in _layers(program).items() if piece[1].kind in (DENSE, SUMS)}
    return _replaced(program, ranges, dense)


def _layers(program: Program) -> Pieces:
    return {p.root: (p.x, p.kernel) for p in layers_of(program)}


def _replaced(program: Program, ranges: Ranges, found: Pieces) -> tuple[Program, Ranges]:
    if found:
        outside = set(scope_of(program.roots()).nodes)
        found = {node: piece for node, piece in found.items() if node in outside}
    if not found:
        return program, ranges
    new: dict[Node, Node] = {}
    for node in walk(program.roots()):
        args = tuple(new[a] for a in node.args)
        if node in found:
            x, kernel = found[node]
            new[node] = Node("kernel", (new[x],), node.shape, node.dtype, kernel, node.clock)
        else:
            same = all(a is b for a, b in zip(args, node.args, strict=True))
            new[node] = node if same else replace(node, args=args)
    known = {new.get(node, node): interval for node, interval in ranges.nodes.items()}
    sets = tuple(SetTo(s.state, new[s.value], None if s.at is None else new[s.at]) for s in program.sets)
    outputs = tuple((name, new[n]) for name, n in program.outputs)
    return replace(program, sets=sets, outputs=outputs), Ranges(known, ranges.states, {})
