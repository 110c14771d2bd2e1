"""C99 vectors: golden vectors as tables, and a self-test that runs on the device too."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bimetal.program.layout import Field, Layout, layout_of
from bimetal.program.node import DTYPES
from bimetal.program.program import Program
from bimetal.targets.c99_scalar import TYPES
from bimetal.targets.name import spelled
from bimetal.targets.vectors import KINDS, Vector, Vectors

MOST_CHARACTERS = 200_000
"""How long the tables may get; vectors beyond are left out."""
AVR_BYTES = 32_767
"""The longest array there can be on an AVR."""


def write_tests(program: Program, vectors: Vectors, name: str) -> tuple[str, str, tuple[Vector, ...]]:
    """Return `NAME_test.h`, `NAME_test.c`, and the vectors they hold.

    Every element is one 32-bit word, so that the tables do not depend on the order of bytes.
    """
    lay = layout_of(program)
    tables: list[str] = []
    size = 0
    few, runs = _for_an_avr_first(program, vectors.runs)
    for vector in runs:
        text = ",".join(_words(vector, lay.input, lay.output, lay.state))
        size += len(text)
        if size > MOST_CHARACTERS and tables:
            break
        tables.append(text)
    kept = runs[: len(tables)]
    header = HEADER.format(name=name, guard=name.upper(), count=len(kept), few=min(few, len(kept)))
    return header, _code(program, kept, tables, name), kept


def _for_an_avr_first(program: Program, runs: Sequence[Vector]) -> tuple[int, tuple[Vector, ...]]:
    """Return how many an AVR keeps, and all with those first: one of each kind, where there is room."""
    kept: list[int] = []
    for k in range(min(len(runs), len(KINDS))):
        if table_bytes(program, [runs[j] for j in (*kept, k)]) <= AVR_BYTES:
            kept.append(k)
    rest = (k for k in range(len(runs)) if k not in kept)
    return len(kept), tuple(runs[k] for k in (*kept, *rest))


def table_bytes(program: Program, runs: Sequence[Vector]) -> int:
    """Return how many bytes of flash the table of some vectors takes."""
    lay = layout_of(program)
    row = _count(lay.input) + _count(lay.output) + 1
    return 4 * sum(1 + len(vector.rows) * row + _count(lay.state) for vector in runs)


def _words(vector: Vector, into: Layout, out: Layout, state: Layout) -> Iterator[str]:
    """Yield the words of a vector: how many rows; for each the reading, result and what fired; the state."""
    yield _word(len(vector.rows))
    for row in range(len(vector.rows)):
        yield from _struct(vector.rows[row].tobytes(), into)
        yield from _struct(vector.outputs[row].tobytes(), out)
        yield _word(int(vector.fired[row]))
    yield from _struct(vector.state, state)


def _struct(data: bytes, layout: Layout) -> Iterator[str]:
    for f in layout.fields:
        kind = DTYPES[f.dtype]
        values = np.frombuffer(data, kind, count=f.size // kind.itemsize, offset=f.offset)
        if f.dtype == "f32":
            values = values.view("<u4")
        yield from (_word(v & 0xFFFFFFFF) for v in values.tolist())


def _word(value: int) -> str:
    """Return a word, the shorter way."""
    return min(str(value) if value < 2**31 else f"{value:#x}", f"{value:#x}", key=len)


def _code(program: Program, vectors: tuple[Vector, ...], tables: list[str], name: str) -> str:
    lay = layout_of(program)
    count = f"{name.upper()}_VECTORS"
    filled = [textwrap.fill(t.replace(",", ", "), 100) for t in tables]
    words = "\n".join(
        f"#if {count} > {k} /* {vectors[k].name} */\n{text},\n#endif" for k, text in enumerate(filled)
    )
    functions = [TAKE] if any(f.dtype == "f32" for f in lay.input.fields) else []
    checked = {f.dtype == "f32" for s in (lay.output, lay.state) for f in s.fields}
    functions += [text for floats, text in ((True, BITS), (False, WORD)) if floats in checked]
    return CODE.format(
        name=name,
        guard=name.upper(),
        functions="\n".join(functions),
        words=words,
        take="\n".join(_take(lay.input)) or "    (void)in;\n    (void)w;",
        check_out="\n".join(_check(lay.output, "out")),
        check_state="\n".join(_check(lay.state, "s")),
        into=_count(lay.input),
        out=_count(lay.output),
        state=_count(lay.state),
    )


def _count(layout: Layout) -> int:
    return sum(f.size // DTYPES[f.dtype].itemsize for f in layout.fields)


def _take(layout: Layout) -> Iterator[str]:
    def line(f: Field, item: str, word: str) -> str:
        return f"{item} = " + (f"f32_of({word});" if f.dtype == "f32" else f"({TYPES[f.dtype]}){word};")

    return _every(layout, "in", line)


def _check(layout: Layout, owner: str) -> Iterator[str]:
    def line(f: Field, item: str, word: str) -> str:
        return f"different |= {'bits_of' if f.dtype == 'f32' else 'word_of'}({item}) ^ {word};"

    if not layout.fields:
        yield f"    (void){owner};\n    (void)w;\n    return true;"
        return
    yield "    uint32_t different = 0;"
    yield from _every(layout, owner, line)
    yield "    return different == 0;"


def _every(layout: Layout, owner: str, line: Callable[[Field, str, str], str]) -> Iterator[str]:
    """Yield a statement for every field, in a loop over its elements where there are several."""
    at = 0
    for f in layout.fields:
        count = f.size // DTYPES[f.dtype].itemsize
        item = f"{owner}->{spelled(f.name)}"
        if count == 1:
            yield f"    {line(f, item, f'w[{at}]')}"
        else:
            yield f"    for (int32_t k = 0; k < {count}; k++) {{"
            yield f"        {line(f, f'{item}[k]', f'w[{at} + k]')}\n    }}"
        at += count


HEADER = """/* {name}_test.h: does this machine give the same bits as the one the model was made on? */
#ifndef {guard}_TEST_H
#define {guard}_TEST_H

#include "{name}.h"

#ifdef __cplusplus
extern "C" {{
#endif

/* How many golden vectors lie in flash: the first BIMETAL_VECTORS of them, none with
 * BIMETAL_NO_VECTORS; unless asked for more, an AVR keeps one of each kind, where the longest
 * array it can have has room for it. */
#if defined(BIMETAL_NO_VECTORS)
#define {guard}_VECTORS 0
#elif !defined(BIMETAL_VECTORS) && defined(__AVR__)
#define {guard}_VECTORS {few}
#elif !defined(BIMETAL_VECTORS) || BIMETAL_VECTORS > {count}
#define {guard}_VECTORS {count}
#else
#define {guard}_VECTORS BIMETAL_VECTORS
#endif

/* Run every golden vector; returns how many differ in any bit of their results or of the state at
 * the end: 0 where this machine is right. Call it once after an update, on the device. `s` is
 * memory to run in; what it held is lost, and {name}_init must follow. */
uint32_t {name}_self_test({name}_state *s);

#ifdef __cplusplus
}}
#endif

#endif
"""

TAKE = """static float f32_of(uint32_t bits)
{
    float a;
    memcpy(&a, &bits, sizeof a);
    return a;
}
"""

BITS = """static uint32_t bits_of(float a)
{
    uint32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}
"""

WORD = """static uint32_t word_of(int32_t a)
{
    return (uint32_t)a;
}
"""

CODE = """/* {name}_test.c: golden vectors, and whether this machine agrees with them. */
#include "{name}_test.h"

#if {guard}_VECTORS == 0

uint32_t {name}_self_test({name}_state *s)
{{
    (void)s;
    return 0;
}}

#else

#include <stdbool.h>
#include <string.h>

#include "{name}_params.h"

/* For each vector: how many rows; for each row the reading, the result and what fired; the state. */
static const BIMETAL_FLASH uint32_t words[] = {{
{words}
}};

{functions}
static void take(const BIMETAL_FLASH uint32_t *w, {name}_in *in)
{{
{take}
}}

static bool is_result(const BIMETAL_FLASH uint32_t *w, const {name}_out *out)
{{
{check_out}
}}

static bool is_state(const BIMETAL_FLASH uint32_t *w, const {name}_state *s)
{{
{check_state}
}}

uint32_t {name}_self_test({name}_state *s)
{{
    const BIMETAL_FLASH uint32_t *w = words;
    uint32_t different = 0;
    {name}_in in;
    {name}_out out;
    memset(&in, 0, sizeof in);
    for (int32_t v = 0; v < {guard}_VECTORS; v++) {{
        bool same = true;
        uint32_t rows = *w;
        w += 1;
        {name}_init(s);
        for (; rows > 0; rows--) {{
            uint32_t fired;
            take(w, &in);
            memset(&out, 0, sizeof out);
            fired = {name}_step(s, &{name}_learned, &in, &out);
            same = is_result(w + {into}, &out) && fired == w[{into} + {out}] && same;
            w += {into} + {out} + 1;
        }}
        same = is_state(w, s) && same;
        w += {state};
        different += same ? 0u : 1u;
    }}
    return different;
}}

#endif
"""
