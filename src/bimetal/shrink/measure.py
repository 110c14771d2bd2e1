"""Measure: flash and stack of emitted C, told by a cross compiler of this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bimetal.nouns.errors import Unsupported
from bimetal.shrink.call_graph import CallGraph, chain_of, graph_of
from bimetal.shrink.machine import FLAGS, Machine
from bimetal.targets.project import Files
from bimetal.targets.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class Measured:
    """What a compiler says: bytes of flash (code, library, constants and parameters, linked), of read-only
    data that also takes RAM, and of stack at most, the library's included; and which compiler it was."""

    flash_bytes: int
    data_bytes: int
    stack_bytes: int
    compiler: str


def compiler_of(machine: Machine, tools: Toolbox) -> str:
    """Return the prefix of the compiler that builds for a machine here, "" where there is none."""
    there = (p for p in machine.prefixes if tools.find(f"{p}-gcc") and tools.find(f"{p}-size"))
    return next(there, "")


def measure(sources: Files, name: str, machine: Machine, tools: Toolbox) -> Measured:
    """Compile and link a step with all it calls, and weigh it.

    `sources` are NAME.c, NAME.h, NAME_params.c and NAME_params.h. Raises Unsupported where no compiler
    is present, or the one there is does not do it.
    """
    prefix = compiler_of(machine, tools)
    if not prefix:
        wanted = " or ".join(f"{p}-gcc" for p in machine.prefixes)
        raise Unsupported(f"no compiler for {machine.said}", hint=f"Install {wanted} to measure")
    folder = tools.folder()
    try:
        return _Bench(prefix, machine, tools, folder.name).weigh(sources, name)
    finally:
        folder.cleanup()


@dataclass(frozen=True, slots=True)
class _Bench:
    """A compiler in a folder."""

    prefix: str
    machine: Machine
    tools: Toolbox
    folder: str

    def weigh(self, sources: Files, name: str) -> Measured:
        extra = {"memory.c": MEMORY, **STUBS} if self.machine.freestanding else {}
        for file, data in {**sources, **extra}.items():
            self.tools.write(f"{self.folder}/{file}", data)
        version = self._run("gcc", "-dumpfullversion", "-dumpversion").strip()
        self._run("gcc", *self._options(version), "-c", f"{name}.c", "-o", "code.o")
        graph = self._graph(name)
        sizes = self._linked(name)
        return Measured(
            flash_bytes=sum(sizes.values()),
            data_bytes=sum(size for section, size in sizes.items() if section.startswith(".data")),
            stack_bytes=graph.deepest(f"{name}_step", self.machine.library_bytes),
            compiler=f"{self.prefix}-gcc {version}",
        )

    def _options(self, version: str = "") -> Sequence[str]:
        alone = ("-ffreestanding", "-isystem", ".") if self.machine.freestanding else ()
        major = version.split(".")[0]
        tells = "-fcallgraph-info=su" if major.isdigit() and int(major) >= 10 else "-fstack-usage"
        return (*FLAGS, *self.machine.options, *alone, *((tells,) if version else ()))

    def _graph(self, name: str) -> CallGraph:
        for file in ("code.ci", f"{name}.ci"):
            if Path(self.folder, file).exists():
                return graph_of(Path(self.folder, file).read_text(errors="replace"))
        for file in ("code.su", f"{name}.su"):
            if Path(self.folder, file).exists():
                return chain_of(Path(self.folder, file).read_text(errors="replace"), f"{name}_step")
        raise Unsupported("the compiler does not say what stack its code takes", where=f"{self.prefix}-gcc")

    def _linked(self, name: str) -> Mapping[str, int]:
        keep = [f"-Wl,-e,{name}_step", f"-Wl,-u,{name}_init", f"-Wl,-u,{name}_learned", "-Wl,--gc-sections"]
        memory = ["memory.c", "-nodefaultlibs", "-lgcc"] if self.machine.freestanding else []
        parts = ["code.o", f"{name}_params.c", *memory]
        self._run(
            "gcc", *self._options(), "-nostartfiles", *self.machine.link, *keep, *parts, "-o", "linked.elf"
        )
        return sections_of(self._run("size", "-A", "linked.elf"))

    def _run(self, tool: str, *options: str) -> str:
        done = self.tools.run([f"{self.prefix}-{tool}", *options], b"", self.folder)
        if done.status:
            said = next((line for line in done.words.splitlines() if "error" in line), done.words)
            raise Unsupported(f"it does not build the program: {said[:200]}", where=f"{self.prefix}-{tool}")
        return done.output.decode(errors="replace")


def sections_of(listed: str) -> dict[str, int]:
    """Return the bytes of every section that goes into flash, from what `size -A` prints."""
    rows = (line.split() for line in listed.splitlines())
    kept = (".text", ".rodata", ".data", ".srodata", ".sdata", ".literal", ".irom", ".progmem")
    return {row[0]: int(row[1]) for row in rows if len(row) == 3 and row[0].startswith(kept)}


STUBS: Files = {
    "math.h": b'float sqrtf(float);\n#define NAN __builtin_nanf("")\n#define INFINITY __builtin_inff()\n',
    "string.h": b"#include <stddef.h>\nvoid *memcpy(void *, const void *, size_t);\n"
    b"void *memset(void *, int, size_t);\n",
}
"""What a compiler without a C library lacks to compile emitted code."""

MEMORY = b"""#include <string.h>
void *memcpy(void *d, const void *s, size_t n)
{ char *a = d; const char *b = s; while (n--) { *a++ = *b++; } return d; }
void *memset(void *d, int c, size_t n) { char *a = d; while (n--) { *a++ = (char)c; } return d; }
"""
