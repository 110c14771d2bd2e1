"""Emitted C: strict compilers take it, its structs are the layout's, and it needs nothing but memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bimetal.program.layout import Layout, layout_of
from bimetal.program.node import EVERY, Clock
from bimetal.program.program import Draft, Program
from bimetal.targets.c99 import ARGUMENTS, numbers, when, words, write_c99
from bimetal.targets.name import spelled
from tests.targets.compiled import STRICT, attempt, run, written
from tests.targets.given import detector, lowered, many_programs, small

PROGRAMS = list(many_programs(6))
CALLED = {"memcpy", "memset", "sqrtf"}
LIBRARY = re.compile(r"__aeabi_\w+|__gnu_\w+|__\w+[sdi]f\d|__clzsi2|__\w+[sd]i\d")
"""Arithmetic a processor has no instruction for: the compiler's own library."""


def emitted(folder: Path, programs: Sequence[Program]) -> list[str]:
    """Write programs as p0, p1, ... and return the names of their C files."""
    for k, program in enumerate(programs):
        source = write_c99(program, lowered(program), f"p{k}")
        written(folder, {f"p{k}.h": source.header, f"p{k}.c": source.code})
    return [f"p{k}.c" for k in range(len(programs))]


@pytest.mark.parametrize(
    "compiler",
    [
        pytest.param(("gcc", "-std=c99", "-pedantic", "-O2"), marks=pytest.mark.needs("gcc"), id="gcc"),
        pytest.param(("gcc", "-std=c11", "-O0"), marks=pytest.mark.needs("gcc"), id="gcc-c11"),
        pytest.param(
            ("g++", "-x", "c++", "-std=c++17", "-O2", "-Wno-useless-cast"),
            marks=pytest.mark.needs("g++"),
            id="g++",
        ),
        pytest.param(("clang", "-std=c99", "-O2"), marks=pytest.mark.needs("clang"), id="clang"),
        pytest.param(
            ("arm-none-eabi-gcc", "-std=c99", "-Os", "-mthumb", "-mcpu=cortex-m0"),
            marks=pytest.mark.needs("arm-none-eabi-gcc"),
            id="cortex-m0",
        ),
        pytest.param(
            ("s390x-linux-gnu-gcc", "-std=c99", "-O2", "-fexcess-precision=fast"),
            marks=pytest.mark.needs("s390x-linux-gnu-gcc"),
            id="s390x",
        ),
    ],
)
def test_strict_compilers_take_it_without_a_word(compiler: tuple[str, ...], tmp_path: Path) -> None:
    sources = emitted(tmp_path, PROGRAMS)
    run([*compiler, *STRICT, "-Wshadow", "-Wundef", "-c", *sources], tmp_path)


def structs(program: Program, name: str) -> list[tuple[str, Layout]]:
    """The structs of a program in C."""
    lay = layout_of(program)
    kinds = {"state": lay.state, "params": lay.params, "in": lay.input, "out": lay.output}
    return [(f"{name}_{kind}", layout) for kind, layout in kinds.items()]


@pytest.mark.needs("gcc")
def test_structs_lie_as_the_layout_says(tmp_path: Path) -> None:
    emitted(tmp_path, PROGRAMS)
    lines = ["#include <stddef.h>", "#include <stdio.h>"]
    body: list[str] = []
    expected: list[int] = []
    for k, program in enumerate(PROGRAMS):
        lines.append(f'#include "p{k}.h"')
        for struct, layout in structs(program, f"p{k}"):
            body.append(f'    printf("%zu\\n", sizeof({struct}));')
            expected.append(max(layout.size, 1))
            for field in layout.fields:
                body.append(f'    printf("%zu\\n", offsetof({struct}, {spelled(field.name)}));')
                expected.append(field.offset)
    text = "\n".join([*lines, "int main(void)", "{", *body, "    return 0;", "}", ""])
    written(tmp_path, {"sizes.c": text})
    run(["gcc", "-std=c99", "-o", "sizes", "sizes.c"], tmp_path)
    assert [int(line) for line in run(["./sizes"], tmp_path).split()] == expected


@pytest.mark.needs("gcc", "nm")
@pytest.mark.parametrize("program", [small()[0], detector(2)[0]], ids=lambda p: p.title)
def test_nothing_is_called_from_outside_but_what_moves_memory(program: Program, tmp_path: Path) -> None:
    sources = emitted(tmp_path, [program])
    run(["gcc", "-std=c99", "-O0", "-c", *sources], tmp_path)
    table = [line.split() for line in run(["nm", "p0.o"], tmp_path).splitlines()]
    undefined = {row[-1] for row in table if row[-2] == "U"}
    shared = {row[-1] for row in table if row[-2].isupper() and row[-2] != "U"}
    assert undefined <= CALLED
    assert shared == {"p0_init", "p0_step"}
    assert not {row[-2] for row in table} & {"d", "D", "b", "B", "c", "C"}, "it holds memory of its own"


@pytest.mark.needs("arm-none-eabi-gcc", "arm-none-eabi-nm")
@pytest.mark.parametrize(
    "cpu", [("-mcpu=cortex-m0",), ("-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")],
    ids=["cortex-m0", "cortex-m4f"],
)  # fmt: skip
def test_a_microcontroller_links_no_mathematics_and_no_malloc(cpu: tuple[str, ...], tmp_path: Path) -> None:
    sources = emitted(tmp_path, PROGRAMS)
    run(["arm-none-eabi-gcc", "-std=c99", "-Os", "-mthumb", *cpu, "-c", *sources], tmp_path)
    objects = [source.replace(".c", ".o") for source in sources]
    found = run(["arm-none-eabi-nm", "-u", *objects], tmp_path).split()
    called = {name for name in found if name != "U" and not name.endswith(":")}
    assert {name for name in called if not LIBRARY.fullmatch(name)} <= {"memcpy", "memset"}


@pytest.mark.needs("gcc")
def test_no_stack_grows_with_the_data(tmp_path: Path) -> None:
    """Frames are of a size the compiler knows, and hold little beside scratch memory."""
    program, _ = detector(8)
    sources = emitted(tmp_path, [program])
    run(["gcc", "-std=c99", "-Os", "-fstack-usage", "-Werror=vla", "-c", *sources], tmp_path)
    rows = [line.split("\t") for line in (tmp_path / "p0.su").read_text().splitlines()]
    assert {row[2] for row in rows} == {"static"}
    assert max(int(row[1]) for row in rows) <= lowered(program).scratch_bytes + 256


def test_code_does_not_depend_on_what_was_learned() -> None:
    learned = [small(gain) for gain in (1.0, -0.0, 7.5)]
    assert len({block for _, block in learned}) == 3
    assert len({write_c99(program, lowered(program), "p") for program, _ in learned}) == 1


def test_a_step_is_a_function_of_four_structs() -> None:
    program, _ = small()
    source = write_c99(program, lowered(program), "pump")
    assert f"uint32_t pump_step({ARGUMENTS.format(name='pump')});" in source.header
    assert "void pump_init(pump_state *s);" in source.header
    assert "/* Cel */" in source.header
    assert "static" in source.code
    assert "malloc" not in source.code + source.header


def test_a_title_cannot_leave_its_comment() -> None:
    evil = 'x */ int main(void) { system("rm"); } /* \\ ??/ \n ü'
    assert re.fullmatch(r"[ -.0-\[\]-~]*", words(evil))
    program = Draft(evil)
    program.output("y", program.input("x", unit="*/ evil"))
    source = write_c99(program.finish(), lowered(program.finish()), "p")
    for text in (source.header, source.code):
        comments = re.findall(r"/\*.*?\*/", text, flags=re.S)
        assert not any("evil" in part or "system" in part for part in strip(text, comments))


def strip(text: str, comments: Sequence[str]) -> list[str]:
    """What is left of a text without its comments."""
    for comment in comments:
        text = text.replace(comment, "\0")
    return text.split("\0")


def test_clocks_are_told_in_words() -> None:
    assert when(EVERY) == "every reading"
    assert when(Clock(3, 2)) == "every 3 readings, first at reading 2"


def test_long_tables_are_broken_into_lines() -> None:
    text = numbers(np.arange(500), "i32")
    assert max(map(len, text.splitlines())) <= 100
    assert [int(n) for n in re.findall(r"\d+", text)] == list(range(500))
    assert numbers(np.array([1, 2]), "i32") == "{ 1, 2 }"


@pytest.mark.needs("gcc")
@pytest.mark.parametrize(
    ("options", "says"),
    [(("-ffast-math",), "changes results"), (("-mfpmath=387",), "computed as float")],
)
def test_options_that_would_change_bits_stop_the_compiler(
    options: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    emitted(tmp_path, [small()[0]])
    done = attempt(["gcc", "-std=c99", "-ffreestanding", *options, "-fsyntax-only", "p0.c"], tmp_path)
    assert done.returncode != 0
    assert says in done.stderr
