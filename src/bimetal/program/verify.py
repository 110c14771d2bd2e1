"""Verify: the proofs a program must pass before any target may run it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bimetal.nouns.errors import BadProgram
from bimetal.program.cost import Cost, costs_of
from bimetal.program.interval import Interval, interval_of
from bimetal.program.layout import layout_of
from bimetal.program.node import DTYPES, EVERY, Clock, Node, walk
from bimetal.program.program import Input, Param, Program, SetTo, State
from bimetal.program.range import Ranges, claims, ranges_of
from bimetal.program.rebuild import MOST_AXES, MOST_ELEMENTS, MOST_NODES
from bimetal.program.rule import KNOWN
from bimetal.program.scope import scope_of

MOST_CLOCKS = 32
LONGEST_NAME = 64
MOST_OPERATIONS = 2**30
"""Limits on what may run: clocks, characters of a name, elementary operations of one reading."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was proven: the interval of every letter, and what a program takes at worst.

    `stages` has the cost of one firing of every clock; `operations` is the sum, as when all fire at
    the same reading. Sizes are bytes of one device's structs.
    """

    ranges: Ranges
    stages: tuple[Cost, ...]
    letters: int
    state_bytes: int
    parameter_bytes: int
    input_bytes: int
    output_bytes: int

    @property
    def operations(self) -> int:
        """Elementary operations of a reading at which every clock fires."""
        return sum(s.operations for s in self.stages)


def check(program: Program) -> Report:
    """Return what is proven about a program, or raise one BadProgram that names all its faults.

    Checked: names, types, shapes and clocks of what is declared, read and written; that no whole
    number overflows, no index leaves its array, no cast meets NaN or a value it cannot hold, and no
    state outgrows its declared range.
    """
    faults = list(_form(program))
    if not faults:
        ranges = ranges_of(program)
        faults = [f"{node!r}{_on_the_way(program, node)}: {text}" for node, text in ranges.problems.items()]
        faults += [f for s in program.states for f in _first_value(s)]
        faults += [f for s in program.sets for f in _written(program, s, ranges)]
        if not faults:
            report = _report(program, ranges)
            if report.operations <= MOST_OPERATIONS:
                return report
            faults = [f"{report.operations} operations for one reading are more than {MOST_OPERATIONS}"]
    several = f"{len(faults)} faults: " if len(faults) > 1 else ""
    raise BadProgram(several + "; ".join(faults), where=program.title)


def _report(program: Program, ranges: Ranges) -> Report:
    layouts = layout_of(program)
    return Report(
        ranges,
        costs_of(program),
        sum(1 for _ in program.nodes()),
        layouts.state.size,
        layouts.params.size,
        layouts.input.size,
        layouts.output.size,
    )


def _form(program: Program) -> Iterator[str]:
    """Yield the faults that keep a program from being laid out and looked through."""
    faults = [*_declarations(program), *_parts(program)]
    yield from faults
    if not faults:
        try:
            layout_of(program)
            scope_of(program.roots())
        except BadProgram as e:
            yield e.what


def _parts(program: Program) -> Iterator[str]:
    """Yield the faults of clocks, letters and sets."""
    for clock in program.clocks:
        if clock.period < 1 or clock.first < 0:
            yield f"{clock} never fires as it should; it needs period >= 1 and first >= 0"
    if len(program.clocks) > MOST_CLOCKS:
        yield f"it has {len(program.clocks)} clocks, more than {MOST_CLOCKS}"
    nodes = list(program.nodes())
    if len(nodes) > MOST_NODES:
        yield f"it has {len(nodes)} letters, more than {MOST_NODES}"
    for node in nodes:
        yield from _node(program, node)
    known = {s.name: s for s in program.states}
    for s in program.sets:
        yield from _set(s, known.get(s.state))
    written = [s.state for s in program.sets]
    yield from (
        f"state {name!r} is written twice" for name in sorted(set(written)) if written.count(name) > 1
    )


def _declarations(program: Program) -> Iterator[str]:
    groups: list[tuple[str, list[str]]] = [
        ("input", [i.name for i in program.inputs]),
        ("parameter", [p.name for p in program.params]),
        ("state", [s.name for s in program.states]),
        ("output", [name for name, _ in program.outputs]),
    ]
    for kind, names in groups:
        for name in names:
            if not (name.isidentifier() and name.isascii() and len(name) <= LONGEST_NAME):
                yield f"{kind} {name!r} is not a name of at most {LONGEST_NAME} ASCII letters, digits and _"
        yield from (f"{kind} {n!r} is declared twice" for n in sorted(set(names)) if names.count(n) > 1)
    for p in program.params:
        if not p.low <= p.high:
            yield f"parameter {p.name!r} has the empty range {p.low}..{p.high}"
    for place in (*program.inputs, *program.params, *program.states):
        yield from _size(f"{place.name!r}", place.shape, place.dtype)


def _size(what: str, shape: tuple[int, ...], dtype: str) -> Iterator[str]:
    size = 1
    for length in shape:
        size *= length
    if dtype not in DTYPES:
        yield f"{what} has the unknown type {dtype!r}"
    if len(shape) > MOST_AXES or not 0 < size <= MOST_ELEMENTS:
        yield f"{what} has the shape {list(shape)}; it must hold 1 to {MOST_ELEMENTS} elements"


def _node(program: Program, node: Node) -> Iterator[str]:
    """Yield the faults of one letter: what it names, its size, and its clock."""
    yield from _size(repr(node), node.shape, node.dtype)
    if node.op not in KNOWN:
        yield f"{node!r} is not a letter"
    groups = {"input": program.inputs, "param": program.params, "state": program.states}
    if node.op in groups:
        places: dict[str, Input | Param | State] = {p.name: p for p in groups[node.op]}
        place = places.get(node.name)
        if place is None or (place.shape, place.dtype) != (node.shape, node.dtype):
            yield f"{node!r} is not declared in this program"
    clocks = {a.clock for a in node.args if a.clock is not None}
    if node.op == "scan":
        clocks |= {c.clock for c in node.attr[1] if c.clock is not None}
    expected: Clock | None = next(iter(clocks), None)
    if len(clocks) > 1:
        yield f"{node!r} lets clocks meet: {sorted(clocks)}"
    elif (node.op not in ("state", "carry", "input") and node.clock != expected) or (
        node.op == "input" and node.clock != EVERY
    ):
        yield f"{node!r} claims {node.clock} but is computed at {expected}"
    if node.op == "state" and node.clock is None:
        yield f"{node!r} is read at no clock"


def _set(s: SetTo, state: State | None) -> Iterator[str]:
    if state is None:
        yield f"state {s.state!r} is written but not declared"
        return
    expected = state.shape if s.at is None else state.shape[1:]
    if (s.value.shape, s.value.dtype) != (expected, state.dtype):
        yield f"state {s.state!r} ({state.dtype}{list(state.shape)}) cannot hold {s.value!r}"
    if s.at is not None and (not state.shape or s.at.shape or s.at.dtype != "i32"):
        yield f"state {s.state!r} cannot be written at {s.at!r}"
    for node in (s.value, *([] if s.at is None else [s.at])):
        if node.clock not in (None, state.clock):
            yield f"state {s.state!r} of {state.clock} is written at {node.clock}"


def _first_value(state: State) -> Iterator[str]:
    low, high = claims(state)
    if not interval_of(state.init, state.dtype).inside(low, high):
        yield f"state {state.name!r} starts outside its range {low}..{high}"


def _written(program: Program, s: SetTo, ranges: Ranges) -> Iterator[str]:
    """Yield where a state may outgrow its range, or be written outside itself."""
    state = next(x for x in program.states if x.name == s.state)
    low, high = claims(state)
    if not ranges[s.value].inside(low, high):
        yield f"state {s.state!r} outgrows its range {low}..{high}: it is set to {ranges[s.value]}"
    index = Interval(0, 0) if s.at is None else ranges[s.at]
    if s.at is not None and not index.inside(0, state.shape[0] - 1):
        yield f"state {s.state!r} is written at {index}, outside 0..{state.shape[0] - 1}"


def _on_the_way(program: Program, node: Node) -> str:
    """Name one thing that a node is computed for."""
    roots = [(f"output {name!r}", n) for name, n in program.outputs]
    roots += [(f"state {s.state!r}", n) for s in program.sets for n in (s.value, s.at) if n is not None]
    users = [name for name, root in roots if any(n is node for n in walk([root]))]
    return f" on the way to {users[0]}" if users else ""
