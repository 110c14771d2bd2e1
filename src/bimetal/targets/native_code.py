"""Native code: a program as C for this machine, one device at a time and many at once.

The first part is what the C99 target writes, with its loops unrolled; the second has a device in every
lane of the widest vectors there are, its structs in strips (see lane.py).

    void bimetal_rows(state, params, in, out, fired, n)                    n readings of one device
    void bimetal_devices(before, after, params, in, out, fired, n, count, room)
                                                            n readings of each of count, from states to states
    int32_t bimetal_lanes, bimetal_room                                    lanes; bytes of room it takes
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bimetal.nouns.errors import Broken
from bimetal.program.layout import Layout, wait_of
from bimetal.program.node import DTYPES, EVERY
from bimetal.program.program import Program
from bimetal.targets.arena import arrange
from bimetal.targets.c99 import table, write_c99
from bimetal.targets.c99_scalar import LOCALS, TYPES, turn
from bimetal.targets.lane import WORD, Strip, is_shared, narrow_runs, shared_names, strip_of
from bimetal.targets.loops import Call, For, If, Let, Lowered, Note, Set, Stage, Stmt, Store, Table, Var
from bimetal.targets.name import spelled
from bimetal.targets.native_scalar import STRIPS, LaneScalars, kind_of
from bimetal.targets.native_text import DRIVER, GIVE, HEAD, NARROW_GIVE, NARROW_TAKE, TAKE
from bimetal.targets.prune import tables_read
from bimetal.targets.unroll import unrolled

NAME = "model"


def write_native(program: Program, alone: Lowered, lowered: Lowered) -> str:
    """Return the one C file of a program; `alone`, for one device, may have kernels in it."""
    alone, lowered = _unrolled(alone), _unrolled(lowered)
    source = write_c99(program, alone, NAME)
    one = source.code.replace(f'#include "{NAME}.h"', source.header, 1)
    lay = lowered.layouts
    strips = {"state": strip_of(lay.state), "in": strip_of(lay.input), "out": strip_of(lay.output)}
    arranged = [arrange(stage.body, lambda _: 1) for stage in lowered.stages]
    stages = [
        _stage(s, strips, places, lowered.tables)
        for s, (places, _) in zip(lowered.stages, arranged, strict=True)
    ]
    movers = [
        _mover("take_state", lay.state, TAKE, NARROW_TAKE),
        _mover("take_in", lay.input, TAKE, NARROW_TAKE),
        _mover("give_out", lay.output, GIVE, NARROW_GIVE),
        _mover("give_state", lay.state, GIVE, NARROW_GIVE),
    ]
    driver = DRIVER.format(
        name=NAME,
        steps="\n".join(_step(lowered, strips)),
        state=lay.state.size,
        padding=lay.state.padding,
        reading=lay.input.size,
        result=lay.output.size,
        state_words=strips["state"].elements,
        in_words=strips["in"].elements,
        out_words=strips["out"].elements,
        scratch_words=max((size for _, size in arranged), default=0),
    )
    return "\n".join([one, HEAD, *stages, *movers, driver])


def _unrolled(lowered: Lowered) -> Lowered:
    return replace(lowered, stages=tuple(replace(s, body=unrolled(s.body)) for s in lowered.stages))


# Stages


def _stage(stage: Stage, strips: dict[str, Strip], places: dict[str, int], tables: tuple[Table, ...]) -> str:
    """Return a stage as a function; its tables are its own, for those of one device may be others."""
    writer = _LaneWriter(stage, strips, places)
    read = tables_read(stage.body)
    return "\n".join([
        f"static void lanes_{stage.bit}({ARGUMENTS})",
        "{",
        *(f"    {table(t)}" for t in tables if t.buf.name in read),
        "    (void)S, (void)p, (void)I, (void)O, (void)T, (void)due;",
        *writer.body(stage.body, 1),
        "}\n",
    ])  # fmt: skip


ARGUMENTS = f"vi *S, const {NAME}_params *p, const vi *I, vi *restrict O, vi *restrict T, vi due"


class _LaneWriter:
    """Writes statements; where not every lane is due, those that are not keep their state and put out 0."""

    def __init__(self, stage: Stage, strips: dict[str, Strip], places: dict[str, int]) -> None:
        self.shared = shared_names(stage.body)
        self.scalars = LaneScalars(self.shared, strips, places)
        self.always = stage.clock == EVERY

    def body(self, body: Iterable[Stmt], depth: int) -> Iterator[str]:
        """Yield the lines of statements."""
        pad = "    " * depth
        for statement in body:
            match statement:
                case Note():
                    pass
                case Call():
                    raise Broken("lanes have no kernels, and asked for none", where="native")
                case For():
                    i = turn(statement.variable)
                    yield f"{pad}for (int32_t {i} = 0; {i} < {statement.count}; {i}++) {{"
                    yield from self.body(statement.body, depth + 1)
                    yield f"{pad}}}"
                case If(condition=condition):
                    asked = self.scalars.text(condition)
                    if is_shared(condition, self.shared):
                        asked = self.scalars.plain.text(condition)
                    else:
                        asked = f"any({asked})"
                    yield f"{pad}if ({asked}) {{"
                    yield from self.body(statement.body, depth + 1)
                    yield f"{pad}}}"
                case _:
                    yield pad + self._simple(statement)

    def _simple(self, statement: Let | Var | Set | Store) -> str:
        if isinstance(statement, Store):
            return self._store(statement)
        name, dtype = spelled(statement.name), statement.value.dtype
        plain = statement.name in self.shared
        value = (self.scalars.plain if plain else self.scalars).text(statement.value)
        if isinstance(statement, Set):
            return f"{name} = {value};"
        return f"{LOCALS[dtype] if plain else kind_of(dtype)} {name} = {value};"

    def _store(self, statement: Store) -> str:
        buf, at = statement.buf, statement.index
        value = self.scalars.text(statement.value)
        if buf.dtype == "f32":
            value = f"(vi){value}"
        elif buf.dtype == "b1" and buf.space != "scratch":
            value = f"({value}) & 1"
        if not self.scalars.same_place(at):
            due = "i32_all(-1)" if self.always else "due"
            return f"lanes_to({STRIPS[buf.space]}, {self.scalars.places(buf, at)}, {value}, {due});"
        place = self.scalars.strip(buf, at)
        if not self.always and buf.space == "state":
            value = f"i32_pick(due, {value}, {place})"
        elif not self.always and buf.space == "out":
            value = f"({value}) & due"
        return f"{place} = {value};"


# What is not a stage


def _mover(name: str, layout: Layout, text: str, narrow: str) -> str:
    words = sum(f.size for f in layout.fields if DTYPES[f.dtype].itemsize == WORD) // WORD
    rest: list[str] = []
    for run in narrow_runs(layout):
        fours = run.count - run.count % WORD if run.dtype == "u8" else 0
        form = {"type": TYPES[run.dtype], "offset": run.offset, "first": run.first}
        rest.append(narrow.format(fours=fours, count=run.count, **form))
    return text.format(name=name, words=words, narrow="\n".join(rest))


def _step(lowered: Lowered, strips: dict[str, Strip]) -> Iterator[str]:
    pad = " " * 12
    for stage in lowered.stages:
        call = f"lanes_{stage.bit}(S, p, I, O, T, due);"
        if stage.clock == EVERY:
            yield f"{pad}due = i32_all(-1);\n{pad}{call}"
            continue
        wait = f"S[{strips['state'].first[wait_of(stage.clock)]}]"
        yield f"{pad}due = (vi)({wait} == 0);"
        yield f"{pad}{wait} = i32_pick(due, i32_all({stage.clock.period - 1}), {wait} - 1);"
        yield f"{pad}if (any(due)) {{\n{pad}    {call}"
        yield f"{pad}    bits |= due & i32_all((int32_t)UINT32_C({1 << stage.bit}));\n{pad}}} else {{"
        for output in stage.outputs:
            field = lowered.layouts.output.field(output)
            size = field.size // DTYPES[field.dtype].itemsize
            first = strips["out"].first[output]
            yield f"{pad}    memset(O + {first}, 0, {size} * sizeof *O);"
        yield f"{pad}}}"
