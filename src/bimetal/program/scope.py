"""Scope: which letters run once, and which run at every turn of a loop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bimetal.nouns.errors import BadProgram
from bimetal.program.node import Node, walk

DEEPEST = 8
"""How deep loops may be nested."""


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """The letters of one body in an order in which they can be computed, and the bodies of its loops.

    `loop` is the `scan` or `each` whose turns run this body, None for the outermost. `inner` holds
    the body of every loop among `nodes`. What a body uses from outside is in an outer scope.
    """

    loop: Node | None
    nodes: list[Node] = field(default_factory=list[Node])
    inner: dict[Node, Scope] = field(default_factory=dict[Node, "Scope"])


def bound_by(loop: Node) -> tuple[Node, ...]:
    """Return the `carry` and `iter` nodes that a loop gives values to."""
    if loop.op == "scan":
        return (*loop.attr[1], loop.attr[2])
    return (loop.attr[1],)


def nexts_of(loop: Node) -> tuple[Node, ...]:
    """Return the nodes a loop computes at each turn: what is carried on, or what is stacked."""
    return loop.args[len(loop.attr[1]) :] if loop.op == "scan" else loop.args


def scope_of(roots: Iterable[Node]) -> Scope:
    """Sort every node below the roots into the innermost body that must compute it.

    Raises BadProgram when a turn or a carried value is used outside its loop, when two loops share
    one, or when loops are nested deeper than DEEPEST.
    """
    roots = tuple(roots)
    nodes = list(walk(roots))
    owner = _owners(nodes)
    needs = _needs(nodes, owner)
    whole = Scope(None)
    bodies: dict[Node, Scope] = {}
    chains: dict[Node | None, tuple[Node, ...]] = {None: ()}
    home: dict[Node, Node | None] = {}
    for node in reversed(nodes):
        loops = needs[node]
        if any(loop not in chains for loop in loops):
            raise BadProgram(f"{node!r} is used outside the loop it belongs to")
        at = max(loops, key=lambda loop: len(chains[loop]), default=None)
        if not loops.issubset(chains[at]):
            raise BadProgram(f"{node!r} mixes the turns of loops that are not nested")
        home[node] = at
        if node.op in ("scan", "each"):
            chains[node] = (*chains[at], node)
            if len(chains[node]) > DEEPEST:
                raise BadProgram(f"loops are nested more than {DEEPEST} deep")
            bodies[node] = Scope(node)
            (bodies[at] if at else whole).inner[node] = bodies[node]
    for root in roots:
        if home[root] is not None:
            raise BadProgram(f"{root!r} is used outside the loop it belongs to")
    for node in nodes:
        at = home[node]
        (bodies[at] if at else whole).nodes.append(node)
    return whole


def every_scope(whole: Scope) -> Iterator[Scope]:
    """Yield a scope and all scopes inside it, outermost first."""
    yield whole
    for inner in whole.inner.values():
        yield from every_scope(inner)


def _owners(nodes: list[Node]) -> dict[Node, Node]:
    owner: dict[Node, Node] = {}
    for loop in nodes:
        if loop.op in ("scan", "each"):
            for bound in bound_by(loop):
                if bound in owner:
                    raise BadProgram(f"{bound!r} belongs to two loops")
                owner[bound] = loop
    return owner


def _needs(nodes: list[Node], owner: dict[Node, Node]) -> dict[Node, frozenset[Node]]:
    """Return for every node the loops whose turns or carried values it depends on."""
    needs: dict[Node, frozenset[Node]] = {}
    nothing: frozenset[Node] = frozenset()
    for node in nodes:
        if node.op in ("carry", "iter"):
            if node not in owner:
                raise BadProgram(f"{node!r} is used outside its loop")
            needs[node] = frozenset((owner[node],))
            continue
        found = nothing.union(*(needs[a] for a in node.args)) if node.args else nothing
        if node.op in ("scan", "each"):
            starts = node.args[: len(node.attr[1])] if node.op == "scan" else ()
            if any(node in needs[s] for s in starts):
                raise BadProgram(f"{node!r} starts from its own turns")
            found = found - {node}
        if len(found) > DEEPEST:
            raise BadProgram(f"loops are nested more than {DEEPEST} deep")
        needs[node] = found
    return needs
