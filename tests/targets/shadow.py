"""Shadow: what every byte of scratch memory holds, followed through the loops turn by turn.

An account of its own: it knows nothing of lives. Each byte remembers which element of which buffer was
written to it last; whoever reads an element must find that very element in all of its bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from bimetal.program.node import DTYPES
from bimetal.targets.loops import Buf, For, Lin, Note, Read, Stage, Stmt, Store, parts, value_of

Element = tuple[str, int]


class Shadow:
    """The scratch memory of one stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.holds: list[Element | None] = [None] * stage.scratch_bytes
        self.faults: set[str] = set()

    def run(self, body: tuple[Stmt, ...] | None = None, turns: dict[str, int] | None = None) -> set[str]:
        """Follow statements and return what went wrong, in words."""
        turns = turns or {}
        for statement in self.stage.body if body is None else body:
            if isinstance(statement, For):
                for k in range(statement.count):
                    self.run(statement.body, {**turns, statement.variable: k})
            elif not isinstance(statement, Note):
                self._follow(statement, turns)
        return self.faults

    def _follow(self, statement: Stmt, turns: dict[str, int]) -> None:
        value = value_of(statement)
        for part in parts(value) if value is not None else ():
            if isinstance(part, Read) and part.buf.space == "scratch":
                for k in elements(part.buf, part.index, turns):
                    self._read(part.buf, k)
        if isinstance(statement, Store) and statement.buf.space == "scratch":
            for k in elements(statement.buf, statement.index, turns):
                for at in self._bytes(statement.buf, k):
                    self.holds[at] = (statement.buf.name, k)

    def _read(self, buf: Buf, k: int) -> None:
        found = {self.holds[at] for at in self._bytes(buf, k)}
        if found != {(buf.name, k)}:
            self.faults.add(f"{buf.name}[{k}] is read where {found} lies")

    def _bytes(self, buf: Buf, k: int) -> range:
        width = DTYPES[buf.dtype].itemsize
        start = self.stage.scratch[buf.name] + k * width
        return range(start, start + width)


def elements(buf: Buf, index: Lin, turns: dict[str, int]) -> Iterator[int]:
    """The elements an index may stand for: one, or all where it is computed."""
    if all(name in turns for name, _ in index.terms):
        yield index.const + sum(factor * turns[name] for name, factor in index.terms)
    else:
        yield from range(buf.size)
