"""Forest kernel: a forest is found again in a program by its letters, and handed over in one piece.

Letters are compared with those that program/tree.py writes for trees of the same number and size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from bimetal.program import crown, grove, tree, twig
from bimetal.program.node import Node, walk
from bimetal.program.program import Draft, Param, Program
from bimetal.targets.kernels.alike import alike

CROWN = "crown"


@dataclass(frozen=True, slots=True)
class ForestKernel:
    """The sums or votes of a forest: which parameters it reads, and how many there are of all.

    `name` starts the names of its parameters; `rows` is 0 where leaves are classes; `width` is how many
    numbers a row holds, `worth` their type. `form` is that of program/grove.py, "crown" with its `levels`,
    `cells`, as many `turns` as of them lie on a way, and leaves of `leaves` numbers at most, which are
    `narrow` in octets.
    """

    name: str
    dtype: str
    features: int
    trees: int
    bits: int
    turns: int
    outputs: int
    rows: int = 0
    width: int = 0
    form: str = grove.LINKS
    levels: int = 0
    leaves: int = 0
    cells: int = 0
    narrow: bool = True
    worth: str = "i32"

    @property
    def in_places(self) -> bool:
        """Whether values stand in the order of places below complete crowns."""
        return self.form == CROWN and not self.leaves


@dataclass(frozen=True, slots=True)
class Place:
    """A forest in a program: the node that gives its sums, the vector it walks with, and what it is."""

    sums: Node
    x: Node
    kernel: ForestKernel


Params = dict[str, Param]
MARKS = {"_link": grove.LINKS, "_twig": grove.SHORT, "_crown_feature": CROWN}
"""The parameter by whose name a form is suspected."""


def places_of(program: Program) -> Iterator[Place]:
    """Yield every forest of a program that is spelled as program/grove.py spells it."""
    params = {p.name: p for p in program.params}
    names = [(n.removesuffix(mark), form) for n in params for mark, form in MARKS.items() if n.endswith(mark)]
    if not names:
        return
    for node in list(program.nodes()):
        if node.op == "reduce" and node.dtype == "i32" and node.attr == ("add", 0) and len(node.shape) == 1:
            yield from _at(node, params, names)


def _at(sums: Node, params: Params, names: list[tuple[str, str]]) -> Iterator[Place]:
    below = list(walk([sums]))
    read = {n.name for n in below if n.op == "param"}
    for name, form in names:
        x = _vector(below, f"{name}_crown_feature" if form == CROWN else f"{name}_feature")
        kernel = x and _kernel(
            name, form, {n: p for n, p in params.items() if n in read}, below, x, sums.size
        )
        if x is None or kernel is None:
            continue
        draft, own = Draft(), Node("input", (), x.shape, x.dtype, clock=x.clock, name="x")
        if alike(_spelled(draft, kernel, own, params), sums, own, x):
            yield Place(sums, x, kernel)


def _turns(below: list[Node], root: str) -> int:
    """Return how many turns the scan takes that starts at the roots, 0 where there is none."""
    for node in below:
        if node.op == "scan":
            start = node.args[0].args[0] if node.args[0].op == "cast" else node.args[0]
            if start.op == "param" and start.name == root:
                return int(node.attr[0])
    return 0


def _vector(below: list[Node], feature: str) -> Node | None:
    """Return what is gathered from by the numbers of features."""
    for node in below:
        if node.op == "gather":
            index = node.args[1].args[0] if node.args[1].op == "cast" else node.args[1]
            if index.op == "gather" and index.args[0].name == feature:
                return node.args[0]
    return None


def _kernel(
    name: str, form: str, read: Params, below: list[Node], x: Node, outputs: int
) -> ForestKernel | None:
    """Return what a forest would be, None where parameters that are read rule it out."""
    table = read.get(f"{name}_values")
    rows, width = table.shape if table and len(table.shape) == 2 else (0, 0)
    made = ForestKernel(name, x.dtype, x.size, 0, 0, 0, outputs, rows, width, form)
    made = replace(made, worth=table.dtype) if rows and table else made
    if form == CROWN:
        return _crown_kernel(made, read, below)
    mark, root = read.get(f"{name}_{'link' if form == grove.LINKS else 'twig'}"), read.get(f"{name}_root")
    turns = _turns(below, f"{name}_root")
    if mark is None or root is None or not turns:
        return None
    bits = twig.BITS if form == grove.SHORT else tree.NARROW if mark.dtype == "i16" else tree.WIDE
    return replace(made, trees=root.shape[0], bits=bits, turns=turns, cells=mark.shape[0])


def _crown_kernel(made: ForestKernel, read: Params, below: list[Node]) -> ForestKernel | None:
    top, end = read[f"{made.name}_crown_feature"], read.get(f"{made.name}_end")
    walked = sum(n.op == "gather" and n.args[0].name == f"{made.name}_crown_feature" for n in below)
    trees = top.shape[0] >> walked if walked else 0
    if not trees or walked > crown.MOST_LEVELS:
        return None
    steps = sum(n.op == "gather" and n.args[0].name == f"{made.name}_child" for n in below)
    made = replace(made, trees=trees, levels=walked)
    if end:
        made = replace(made, leaves=-int(end.low), narrow=end.dtype == "i8")
    if made.in_places and made.rows != trees << walked:
        return None
    cell = read.get(f"{made.name}_cell_feature")
    return replace(made, turns=steps, cells=cell.shape[0] if cell and steps else 0)


def _spelled(draft: Draft, kernel: ForestKernel, x: Node, params: Params) -> Node:
    """Return a forest of the same size in letters."""
    made = params.get(f"{kernel.name}_values")
    table = start = None
    if kernel.rows and made:
        table = draft.param(made.name, np.zeros(made.shape), made.dtype)
    if kernel.in_places:
        place = crown.place_walk(draft, _bare(kernel, params), x, kernel.name)
        return place if table is None else grove.placed(place, table, kernel.outputs)
    leaf = _leaf(draft, kernel, x, params)
    if table is None:
        return tree.counted(leaf, kernel.outputs)
    start = params.get(f"{kernel.name}_start")
    kind = start.dtype if start else "i32"
    return tree.summed(
        leaf, table, draft.param(f"{kernel.name}_start", np.zeros(kernel.trees), kind), kernel.outputs
    )


def _leaf(draft: Draft, kernel: ForestKernel, x: Node, params: Params) -> Node:
    if kernel.form == CROWN:
        return crown.crown_walk(draft, _bare(kernel, params), x, kernel.name)
    zeros, root = (0,) * params[f"{kernel.name}_feature"].shape[0], (0,) * kernel.trees
    if kernel.form == grove.SHORT:
        return twig.twig_walk(draft, twig.Twigs(zeros, zeros, zeros, root, kernel.turns), x, kernel.name)
    blank = tree.Packed(zeros, zeros, zeros, root, kernel.bits, kernel.turns)
    return tree.walk(draft, blank, x, kernel.name)


def _bare(kernel: ForestKernel, params: Params) -> crown.Crowned:
    """Return crowns of the same size that say nothing."""
    top = ((0, 0.0),) * (kernel.trees << kernel.levels)
    end, child = (params.get(f"{kernel.name}_{k}") for k in ("end", "child"))
    reach = int(end.high) if end else 0
    ends = (reach, *(-1,) * ((kernel.trees << kernel.levels) - 1))
    far = int(child.high) if child else 1
    cells, stem, ways = ((0, 0.0),) * kernel.cells, (0,) * kernel.trees, (-1,) * (2 * kernel.cells)
    return crown.Crowned(kernel.levels, top, ends, stem, cells, ways, kernel.turns, kernel.leaves, far)
