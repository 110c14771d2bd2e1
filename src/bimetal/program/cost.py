"""Cost: how many elementary operations a stage takes at worst."""

from __future__ import annotations

from dataclasses import dataclass

from bimetal.program.node import Clock, Node
from bimetal.program.program import Program
from bimetal.program.scope import Scope, scope_of

FREE = frozenset(["const", "input", "param", "state", "iota", "carry", "iter", "reshape", "result"])


@dataclass(frozen=True, slots=True)
class Cost:
    """What one firing of a clock takes: elements computed or moved, loops multiplied out."""

    clock: Clock
    operations: int


def costs_of(program: Program) -> tuple[Cost, ...]:
    """Return the cost of every stage, in the order of the program's clocks."""
    return tuple(Cost(c, _operations(scope_of(program.roots(c)))) for c in program.clocks)


def _operations(scope: Scope) -> int:
    return sum(_of_node(node, scope) for node in scope.nodes)


def _of_node(node: Node, scope: Scope) -> int:
    if node.op in ("scan", "each"):
        return int(node.attr[0]) * _operations(scope.inner[node]) + (node.size if node.op == "each" else 0)
    if node.op == "reduce":
        return node.args[0].size
    return 0 if node.op in FREE else node.size
