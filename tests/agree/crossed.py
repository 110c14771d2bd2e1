"""Crossed: emitted C with its own self-test, built for other processors by zig, run by qemu or wasmtime."""

from __future__ import annotations

import functools
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bimetal.learn.detector import Design, detector_program
from bimetal.program.block import pack
from bimetal.program.operator import operators, wire
from bimetal.program.program import Program
from bimetal.targets.c99_project import files_of
from bimetal.targets.vectors import make_vectors
from tests.agree.gap import Gap

LONGEST_S = 580
FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-fno-math-errno", "-static", "-g0")
SIGNALS = (1, 5, 38)


WASI = Path(__file__).parent / "host" / "wasi.py"


@dataclass(frozen=True, slots=True)
class Metal:
    """A processor: what zig calls it, with which options, and what runs its programs here."""

    name: str
    triple: str
    emulator: tuple[str, ...]
    options: tuple[str, ...] = ()


METALS = (
    Metal("x86-64", "x86_64-linux-musl", (), ("-mcpu=baseline",)),
    Metal("x86-64 v3", "x86_64-linux-musl", (), ("-mcpu=x86_64_v3",)),
    Metal("x86-64 v4 -O3", "x86_64-linux-musl", (), ("-mcpu=native", "-O3")),
    Metal("i386 SSE2", "x86-linux-musl", ("qemu-i386",), ("-mcpu=pentium4",)),
    Metal("aarch64", "aarch64-linux-musl", ("qemu-aarch64",)),
    Metal("armhf", "arm-linux-musleabihf", ("qemu-arm",)),
    Metal("arm soft float", "arm-linux-musleabi", ("qemu-arm",)),
    Metal("riscv64", "riscv64-linux-musl", ("qemu-riscv64",)),
    Metal("riscv32", "riscv32-linux-musl", ("qemu-riscv32",)),
    Metal("mips, big-endian", "mips-linux-musleabihf", ("qemu-mips",)),
    Metal("mipsel", "mipsel-linux-musleabihf", ("qemu-mipsel",)),
    Metal("ppc64, big-endian", "powerpc64-linux-musl", ("qemu-ppc64",)),
    Metal("ppc64le", "powerpc64le-linux-musl", ("qemu-ppc64le",)),
    Metal("s390x, big-endian", "s390x-linux-musl", ("qemu-s390x",)),
    Metal(
        "wasm32 by clang", "wasm32-wasi", (sys.executable, str(Path(__file__).parent / "host" / "wasi.py"))
    ),
)


GAPS: dict[tuple[str, str], Gap] = {("arm soft float", "softmax"): Gap("notyet", "9 of 10")}
"""zig's own division in software does not round a quotient below 2**-126 to the nearest; libgcc's does."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A program with parameters: `vectors` golden vectors of it are run on every metal."""

    name: str
    program: Program
    block: bytes
    vectors: int


def subjects(few: bool) -> list[Subject]:
    """Return the detectors and one example of every operator; of these every sixth where few are wanted."""
    found: list[Subject] = []
    for signals in SIGNALS[: 2 if few else 3]:
        program, draft = detector_program(Design(signals), [f"x{k}" for k in range(signals)])
        found.append(Subject(f"detector {signals}", program, pack(program, draft.values), 10))
    for name, kind in list(operators().items())[:: 6 if few else 1]:
        example = kind.examples()[0]
        program, values = wire(example.operator, example.signals)
        found.append(Subject(name, program, pack(program, values), 10))
    return found


def zig() -> str:
    """Return where zig is, from the PATH or from the package ziglang; "" where it is not."""
    spec = importlib.util.find_spec("ziglang")
    inside = [Path(folder) / "zig" for folder in (spec and spec.submodule_search_locations) or ()]
    return shutil.which("zig") or next((str(path) for path in inside if path.is_file()), "")


@functools.cache
def written(few: bool) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Return the files of all subjects, and their names in order."""
    files: dict[str, bytes] = {}
    found = subjects(few)
    for k, s in enumerate(found):
        vectors = make_vectors(s.program, s.block, seed=k, runs=s.vectors)
        files |= {
            f: data for f, data in files_of(s.program, s.block, vectors, f"p{k}").items() if f"p{k}" in f
        }
    files["all.c"] = main_of(len(found)).encode()
    return files, tuple(s.name for s in found)


def equal_vectors(metal: Metal, few: bool, folder: Path) -> dict[str, tuple[int, int]]:
    """Build all subjects for a metal, and return how many vectors are equal, of how many, for each."""
    files, names = written(few)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    sources = [name for name in files if name.endswith(".c")]
    command = [zig(), "cc", "-target", metal.triple, *FLAGS, *metal.options, *sources, "-lm", "-o", "all"]
    _run(command, folder)
    text = _run([*metal.emulator, "./all"], folder)
    lines = [tuple(map(int, line.split())) for line in text.splitlines()]
    return {names[k]: (vectors - different, vectors) for k, different, vectors in lines}


def undeclared(metal: Metal, found: dict[str, tuple[int, int]]) -> dict[str, str]:
    """Return what differs without a declared gap, and declared gaps that are closed."""
    wrong: dict[str, str] = {}
    for name, (equal, of) in found.items():
        gap, said = GAPS.get((metal.name, name)), "" if equal == of else f"{equal} of {of}"
        if said != (gap.says if gap else ""):
            wrong[name] = said or "the gap is closed: take its line out"
    return wrong


def main_of(count: int) -> str:
    """Return a program that runs every self-test and prints how many vectors differ, of how many."""
    parts = [f'#include "p{k}.h"\n#include "p{k}_test.h"' for k in range(count)]
    calls = [CALL.format(k=k) for k in range(count)]
    return "\n".join(["#include <stdio.h>", *parts, "int main(void)\n{", *calls, "    return 0;\n}\n"])


CALL = """    {{
        static p{k}_state s;
        const unsigned long different = p{k}_self_test(&s), vectors = P{k}_VECTORS;
        printf("{k} %lu %lu\\n", different, vectors);
    }}"""


def _run(command: Sequence[str], folder: Path) -> str:
    """Run a program; fails with what it said when it fails."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=LONGEST_S, check=False, errors="replace"
    )
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout


def table(results: Iterable[tuple[Metal, dict[str, tuple[int, int]]]]) -> str:
    """Return in lines how many vectors of how many programs are equal on every metal."""
    lines = [f"{'metal':<20}{'programs equal':>16}{'vectors equal':>18}"]
    for metal, found in results:
        whole = sum(equal == of for equal, of in found.values())
        equal, of = (sum(pair[k] for pair in found.values()) for k in range(2))
        lines.append(f"{metal.name:<20}{f'{whole} of {len(found)}':>16}{f'{equal} of {of}':>18}")
    return "\n".join(lines)
