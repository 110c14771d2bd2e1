"""Aside: letters that only the value of a `when` needs move into a body that is run where its truth holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from bimetal.program.node import Node
from bimetal.program.scope import Scope
from bimetal.targets.index import LEAVES


def set_aside(whole: Scope, roots: Iterable[Node]) -> Scope:
    """Return the outermost body with an inner one for every `when` in it that spares something.

    Such a body ends with the `when` itself. What several of them need, or any letter beside, stays outside;
    so does a `when` within another, which is then computed as any other `where`.
    """
    users: dict[Node, set[Node | None]] = defaultdict(set)
    for root in roots:
        users[root].add(None)
    owner: dict[Node, Node | None] = {}
    for node in reversed(whole.nodes):
        for loop in (node, *_inside(whole, node)):
            for arg in loop.args:
                users[arg].add(node)
        owner[node] = _owner(node, users[node], owner)
    found: dict[Node, list[Node]] = defaultdict(list)
    for node in whole.nodes:
        at = owner[node]
        if at is not None and node.op not in LEAVES:
            found[at].append(node)
    inner = dict(whole.inner)
    for when, nodes in found.items():
        inner[when] = Scope(when, [*nodes, when], {n: inner.pop(n) for n in nodes if n in inner})
    moved = {node for nodes in found.values() for node in nodes}
    return Scope(whole.loop, [n for n in whole.nodes if n not in moved], inner)


def is_when(node: Node) -> bool:
    """Say whether a letter is a `when`."""
    return node.op == "where" and node.attr is True


def _owner(node: Node, users: set[Node | None], owner: dict[Node, Node | None]) -> Node | None:
    """Return the `when` that alone needs a node, and for its value only."""
    found: set[Node | None] = set()
    for user in users:
        outer = owner[user] if user is not None else None
        found.add(outer or (user if _asks(user, node) else None))
    return found.pop() if len(found) == 1 else None


def _asks(user: Node | None, node: Node) -> bool:
    """Say whether a `when` takes a node for its value, and in no other way."""
    return user is not None and is_when(user) and node is user.args[1] and node is not user.args[0]


def _inside(whole: Scope, node: Node) -> Iterable[Node]:
    """Yield every letter in the body of a loop."""
    todo = [whole.inner[node]] if node in whole.inner else []
    while todo:
        scope = todo.pop()
        yield from scope.nodes
        todo += scope.inner.values()
