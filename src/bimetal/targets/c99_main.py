"""C99 main: an example that reads readings as CSV from standard input and prints what comes of them."""

from __future__ import annotations

from collections.abc import Iterator

from bimetal.program.layout import Field, Layout, layout_of
from bimetal.program.node import DTYPES
from bimetal.program.program import Program
from bimetal.targets.c99_scalar import TYPES
from bimetal.targets.name import spelled


def write_main(program: Program, name: str) -> str:
    """Return `main.c`: columns in the order in which the program declares its inputs."""
    lay = layout_of(program)
    columns = [c for i in program.inputs for c in _columns(lay.input.field(i.name))]
    results = [c for o, _ in program.outputs for c in _columns(lay.output.field(o))]
    return MAIN.format(
        name=name,
        columns=",".join(columns),
        fields=len(columns),
        results=",".join(results) or "fired",
        take="\n".join(_take(program, lay.input)),
        put="\n".join(_put(program, lay.output)),
    )


def _columns(field: Field) -> list[str]:
    count = field.size // DTYPES[field.dtype].itemsize
    return [field.name] if not field.shape else [f"{field.name}_{k}" for k in range(count)]


def _take(program: Program, layout: Layout) -> Iterator[str]:
    at = 0
    for i in program.inputs:
        field = layout.field(i.name)
        count = field.size // DTYPES[field.dtype].itemsize
        kind = "" if field.dtype == "f32" else f"({TYPES[field.dtype]})"
        if count == 1:
            yield f"        in.{spelled(i.name)} = {kind}value[{at}];"
        else:
            yield f"        for (k = 0; k < {count}; k++) {{"
            yield f"            in.{spelled(i.name)}[k] = {kind}value[{at} + k];\n        }}"
        at += count


def _put(program: Program, layout: Layout) -> Iterator[str]:
    comma = ""
    for name, _ in program.outputs:
        field = layout.field(name)
        count = field.size // DTYPES[field.dtype].itemsize
        spell, kind = ("%.9g", "(double)") if field.dtype == "f32" else ("%ld", "(long)")
        if count == 1:
            yield f'        printf("{comma}{spell}", {kind}out.{spelled(name)});'
        else:
            separate = f'"{spell}"' if not comma else f'",{spell}"'
            if not comma:
                separate = f'k ? ",{spell}" : "{spell}"'
            yield f"        for (k = 0; k < {count}; k++) {{"
            yield f"            printf({separate}, {kind}out.{spelled(name)}[k]);\n        }}"
        comma = ","
    if not program.outputs:
        yield '        printf("%lu", (unsigned long)fired);'


MAIN = """/* main.c: reads readings as CSV from standard input, prints what comes of each.
 *
 *     ./{name}_example < readings.csv
 *
 * Columns, in this order, without others between them:
 *     {columns}
 * An empty field is a gap. A first line that does not start with a number is skipped. */
#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "{name}.h"
#include "{name}_params.h"

#define FIELDS {fields}

/* Read the fields of one line; returns whether there are as many as there must be. */
static int parse(char *line, float *value)
{{
    int field;
    for (field = 0; field < FIELDS; field++) {{
        char *end;
        while (*line == ' ' || *line == '\\t') {{
            line++;
        }}
        if (*line == ',' || *line == '\\r' || *line == '\\n' || *line == '\\0') {{
            value[field] = NAN;
            end = line;
        }} else {{
            value[field] = strtof(line, &end);
            if (end == line) {{
                return 0;
            }}
        }}
        while (*end == ' ' || *end == '\\t') {{
            end++;
        }}
        if (field + 1 < FIELDS && *end++ != ',') {{
            return 0;
        }}
        line = end;
    }}
    return *line == '\\n' || *line == '\\r' || *line == '\\0';
}}

int main(void)
{{
    static char line[16 + 40 * FIELDS];
    static {name}_state state;
    float value[FIELDS > 0 ? FIELDS : 1];
    {name}_in in;
    {name}_out out;
    long number = 0;
    int k = 0;

    (void)k;
    memset(&in, 0, sizeof in);
    memset(&out, 0, sizeof out);
    {name}_init(&state);
    puts("{results}");
    while (fgets(line, (int)sizeof line, stdin) != NULL) {{
        uint32_t fired;
        number++;
        if (number == 1 && (isalpha((unsigned char)line[0]) || line[0] == '"' || line[0] == '_')) {{
            continue;
        }}
        if (!parse(line, value)) {{
            fprintf(stderr, "line %ld: not %d numbers with commas between them\\n", number, FIELDS);
            return 1;
        }}
{take}
        fired = {name}_step(&state, &{name}_learned, &in, &out);
        (void)fired;
{put}
        putchar('\\n');
    }}
    return 0;
}}
"""
