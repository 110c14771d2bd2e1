"""C99 project: a program as a folder that builds and tests itself with `make test`."""

from __future__ import annotations

from collections.abc import Iterator

from bimetal.program.block import unpack
from bimetal.program.layout import Layouts, layout_of
from bimetal.program.program import Program
from bimetal.program.verify import check
from bimetal.targets.c99 import numbers, words, write_c99
from bimetal.targets.c99_main import write_main
from bimetal.targets.c99_vectors import write_tests
from bimetal.targets.lower import lower
from bimetal.targets.project import Files, write_folder
from bimetal.targets.vectors import Vectors


def emit(program: Program, block: bytes, vectors: Vectors, directory: str, name: str) -> None:
    """Write a program as C into a folder; raises BadInput when name, block or folder are no good."""
    write_folder(files_of(program, block, vectors, name), str(directory))


def files_of(program: Program, block: bytes, vectors: Vectors, name: str) -> Files:
    """Return the files of the folder, by name."""
    lowered = lower(program, check(program).ranges)
    source = write_c99(program, lowered, name)
    header, tests, count = write_tests(program, vectors, name)
    lay = layout_of(program)
    texts = {
        f"{name}.h": source.header,
        f"{name}.c": source.code,
        f"{name}_params.h": PARAMS.format(name=name, guard=name.upper()),
        f"{name}_params.c": write_params(program, block, name),
        f"{name}_test.h": header,
        f"{name}_test.c": tests,
        "test_main.c": TEST_MAIN.format(name=name, guard=name.upper()),
        "main.c": write_main(program, name),
        "Makefile": MAKEFILE.replace("%%", name),
        "CMakeLists.txt": CMAKE.replace("%%", name),
        "README.txt": _readme(program, lay, lowered.scratch_bytes, count, name),
    }
    return {file: text.encode("ascii") for file, text in texts.items()}


def write_params(program: Program, block: bytes, name: str) -> str:
    """Return `NAME_params.c`: the values of a parameter block, field after field."""
    values = unpack(program, block)
    layout = layout_of(program).params
    fields = layout.fields
    lines = [
        f'#include "{name}_params.h"\n',
        "#include <math.h>\n",
        f"const {name}_params {name}_learned = {{",
    ]
    for f in fields:
        text = numbers(values[f.name], f.dtype)
        text = text if values[f.name].size > 1 else text.strip("{} ")
        lines.append(f"    /* {f.name} */\n    {text},")
    if layout.padding or not fields:
        lines.append("    { 0 }," if fields else "    0,")
    caption = f"/* {name}_params.c: what was learned; a new model of this program changes this alone. */"
    return "\n".join([caption, *lines, "};", ""])


def _readme(program: Program, lay: Layouts, scratch: int, count: int, name: str) -> str:
    def fields(places: Iterator[tuple[str, str]]) -> str:
        return "\n".join(f"    {field:24s} {said}".rstrip() for field, said in places) or "    (none)"

    def form(dtype: str, shape: tuple[int, ...], unit: str = "") -> str:
        return f"{dtype}{list(shape) if shape else ''} {words(unit)}"

    return README.format(
        name=name,
        title=words(program.title),
        rule="=" * (len(name) + len(words(program.title)) + 10),
        state=lay.state.size,
        params=lay.params.size,
        scratch=scratch,
        count=count,
        inputs=fields((i.name, form(i.dtype, i.shape, i.unit)) for i in program.inputs),
        outputs=fields((o, form(n.dtype, n.shape)) for o, n in program.outputs),
    )


PARAMS = """/* {name}_params.h: the learned values. */
#ifndef {guard}_PARAMS_H
#define {guard}_PARAMS_H

#include "{name}.h"

#ifdef __cplusplus
extern "C" {{
#endif

extern const {name}_params {name}_learned;

#ifdef __cplusplus
}}
#endif

#endif
"""

TEST_MAIN = """/* test_main.c: runs the golden vectors; exit status 0 only if all are equal. */
#include <stdio.h>

#include "{name}_test.h"

int main(void)
{{
    static {name}_state state;
    const unsigned long vectors = {guard}_VECTORS, different = {name}_self_test(&state);
    printf("vectors: %lu of %lu equal\\n", vectors - different, vectors);
    return different == 0 ? 0 : 1;
}}
"""

MAKEFILE = """# make test    compile with all warnings as errors, run the golden vectors
# make example build an example that reads CSV from standard input
# make library build lib%%.a, for linking into firmware
# Another compiler: make test CC=clang; make library CC=arm-none-eabi-gcc AR=arm-none-eabi-ar \\
#   CFLAGS='-Os -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard'
# Under an emulator: make test CC=aarch64-linux-gnu-gcc LDFLAGS=-static RUN=qemu-aarch64

CFLAGS ?= -O2
STRICT = -std=c99 -Wall -Wextra -Wconversion -Werror -ffp-contract=off -fno-math-errno
LDLIBS = -lm
RUN ?=
objects = %%.o %%_params.o

.PHONY: all test example library clean
all: example

%.o: %.c %%.h %%_params.h
\t$(CC) $(STRICT) $(CFLAGS) -c -o $@ $<

test: %%_test
\t$(RUN) ./%%_test

%%_test: $(objects) %%_test.o test_main.o
\t$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

example: %%_example

%%_example: $(objects) main.o
\t$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

library: lib%%.a

lib%%.a: $(objects)
\t$(AR) rcs $@ $^

clean:
\trm -f *.o lib%%.a %%_test %%_example
"""

CMAKE = """# Use it with add_subdirectory(), or alone:
# cmake -S . -B build && cmake --build build && ctest --test-dir build
cmake_minimum_required(VERSION 3.10)
project(%% C)
set(CMAKE_C_STANDARD 99)

add_library(%% STATIC %%.c %%_params.c)
target_include_directories(%% PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
if(NOT MSVC)
  target_compile_options(%% PRIVATE -ffp-contract=off -fno-math-errno)
  target_link_libraries(%% PUBLIC m)
endif()

if(CMAKE_SOURCE_DIR STREQUAL CMAKE_CURRENT_SOURCE_DIR)
  enable_testing()
  add_executable(%%_test %%_test.c test_main.c)
  target_link_libraries(%%_test PRIVATE %%)
  add_test(NAME %%_test COMMAND %%_test)
  add_executable(%%_example main.c)
  target_link_libraries(%%_example PRIVATE %%)
endif()
"""

README = """{name}: {title}, as C99
{rule}
make test       compiles with -Wall -Wextra -Wconversion -Werror and runs {count} golden vectors
make example    builds {name}_example: CSV readings in, results out
make library    builds lib{name}.a

In your firmware: add {name}.c and {name}_params.c, include {name}.h and {name}_params.h, then

    static {name}_state state;
    {name}_in in;
    {name}_out out;

    {name}_init(&state);                                    once
    in.... = ...;                                           at every reading; NAN is a gap
    fired = {name}_step(&state, &{name}_learned, &in, &out);

No malloc, no files, no clock. Bytes: state {state}, parameters {params} (constant), scratch on the
stack {scratch}. The state is the whole memory of a device: copy it to move or to save it.
Call {name}_self_test once after an update: it returns how many of the {count} vectors differ from what
they gave where the model was made, 0 when all is well; BIMETAL_NO_VECTORS keeps them out of flash.
Compile with -ffp-contract=off, never with -ffast-math.

Readings ({name}_in)
{inputs}

Results ({name}_out)
{outputs}
"""
