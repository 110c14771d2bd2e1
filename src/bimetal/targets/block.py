"""Blocks: the statements being written, one open block for each loop, and what is known in each."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bimetal.program.node import Node
from bimetal.targets.index import Index, Indexer
from bimetal.targets.loops import At, Expr, For, If, Let, Lin, Lit, Ref, Stmt, variable
from bimetal.targets.name import Names


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A scalar that was computed: how it is spelled, in which block it holds, what spelling it costs."""

    expr: Expr
    level: int
    weight: int = 0

    @property
    def atom(self) -> bool:
        """Say whether it can be spelled again for nothing."""
        return isinstance(self.expr, Lit | Ref | At)


@dataclass(slots=True, eq=False)
class Block:
    """One open block: its statements so far, its loop or condition, and the values named in it."""

    loop: tuple[str, int] | None = None
    condition: Expr | None = None
    statements: list[Stmt] = field(default_factory=list[Stmt])
    known: dict[tuple[Node, Index], Value] = field(default_factory=dict[tuple[Node, Index], Value])


class Blocks:
    """The open blocks, outermost first; block k is written by the statements of level k."""

    def __init__(self, unique: Names) -> None:
        self.unique = unique
        self.indexer = Indexer()
        self._open = [Block()]
        self._levels: dict[str, int] = {}

    @property
    def depth(self) -> int:
        """The level of the innermost block."""
        return len(self._open) - 1

    def say(self, statement: Stmt, level: int | None = None) -> None:
        """Add a statement to the innermost block, or to one further out."""
        self._open[self.depth if level is None else level].statements.append(statement)

    def bind(self, value: Value, hint: str) -> Value:
        """Give a value a name in the block it belongs to."""
        name = self.unique.fresh(hint)
        self.say(Let(name, value.expr), value.level)
        self._levels[name] = value.level
        return Value(Ref(name, value.expr.dtype), value.level)

    def place(self, name: str, level: int) -> None:
        """Note in which block a name was given."""
        self._levels[name] = level

    def level(self, index: Index) -> int:
        """Return the innermost block whose names an index uses."""
        return max((self._levels[name] for at in index for name, _ in at.terms), default=0)

    def known(self, node: Node, index: Index) -> Value | None:
        """Return the value of an element if it was noted in an open block."""
        for block in reversed(self._open):
            if (node, index) in block.known:
                return block.known[node, index]
        return None

    def note(self, node: Node, index: Index, value: Value) -> None:
        """Remember the value of an element for as long as its block is open."""
        self._open[value.level].known[node, index] = value

    def open(self, count: int) -> Lin:
        """Start a loop in the innermost block; returns its variable as an index."""
        name = f"i{len(self._open)}"
        self._open.append(Block((name, count)))
        self._levels[name] = self.depth
        self.indexer.spans[name] = (0, count - 1)
        return variable(name)

    def open_where(self, condition: Expr) -> None:
        """Start a block that is run where a truth holds."""
        self._open.append(Block(condition=condition))

    def close(self) -> None:
        """End the innermost loop or condition."""
        block = self._open.pop()
        body = tuple(block.statements)
        if block.condition is not None:
            self.say(If(block.condition, body))
        elif block.loop is not None:
            self.say(For(*block.loop, body))

    @contextmanager
    def outer(self, level: int) -> Generator[None]:
        """Write to an outer block for a while; what is open further in waits."""
        waiting = self._open[level + 1 :]
        del self._open[level + 1 :]
        try:
            yield
        finally:
            self._open += waiting
            for block in waiting:
                if block.loop is not None:
                    self.indexer.spans[block.loop[0]] = (0, block.loop[1] - 1)

    def finish(self) -> tuple[Stmt, ...]:
        """Return the statements of the outermost block."""
        return tuple(self._open[0].statements)
