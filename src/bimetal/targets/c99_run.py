"""C99 run: the emitted C, compiled by a compiler of this machine, run as a program of its own."""

from __future__ import annotations

from bimetal.nouns.errors import Broken, Unsupported
from bimetal.program.block import HEAD, unpack
from bimetal.program.layout import layout_of
from bimetal.program.program import Program
from bimetal.program.verify import check
from bimetal.targets.c99 import write_c99
from bimetal.targets.kernels.substitute import in_one_piece
from bimetal.targets.lower import lower
from bimetal.targets.outside import OutsideRunning
from bimetal.targets.toolbox import Toolbox

COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-std=c99", "-O2", "-ffp-contract=off", "-fno-math-errno")
NAME = "model"


class C99Target:
    """The emitted C on this machine; needs a C compiler, and a toolbox to run it with."""

    name = "c99"

    def __init__(self, tools: Toolbox | None = None, *, flags: tuple[str, ...] = FLAGS) -> None:
        self._tools = tools
        self._flags = flags

    def present(self) -> str:
        """Return "" where a C compiler is found, else what would change that."""
        if self._tools is None:
            return "running a compiler is not allowed from here"
        if not self.compiler:
            return f"no C compiler ({', '.join(COMPILERS)}); install gcc or clang"
        return ""

    @property
    def compiler(self) -> str:
        """Where the compiler is, "" where there is none."""
        found = [self._tools.find(c) for c in COMPILERS] if self._tools else []
        return next(filter(None, found), "")

    def load(self, program: Program, block: bytes) -> OutsideRunning:
        """Compile a program, its parameters read at run time.

        Raises BadInput when the block does not fit, Unsupported where there is no compiler, Broken
        when the compiler refuses the code.
        """
        if self._tools is None or self.present():
            raise Unsupported(self.present(), where="c99")
        unpack(program, block)
        source = write_c99(program, lower(program, check(program).ranges, in_one_piece), NAME)
        folder = self._tools.folder()
        files = {f"{NAME}.h": source.header, f"{NAME}.c": source.code, "run.c": _host(program)}
        for file, text in files.items():
            self._tools.write(f"{folder.name}/{file}", text.encode())
        command = [self.compiler, *self._flags, "-o", "run", f"{NAME}.c", "run.c", "-lm"]
        done = self._tools.run(command, b"", folder.name)
        if done.status:
            raise Broken(f"the compiler refuses the emitted code: {done.words[:300]}", where=program.title)
        run = (f"{folder.name}/run",)
        return OutsideRunning(program, run, block[HEAD.size :], self._tools, folder)


def _host(program: Program) -> str:
    lay = layout_of(program)
    sizes = {
        "state": lay.state.size,
        "params": lay.params.size,
        "input": lay.input.size,
        "output": lay.output.size,
    }
    return HOST.format(name=NAME, **sizes)


HOST = """/* run.c: number of rows, state, parameters and rows in; state, results and what fired out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "{name}.h"

static size_t take(void *to, size_t size)
{{
    return fread(to, 1, size, stdin) == size;
}}

int main(void)
{{
    static {name}_state state;
    static {name}_params params;
    static {name}_in in;
    unsigned char head[4];
    size_t n, r;
    const size_t state_size = {state}, params_size = {params}, in_size = {input}, out_size = {output};
    {name}_out *out;
    uint32_t *fired;
    if (!take(head, 4) || !take(&state, state_size) || !take(&params, params_size)) {{
        return 2;
    }}
    n = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
    out = calloc(n + 1, sizeof *out);
    fired = calloc(n + 1, sizeof *fired);
    if (out == NULL || fired == NULL) {{
        return 3;
    }}
    for (r = 0; r < n; r++) {{
        if (!take(&in, in_size)) {{
            return 4;
        }}
        fired[r] = {name}_step(&state, &params, &in, &out[r]);
    }}
    fwrite(&state, 1, state_size, stdout);
    if (out_size > 0) {{
        fwrite(out, out_size, n, stdout);
    }}
    fwrite(fired, sizeof *fired, n, stdout);
    free(out);
    free(fired);
    return 0;
}}
"""
