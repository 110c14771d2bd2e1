"""Lower: letters become loops, once for all targets but NumPy.

fusion.py decides what is kept in memory, what is computed on the spot and what shares a loop; order.py
puts the units in order, so that everything sees the states as they were; weave.py writes the
statements; join.py makes one loop of several, where that takes no more memory; arena.py lays the
scratch memory out. Method: producer-consumer loop fusion (Kennedy and McKinley, "Maximizing loop
parallelism and improving data locality via loop fusion", LCPC 1993).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bimetal.program.layout import layout_of
from bimetal.program.node import EVERY, Clock, Node
from bimetal.program.program import Program
from bimetal.program.range import Ranges
from bimetal.program.scope import scope_of
from bimetal.targets.arena import arrange
from bimetal.targets.aside import set_aside
from bimetal.targets.element import Elements
from bimetal.targets.join import joined
from bimetal.targets.loops import Buf, Lowered, Stage
from bimetal.targets.prune import prune, tables_read
from bimetal.targets.table import Tables
from bimetal.targets.unit import Dest
from bimetal.targets.weave import Weaver

Kernels = Callable[[Program, Ranges], tuple[Program, Ranges]]


def lower(program: Program, ranges: Ranges, kernels: Kernels | None = None) -> Lowered:
    """Return a program as loops; `ranges` is what verify.check proved about it.

    `kernels` puts kernels in the place of the letters they stand for, for a target that has them.

    The result depends on the program alone, never on the values of its parameters. Raises Broken
    where an index cannot be proven to lie inside its buffer.
    """
    layouts = layout_of(program)
    if kernels is not None:
        program, ranges = kernels(program, ranges)
    tables = Tables()
    stages = tuple(_stage(program, k, clock, ranges, tables) for k, clock in enumerate(program.clocks))
    read = {name for stage in stages for name in tables_read(stage.body)}
    kept = tuple(t for t in tables.found if t.buf.name in read)
    return Lowered(program.title, layouts, stages, kept)


def _stage(program: Program, bit: int, clock: Clock, ranges: Ranges, tables: Tables) -> Stage:
    roots = program.roots(clock)
    weaver = Weaver(Elements(roots, ranges, tables))
    weaver.weave(set_aside(scope_of(roots), roots), _dests(program, clock))
    body = prune(weaver.finish())
    scratch, size = arrange(body)
    joint = prune(joined(body))
    if (place := arrange(joint))[1] <= size:
        body, (scratch, size) = joint, place
    outputs = tuple(name for name, node in program.outputs if (node.clock or EVERY) == clock)
    return Stage(clock, bit, body, scratch, size, outputs)


def _dests(program: Program, clock: Clock) -> Iterator[tuple[Node, Dest]]:
    """Yield what a stage computes, and where it goes."""
    states = {s.name: s for s in program.states}
    for s in program.sets:
        state = states[s.state]
        if state.clock == clock:
            buf = Buf("state", state.name, state.dtype, state.init.size)
            yield s.value, Dest(buf, at=s.at, row=s.value.size, mutable=True)
    for name, node in program.outputs:
        if (node.clock or EVERY) == clock:
            yield node, Dest(Buf("out", name, node.dtype, node.size))
