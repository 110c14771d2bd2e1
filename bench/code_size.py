"""Fit the code-size figures of shrink/code_size.py. Run: python bench/code_size.py [MACHINE...].

Compiles every operator's examples, detectors of several sizes and random programs with -Os, links
each with the compiler's library, and prints the table to paste and the errors of the fit: nine in ten
of the programs that a fold had not seen lay within `error`. Errors are relative to the size + 256
bytes, for nobody minds half of forty bytes. Needs the cross compilers.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bimetal.learn.detector import Design, detector_program
from bimetal.program.operator import operators, wire
from bimetal.program.program import Program
from bimetal.program.verify import check
from bimetal.shrink.code_size import SMALL, count_kinds, routines
from bimetal.targets.c99 import Source, write_c99
from bimetal.targets.loops import Lowered
from bimetal.targets.lower import lower
from tests.agree.random_program import random_program

COMPILERS = {
    "cortex-m0plus": ("arm-none-eabi", "-mcpu=cortex-m0plus", "-mthumb"),
    "cortex-m4f": ("arm-none-eabi", "-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"),
    "rv32imc": (
        "riscv64-unknown-elf",
        "-march=rv32imc",
        "-mabi=ilp32",
        "-ffreestanding",
        "-isystem",
        "{stubs}",
    ),
    "avr5": ("avr", "-mmcu=atmega328p"),
}
FLAGS = (
    "-Os",
    "-std=c99",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-tree-loop-distribute-patterns",
)
SOFT_SQRT = frozenset(["cortex-m0plus", "rv32imc", "avr5"])
STUBS = {
    "math.h": 'float sqrtf(float);\n#define NAN __builtin_nanf("")\n#define INFINITY __builtin_inff()\n',
    "string.h": "#include <stddef.h>\nvoid *memcpy(void *, const void *, size_t);\n"
    "void *memset(void *, int, size_t);\n",
}
FOLDS = 8


def programs() -> Iterator[tuple[str, Program]]:
    """What is compiled: a name and a program."""
    for name, kind in operators().items():
        for k, example in enumerate(kind.examples()):
            yield f"{name} {k}", wire(example.operator, example.signals)[0]
    for signals in (1, 2, 3, 4, 6, 8, 12, 16, 24, 38):
        program, _ = detector_program(Design(signals), [f"x{k}" for k in range(signals)])
        yield f"detector {signals}", program
    for seed in range(40):
        yield f"random {seed}", random_program(seed)[0]


class TooLargeError(Exception):
    """A program does not fit what a compiler can address."""


def sizes_on(machine: str, corpus: list) -> np.ndarray:
    """Return the linked size of every program, NaN for one too large for the machine."""
    sizes = np.full(len(corpus), np.nan)
    with tempfile.TemporaryDirectory() as folder:
        for k, (_, _, source) in enumerate(corpus):
            with suppress(TooLargeError):
                sizes[k] = measure(machine, source, Path(folder))
    return sizes


def measure(machine: str, source: Source, folder: Path) -> int:
    """Return the bytes of a program linked with what it calls."""
    prefix, *options = COMPILERS[machine]
    stubs = folder / "stubs"
    stubs.mkdir(exist_ok=True)
    for name, text in STUBS.items():
        (stubs / name).write_text(text)
    options = [o.format(stubs=stubs) for o in options]
    # An AVR aligns nothing, so structs that end in padding are shorter there; the size of code is not.
    header = re.sub(r"typedef char p_\w+_has_.*\n", "", source.header) if machine == "avr5" else source.header
    (folder / "p.h").write_text(header)
    (folder / "p.c").write_text(source.code)
    define = ["-DBIMETAL_SOFT_SQRT"] if machine in SOFT_SQRT else []
    compiler = [f"{prefix}-gcc", *options, *FLAGS, *define]
    run([*compiler, "-c", "p.c", "-o", "p.o"], folder)
    keep = ["-Wl,--gc-sections", "-Wl,-e,p_step", "-Wl,-u,p_init", "-nostartfiles"]
    (folder / "m.c").write_text(MEMORY)
    libraries = ["-nodefaultlibs", "m.c", "-lgcc"] if machine == "rv32imc" else ["-lm"]
    run([*compiler, "p.o", *keep, *libraries, "-o", "p.elf"], folder)
    return size_of(prefix, folder / "p.elf")


MEMORY = """#include <stddef.h>
void *memcpy(void *d, const void *s, size_t n)
{ char *a = d; const char *b = s; while (n--) { *a++ = *b++; } return d; }
void *memset(void *d, int c, size_t n) { char *a = d; while (n--) { *a++ = (char)c; } return d; }
"""


def run(command: list[str], folder: Path) -> str:
    """Run a compiler; say what it said when it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if "too large" in done.stderr or "overflowed" in done.stderr or "will not fit" in done.stderr:
        raise TooLargeError
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr[:2000]}")
    return done.stdout


def size_of(prefix: str, path: Path) -> int:
    """Bytes of code and constants, without debugging and unwinding sections."""
    total = 0
    for line in run([f"{prefix}-size", "-A", path.name], path.parent).splitlines():
        part = line.split()
        if len(part) == 3 and part[0].startswith((".text", ".rodata", ".data", ".srodata", ".sdata")):
            total += int(part[1])
    return total


def least_squares(features: np.ndarray, target: np.ndarray, turns: int = 4000) -> np.ndarray:
    """Non-negative weights with the least squared error relative to size + SMALL, by cyclic descent."""
    scale = target + SMALL
    a, b = features / scale[:, None], target / scale
    gram, right = a.T @ a + 1e-9 * np.eye(a.shape[1]), a.T @ b
    w = np.zeros(a.shape[1])
    for _ in range(turns):
        for k in range(len(w)):
            w[k] = max(0.0, w[k] + (right[k] - gram[k] @ w) / gram[k, k])
    return w


def main(machines: list[str]) -> None:
    """Fit and print."""
    corpus: list[tuple[str, Lowered, Source]] = []
    for name, program in programs():
        lowered = lower(program, check(program).ranges)
        corpus.append((name, lowered, write_c99(program, lowered, "p")))
    kinds = sorted({k for _, low, _ in corpus for k in count_kinds(low)})
    linked = sorted({k for _, low, _ in corpus for k in routines(low)})
    counted = np.array([[count_kinds(low)[k] for k in kinds] for _, low, _ in corpus], float)
    present = np.array([[k in routines(low) for k in linked] for _, low, _ in corpus], float)
    for machine in machines:
        if shutil.which(f"{COMPILERS[machine][0]}-gcc") is None:
            print(f"# {machine}: no compiler here", file=sys.stderr)
            continue
        fit(machine, corpus, np.hstack([counted, present]), (kinds, linked))


def fit(machine: str, corpus: list, features: np.ndarray, names: tuple[list[str], list[str]]) -> None:
    """Measure, fit on all programs, and print the table and the errors of programs held out."""
    sizes = sizes_on(machine, corpus)
    fits = ~np.isnan(sizes)
    corpus = [c for c, fit in zip(corpus, fits, strict=True) if fit]
    sizes, features = sizes[fits], features[fits]
    tables = np.array([sum(t.values.nbytes for t in low.tables) for _, low, _ in corpus], float)
    target = np.maximum(sizes - tables, 1.0)
    order = np.random.default_rng(1).permutation(len(corpus))
    guess = np.zeros(len(corpus))
    for fold in range(FOLDS):
        out = order[fold::FOLDS]
        kept = np.setdiff1d(order, out)
        guess[out] = features[out] @ least_squares(features[kept], target[kept])
    off = np.abs(guess + tables - sizes) / (sizes + SMALL)
    weights = least_squares(features, target)
    print(f'    "{machine}": Rates(')
    parts = {"each": weights[: len(names[0])], "once": weights[len(names[0]) :]}
    for (label, w), of in zip(parts.items(), names, strict=True):
        pairs = ", ".join(f'"{n}": {x:.1f}' for n, x in zip(of, w, strict=True) if x >= 0.05)
        print(f"        {label}={{{pairs}}},")
    print(f"        error={np.quantile(off, 0.9):.2f},\n    ),")
    for kind in ("detector", "random", ""):
        at = [k for k, (name, _, _) in enumerate(corpus) if name.startswith(kind)]
        print(
            f"# {machine} {kind or 'all'}: {len(at)} programs, "
            f"{sizes[at].min():.0f}..{sizes[at].max():.0f} bytes; off by {np.median(off[at]):.1%} in the "
            f"median, {np.quantile(off[at], 0.9):.1%} at 90 %, {off[at].max():.1%} at most",
            file=sys.stderr,
        )
    print(f"# {machine}: {int((~fits).sum())} programs were too large for it", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:] or list(COMPILERS))
