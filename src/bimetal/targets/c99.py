"""C99: a program as a pair of C files that a person can read, for compilers of any board.

`NAME_step` computes one reading; all memory is the caller's, but for scratch memory on the stack. The
code never depends on the values of parameters. Nothing is called from outside the file but memcpy and
memset, and sqrtf on computers that have it as an instruction.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput
from bimetal.program.layout import Field, Layout, wait_of
from bimetal.program.node import EVERY, Clock
from bimetal.program.program import Program
from bimetal.targets.c99_dot import NAMES, dot_of
from bimetal.targets.c99_scalar import FUNCTIONS, LOCALS, MEMBERS, TYPES, Scalars, element, plain, turn
from bimetal.targets.kernels.c99_kernel import call_of, functions_of
from bimetal.targets.loops import (
    Buf,
    Call,
    Expr,
    For,
    If,
    Let,
    Lit,
    Lowered,
    Note,
    Read,
    Ref,
    Set,
    Stage,
    Stmt,
    Store,
    Table,
    Var,
    parts,
    statements,
    value_of,
)
from bimetal.targets.name import TAKEN, spelled

WIDTH = 100
FLASH = "BIMETAL_FLASH"
"""The word before what may lie in the flash of an AVR."""

OPEN = """/* One rounding for each operation: nothing may be contracted or kept in wider registers. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize ("fp-contract=off")
#elif defined(_MSC_VER)
#pragma fp_contract(off)
#else
#pragma STDC FP_CONTRACT OFF
#endif
#if defined(FLT_EVAL_METHOD) && (FLT_EVAL_METHOD < 0 || FLT_EVAL_METHOD == 1 || FLT_EVAL_METHOD == 2)
#error "float must be computed as float: -msse2 -mfpmath=sse on 32-bit x86, -fexcess-precision=fast else"
#endif
#if defined(__FAST_MATH__)
#error "-ffast-math changes results: leave it out"
#endif
#if defined(__clang__) && defined(__arm__) && defined(__ARM_NEON)
/* NEON of 32 bits makes 0 of tiny numbers, and clang uses it nevertheless. */
#pragma clang attribute push(__attribute__((target("no-neon"))), apply_to = function)
#define BIMETAL_NO_NEON
#endif"""
CLOSE = """#if defined(BIMETAL_NO_NEON)
#pragma clang attribute pop
#endif
"""


@dataclass(frozen=True, slots=True)
class Source:
    """The two files of a program: `NAME.h` and `NAME.c`."""

    header: str
    code: str


def write_c99(program: Program, lowered: Lowered, name: str) -> Source:
    """Return a program as C; `name` starts every name that others can see.

    Raises BadInput when the name is not an identifier of C, or means something else there.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,30}", name) or {name, name.lower()} & TAKEN:
        raise BadInput(
            f"{name!r} is not a name for C code",
            hint="Use at most 31 letters, digits and _, a letter first, and no word of C or of its headers",
        )
    return Source(_header(program, lowered, name), _code(program, lowered, name))


# The header


def _header(program: Program, lowered: Lowered, name: str) -> str:
    guard = f"{name.upper()}_H"
    lay = lowered.layouts
    units = {i.name: i.unit for i in program.inputs} | {p.name: p.unit for p in program.params}
    structs = [
        _struct(
            f"{name}_state", "What a device remembers: keep it from one reading to the next.", lay.state, {}
        ),
        _struct(
            f"{name}_params", "What was learned; the same program runs with other values.", lay.params, units
        ),
        _struct(f"{name}_in", "One reading.", lay.input, units),
        _struct(f"{name}_out", "What the program says about a reading.", lay.output, {}),
    ]
    return "\n".join([
        f"/* {name}.h: {words(program.title)}, as emitted by bimetal.",
        f" * Bytes: state {lay.state.size}, parameters {lay.params.size}, reading {lay.input.size},",
        f" * result {lay.output.size}, and {lowered.scratch_bytes} of scratch memory on the stack. */",
        f"#ifndef {guard}\n#define {guard}\n\n#include <math.h>\n#include <stdint.h>\n",
        GAPS,
        IN_FLASH,
        '#ifdef __cplusplus\nextern "C" {\n#endif\n',
        *structs,
        "/* Make a state that has seen nothing yet. */",
        f"void {name}_init({name}_state *s);\n",
        *_step_words(program, name),
        f"uint32_t {name}_step({ARGUMENTS.format(name=name)});",
        "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n",
    ])  # fmt: skip


GAPS = """/* The smallest of Zephyr's C libraries has a math.h without these two. */
#ifndef NAN
#define NAN __builtin_nanf("")
#define INFINITY __builtin_inff()
#endif
"""

IN_FLASH = f"""/* An AVR keeps constants in RAM, unless they are declared to lie in flash, which GNU C can. */
#ifndef {FLASH}
#if defined(__FLASH) && !defined(__cplusplus) && !defined(__STRICT_ANSI__)
#define {FLASH} __flash
#else
#define {FLASH}
#endif
#endif
"""


def _step_words(program: Program, name: str) -> Iterator[str]:
    yield "/* Compute one reading. A gap in a float is NaN. Returns what fired, one bit each:"
    for k, clock in enumerate(program.clocks):
        yield f" *   bit {k}: {when(clock)}"
    yield " * Results of what did not fire are 0. */"


def _struct(name: str, caption: str, layout: Layout, units: dict[str, str]) -> str:
    lines = [f"/* {caption} */", "typedef struct {"]
    for f in layout.fields:
        array = f"[{_count(f)}]" if f.shape and _count(f) > 1 else ""
        said = " ".join([words(units.get(f.name, "")), _axes(f)]).strip()
        lines.append(f"    {TYPES[f.dtype]} {spelled(f.name)}{array};" + (f" /* {said} */" if said else ""))
    if not layout.fields:
        lines.append("    uint8_t unused;")
    if layout.padding:
        lines.append(f"    uint8_t padding[{layout.padding}]; /* as machines that align need it */")
    lines.append(f"}} {name};")
    size = max(layout.size, 1)
    lines.append(f"typedef char {name}_has_{size}_bytes[sizeof({name}) == {size} ? 1 : -1];\n")
    return "\n".join(lines)


def _count(f: Field) -> int:
    return int(np.prod(f.shape, dtype=np.int64))


def _axes(f: Field) -> str:
    return "x".join(map(str, f.shape)) if len(f.shape) > 1 else "truth" if f.dtype == "b1" else ""


def when(clock: Clock) -> str:
    """Return in words when a clock fires."""
    if clock == EVERY:
        return "every reading"
    return f"every {clock.period} readings, first at reading {clock.first}"


def words(text: str) -> str:
    """Return a text that cannot end a comment: printable ASCII without / and backslash."""
    kept = "".join(c if c.isascii() and c.isprintable() and c not in "/\\" else "_" for c in text)
    return kept.replace("??", "__")[:80]


# The code


def _code(program: Program, lowered: Lowered, name: str) -> str:
    scalars = Scalars()
    stages = [_stage(stage, name, scalars) for stage in lowered.stages]
    init = _init(program, lowered, name, scalars)
    step = _step(lowered, name)
    due = [DUE] if len(lowered.stages) > 1 else []
    used = [FUNCTIONS[f] for f in FUNCTIONS if f in scalars.used]
    kernels = functions_of((s for stage in lowered.stages for s in statements(stage.body)), name)
    tables = [table(t) for t in lowered.tables]
    head = [
        f"/* {name}.c: {words(program.title)}, as emitted by bimetal. */",
        f'#include "{name}.h"\n',
        "#include <float.h>\n#include <stdbool.h>\n#include <string.h>\n",
        OPEN + "\n",
    ]
    return "\n".join(
        [*head, *(x + "\n" for x in (*used, *due, *tables, *kernels, *stages, init)), step, CLOSE]
    )


DUE = """/* Count down to the next firing. */
static bool is_due(int32_t *wait, int32_t period)
{
    const bool due = *wait == 0;
    *wait = due ? period - 1 : (int32_t)((uint32_t)*wait - 1u);
    return due;
}"""


def table(t: Table) -> str:
    """Return constants of the program as an array."""
    kind = f"static const {FLASH} {TYPES[t.buf.dtype]}"
    return f"{kind} {t.buf.name}[{t.buf.size}] = {numbers(t.values, t.buf.dtype)};"


def numbers(values: NDArray[Any], dtype: str) -> str:
    """Return numbers between braces, broken into lines."""
    kind = "i32" if dtype == "b1" else dtype
    text = ", ".join(plain(v, kind) for v in values.reshape(-1).tolist())
    if len(text) < WIDTH - 40:
        return f"{{ {text} }}"
    return "{\n" + textwrap.fill(text, WIDTH, initial_indent="    ", subsequent_indent="    ") + "\n}"


def _stage_name(clock: Clock, name: str) -> str:
    return f"{name}_every" if clock == EVERY else f"{name}_stage_{clock.period}_{clock.first}"


ARGUMENTS = f"{{name}}_state *s, const {FLASH} {{name}}_params *p, const {{name}}_in *in, {{name}}_out *out"
SPACES = {"state": "s", "params": "p", "in": "in", "out": "out"}


def _stage(stage: Stage, name: str, scalars: Scalars) -> str:
    body = _body(stage.body, 1, scalars)
    used = {buf.space for s in statements(stage.body) for buf in _touched(s)}
    unused = [f"    (void){arg};" for space, arg in SPACES.items() if space not in used]
    return "\n".join([
        f"/* {when(stage.clock).capitalize()}. */",
        f"static void {_stage_name(stage.clock, name)}({ARGUMENTS.format(name=name)})",
        "{",
        *_scratch(stage),
        *body,
        *unused,
        "}",
    ])  # fmt: skip


def _touched(statement: Stmt) -> Iterator[Buf]:
    if isinstance(statement, Store):
        yield statement.buf
    if isinstance(statement, Call):
        yield from (*statement.reads, statement.buf, Buf("params", "", "", 0))
    value = value_of(statement)
    for part in parts(value) if value is not None else ():
        if hasattr(part, "buf"):
            yield part.buf  # type: ignore[union-attr]


def _scratch(stage: Stage) -> Iterator[str]:
    """Declare scratch memory: one union, and where in it each buffer starts."""
    found = {b.name: b for s in statements(stage.body) for b in _touched(s) if b.space == "scratch"}
    if not found:
        return
    views: dict[str, tuple[str, int]] = {}
    for name, buf in found.items():
        member, width = MEMBERS[buf.dtype], WIDTHS[buf.dtype]
        count = stage.scratch[name] // width + buf.size
        views[member] = TYPES[buf.dtype], max(count, views.get(member, ("", 0))[1])
    yield "    /* Scratch memory; what is not needed at the same time may share a place. */"
    yield "    union {"
    yield from (f"        {kind} {member}[{count}];" for member, (kind, count) in sorted(views.items()))
    yield "    } scratch;"
    starts = [f"{spelled(b.name)} = {stage.scratch[n] // WIDTHS[b.dtype]}" for n, b in sorted(found.items())]
    yield from _wrapped(f"enum {{ {', '.join(starts)} }};", 1)


WIDTHS = {"f32": 4, "i32": 4, "i16": 2, "i8": 1, "u8": 1, "b1": 1}


def _body(body: Iterable[Stmt], depth: int, scalars: Scalars) -> Iterator[str]:
    for statement in body:
        match statement:
            case Note():
                yield f"{'    ' * depth}/* {words(statement.text)} */"
            case For() if dot := dot_of(statement):
                rows = (f"&{element(row.buf, row.index)}" for row in (dot.left, dot.right))
                total = spelled(dot.total)
                called = scalars.call(NAMES[dot.op], total, *rows, str(dot.count))
                yield from _wrapped(f"{total} = {called};", depth)
            case For():
                i = turn(statement.variable)
                yield f"{'    ' * depth}for (int32_t {i} = 0; {i} < {statement.count}; {i}++) {{"
                yield from _body(statement.body, depth + 1, scalars)
                yield f"{'    ' * depth}}}"
            case If():
                yield from _wrapped(f"if ({scalars.text(statement.condition)}) {{", depth)
                yield from _body(statement.body, depth + 1, scalars)
                yield f"{'    ' * depth}}}"
            case Call():
                yield f"{'    ' * depth}{call_of(statement)}"
            case _:
                yield from _wrapped(_simple(statement, scalars), depth)


def _simple(statement: Let | Var | Set | Store, scalars: Scalars) -> str:
    value = scalars.text(statement.value)
    match statement:
        case Store():
            at, kind = element(statement.buf, statement.index), TYPES[statement.buf.dtype]
            return f"{at} = {_fitting(value, statement.value, kind)};"
        case Set():
            return f"{spelled(statement.name)} = {value};"
        case _:
            kind = LOCALS[statement.value.dtype]
            const = "const " if isinstance(statement, Let) else ""
            return f"{const}{kind} {spelled(statement.name)} = {_fitting(value, statement.value, kind)};"


def _fitting(value: str, expr: Expr, kind: str) -> str:
    """Return a value as its own type, where C has made an int of it."""
    if kind not in ("uint8_t", "int8_t", "int16_t") or value.startswith(f"({kind})"):
        return value
    if isinstance(expr, Lit | Ref | Read) and expr.dtype != "b1":
        return value
    return f"({kind}){value}" if isinstance(expr, Lit | Ref) else f"({kind})({value})"


def _wrapped(text: str, depth: int) -> list[str]:
    pad = "    " * depth
    return textwrap.wrap(
        text, WIDTH, initial_indent=pad, subsequent_indent=pad + "    ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


# What is not a stage


def _init(program: Program, lowered: Lowered, name: str, scalars: Scalars) -> str:
    lines = ["    memset(s, 0, sizeof *s);"]
    tables: list[str] = []
    for k, state in enumerate(program.states):
        values = state.init.reshape(-1)
        if not values.view(np.uint8).any():
            continue
        at = f"s->{spelled(state.name)}"
        if values.size > 1 and (values != values[0]).any():
            tables.append(
                f"    static const {TYPES[state.dtype]} init_{k}[] = {numbers(values, state.dtype)};"
            )
            lines.append(f"    memcpy({at}, init_{k}, sizeof init_{k});")
            continue
        value = plain(values[0].item(), "i32" if state.dtype == "b1" else state.dtype)
        if value == "NAN":
            value = scalars.call("f32_of_bits", "INT32_C(0x7fc00000)")
        if values.size == 1:
            lines.append(f"    {at} = {value};")
        else:
            lines.append(f"    for (int32_t i = 0; i < {values.size}; i++) {{")
            lines += [f"        {at}[i] = {value};", "    }"]
    for stage in lowered.stages:
        if stage.clock != EVERY and stage.clock.first:
            lines.append(f"    s->{wait_of(stage.clock)} = {stage.clock.first};")
    return "\n".join([f"void {name}_init({name}_state *s)", "{", *tables, *lines, "}"])


def _step(lowered: Lowered, name: str) -> str:
    lines: list[str] = []
    fields = {f.name: f for f in lowered.layouts.output.fields}
    for stage in lowered.stages:
        call = f"{_stage_name(stage.clock, name)}(s, p, in, out);"
        if stage.clock == EVERY:
            lines += [f"    {call}"]
            continue
        lines += [f"    if (is_due(&s->{wait_of(stage.clock)}, {stage.clock.period})) {{"]
        lines += [f"        {call}", f"        fired |= UINT32_C({1 << stage.bit});"]
        cleared = [_cleared(fields[o]) for o in stage.outputs]
        lines += ["    } else {", *cleared, "    }"] if cleared else ["    }"]
    return "\n".join([
        f"uint32_t {name}_step({ARGUMENTS.format(name=name)})",
        "{",
        "    uint32_t fired = 1u;",
        *lines,
        "    return fired;",
        "}\n",
    ])  # fmt: skip


def _cleared(f: Field) -> str:
    at = f"out->{spelled(f.name)}"
    return f"        memset({'' if _count(f) > 1 else '&'}{at}, 0, sizeof {at});"
