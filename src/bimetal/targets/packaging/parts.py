"""Parts: what every package of a program is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from bimetal.nouns.errors import Unsupported
from bimetal.program.layout import Field, layout_of
from bimetal.program.program import Program
from bimetal.program.verify import check
from bimetal.targets.c99 import words
from bimetal.targets.c99_main import write_main
from bimetal.targets.c99_sources import sources_of
from bimetal.targets.c99_vectors import table_bytes, write_tests
from bimetal.targets.kernels.substitute import in_one_piece
from bimetal.targets.lower import lower
from bimetal.targets.project import Files
from bimetal.targets.vectors import Vectors

Name = TypeVar("Name")

PRINTING_BYTES = 3584
"""Stack on which a float can be printed everywhere: what ESP-IDF gives a main task."""
BESIDE_BYTES = 2048
"""Stack beside scratch memory, a reading and a result: three times what was found on Cortex-M."""


@dataclass(frozen=True, slots=True)
class About:
    """What a package says about itself and a program does not know.

    `version` is three numbers with points between; `period_s` the seconds between readings, 0 when they
    are not known; `board` the name of the board it was asked for, "" for none; `remarks` are lines for
    the README.
    """

    version: str = "0.1.0"
    period_s: float = 0.0
    board: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parts:
    """A program's C and all that is told about it.

    `sources` run on a device, `tests` are NAME_test.h and NAME_test.c with `count` vectors, whose table
    takes `vector_bytes`.
    """

    name: str
    program: Program
    about: About
    sources: Files
    tests: Files
    count: int
    vector_bytes: int
    scratch_bytes: int

    @property
    def title(self) -> str:
        """What the program is called, fit for any file."""
        return words(self.program.title).replace('"', "_").replace("'", "_").replace("=", "_")

    @property
    def period_ms(self) -> int:
        """Whole milliseconds between readings, at least one; a second when nobody knows."""
        return max(1, round((self.about.period_s or 1.0) * 1000))

    @property
    def stack_bytes(self) -> int:
        """Stack for a task that computes, then prints: more than it takes, in steps of 512 bytes."""
        layout = layout_of(self.program)
        computing = self.scratch_bytes + layout.input.size + layout.output.size + BESIDE_BYTES
        return -(-max(computing, PRINTING_BYTES) // 512) * 512

    def code(self, folder: str = "") -> dict[str, bytes]:
        """Return all C but examples, in a folder."""
        return {f"{folder}{file}": data for file, data in {**self.sources, **self.tests}.items()}

    def spelled(self, template: str, **more: str) -> str:
        """Fill in a template: %name%, %NAME%, %title%, %stack%, %period_ms%, and what else is given."""
        given = {**more, "name": self.name, "NAME": self.name.upper(), "title": self.title}
        given |= {"version": self.about.version, "period_ms": str(self.period_ms)}
        given["stack"] = str(self.stack_bytes)
        for key, value in given.items():
            template = template.replace(f"%{key}%", value)
        return template

    def fields(self) -> tuple[tuple[Field, str], ...]:
        """Return every field of a reading with its unit, in the program's order."""
        layout = layout_of(self.program).input
        return tuple((layout.field(i.name), words(i.unit)) for i in self.program.inputs)

    def results(self) -> Iterator[Field]:
        """Yield every field of a result, in the program's order."""
        layout = layout_of(self.program).output
        yield from (layout.field(name) for name, _ in self.program.outputs)


def parts_of(program: Program, block: bytes, vectors: Vectors, name: str, about: About) -> Parts:
    """Write a program as C; raises BadInput when name or block are no good."""
    lowered = lower(program, check(program).ranges, in_one_piece)
    header, tests, kept = write_tests(program, vectors, name)
    files = {f"{name}_test.h": header.encode("ascii"), f"{name}_test.c": tests.encode("ascii")}
    sources = sources_of(program, lowered, block, name)
    size = table_bytes(program, kept)
    return Parts(name, program, about, sources, files, len(kept), size, lowered.scratch_bytes)


def named(names: Mapping[str, Name], parts: Parts, tools: str) -> Name:
    """Return what the tools call the board; raises Unsupported where they have none of the kind."""
    board = parts.about.board
    if board not in names:
        hint = "Leave --board out, or choose another --package"
        raise Unsupported(f"{tools} has no board {board}", where="--package", hint=hint)
    return names[board]


def host_files(parts: Parts) -> Files:
    """Return what runs on a computer: an example that reads CSV, and the golden vectors."""
    return {
        "main.c": write_main(parts.program, parts.name).encode("ascii"),
        "test_main.c": parts.spelled(TEST_MAIN).encode("ascii"),
    }


TEST_MAIN = """/* test_main.c: runs the golden vectors; exit status 0 only if all are equal. */
#include <stdio.h>

#include "%name%_test.h"

int main(void)
{
    static %name%_state state;
    const unsigned long vectors = %NAME%_VECTORS, different = %name%_self_test(&state);
    printf("vectors: %lu of %lu equal\\n", vectors - different, vectors);
    return different == 0 ? 0 : 1;
}
"""
