"""Unit: one piece of code of a body: a scalar, a nest of loops over one shape, a `scan` or an `each`."""

from __future__ import annotations

from dataclasses import dataclass, field

from bimetal.program.node import Node
from bimetal.targets.index import Index, flat
from bimetal.targets.loops import Buf, Lin, variable

Where = Index | Lin | None
"""Which element is taken: by axes, by its row-major place, or (None) any, from within a loop's body."""


START = Lin()


@dataclass(frozen=True, slots=True, eq=False)
class Dest:
    """Where the elements of a node go, in row-major order.

    To a buffer from element `start` on (plus `at` * `row`, where an item is chosen by a computed
    index), or to the scalar `var` that a scan carries. `mutable` means that others of the same body
    must still see the old value: states, and what a scan carries.
    """

    buf: Buf | None
    start: Lin = START
    var: str = ""
    at: Node | None = None
    row: int = 0
    mutable: bool = False

    @property
    def place(self) -> str:
        """What is written, by name."""
        return f"{self.buf.space} {self.buf.name}" if self.buf else f"var {self.var}"

    def part(self, offset: int) -> Dest:
        """Return where the elements from `offset` on go."""
        return Dest(self.buf, self.start + offset, self.var, self.at, self.row, self.mutable)


@dataclass(slots=True, eq=False)
class Unit:
    """What is computed together.

    `nodes` are computed at the unit's own index (scalars: once); `dests` is where each goes. `makes`
    and `needs` name what it gives to other units and takes from them, and at which index; `reads`
    names mutable places it reads, and which elements. `items` names what says which item a dest is,
    where that is computed; a dest that is `late` is written when all is computed.
    """

    serial: int
    kind: str
    shape: tuple[int, ...]
    nodes: list[Node]
    dests: dict[Node, list[Dest]] = field(default_factory=dict[Node, list[Dest]])
    makes: set[str] = field(default_factory=set[str])
    needs: dict[str, set[Where]] = field(default_factory=dict[str, set[Where]])
    reads: dict[str, set[Lin | None]] = field(default_factory=dict[str, set["Lin | None"]])
    items: dict[Dest, str] = field(default_factory=dict[Dest, str])
    late: set[Dest] = field(default_factory=set[Dest])
    merged_into: Unit | None = None

    def find(self) -> Unit:
        """Return the unit this one has become part of."""
        unit = self
        while unit.merged_into is not None:
            unit = unit.merged_into
        return unit

    def absorb(self, other: Unit) -> None:
        """Take over all that another unit of the same shape does."""
        other.merged_into = self
        self.nodes += [n for n in other.nodes if n not in self.nodes]
        for node, dests in other.dests.items():
            self.dests.setdefault(node, []).extend(dests)
        for place, at in other.needs.items():
            self.needs.setdefault(place, set()).update(at)
        for place, elements in other.reads.items():
            self.reads.setdefault(place, set()).update(elements)
        self.makes |= other.makes
        self.items |= other.items

    def written(self, node: Node, dest: Dest) -> Lin | None:
        """Return which element of a place one turn of its loops writes, None where it is computed."""
        if dest.at is not None or self.kind not in ("scalar", "loop"):
            return None
        return dest.start + flat(identity(node.shape), node.shape)


def identity(shape: tuple[int, ...]) -> Index:
    """Return the index of loops over a shape, their variables called #0, #1 ...; length 1 has no loop."""
    return tuple(Lin() if length == 1 else variable(f"#{k}") for k, length in enumerate(shape))
