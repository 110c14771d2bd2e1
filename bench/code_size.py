"""Fit the figures for flash and stack of shrink/figures.py. Run: python bench/code_size.py [FIGURES...].

Compiles every operator's examples, detectors of several sizes and random programs, links each with the
compiler's library, and prints the tables to paste. Errors are of programs whose family a fold had not
seen: of code nineteen in twenty took no more than value + error, of the stack all. Needs the compilers.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from corpus import LAYERS, NAME, UPPER, Fit, family, measured_apart, programs, table, written

from bimetal.cli.toolbox import LocalTools
from bimetal.nouns.errors import Unsupported
from bimetal.program.layout import layout_of
from bimetal.program.verify import check
from bimetal.shrink.estimate import SMALL_BYTES, SMALL_STACK
from bimetal.shrink.figures import CODE, STACK
from bimetal.shrink.kind import held_kinds, routines, written_kinds
from bimetal.shrink.machine import MACHINES, Machine
from bimetal.shrink.measure import compiler_of, measure
from bimetal.targets.c99_sources import sources_of
from bimetal.targets.kernels.substitute import in_one_piece
from bimetal.targets.loops import Lowered
from bimetal.targets.lower import lower
from bimetal.targets.project import Files


@dataclass(frozen=True, slots=True)
class Given:
    """A program of the corpus, lowered and written as C."""

    name: str
    lowered: Lowered
    sources: Files
    parameter_bytes: int
    table_bytes: int


@dataclass(frozen=True, slots=True)
class Weighed:
    """Those of the corpus that a machine has room for, with bytes of code and of stack."""

    given: list[Given]
    code: np.ndarray
    stack: np.ndarray


def corpus() -> list[Given]:
    """Return the programs."""
    found: list[Given] = []
    for name, program, block in programs():
        lowered = lower(program, check(program).ranges, in_one_piece)
        if measured_apart(lowered):
            continue
        tables = sum(t.values.nbytes for t in lowered.tables)
        sources = sources_of(program, lowered, block, NAME)
        found.append(Given(name, lowered, sources, max(layout_of(program).params.size, 1), tables))
    return found


def weigh(machine: Machine, given: list[Given]) -> Weighed:
    """Compile all of them; those too large for the machine are left out."""
    kept: list[Given] = []
    code: list[int] = []
    stack: list[int] = []
    for g in given:
        try:
            found = measure(g.sources, NAME, machine, LocalTools())
        except Unsupported as why:
            print(f"# {machine.name} {g.name}: {why}", file=sys.stderr)
            continue
        kept.append(g)
        code.append(found.flash_bytes - g.parameter_bytes)
        stack.append(found.stack_bytes)
    return Weighed(kept, np.array(code, float), np.array(stack, float))


def fit_code(machine: Machine, weighed: Weighed) -> None:
    """Print the rates of code and their error."""
    lowered = [g.lowered for g in weighed.given]
    kinds = [written_kinds(low) for low in lowered]
    linked = [dict.fromkeys(routines(low), 1) for low in lowered]
    each, once = sorted({k for c in kinds for k in c} - LAYERS), sorted({k for c in linked for k in c})
    tables = np.array([g.table_bytes for g in weighed.given], float)
    features = np.hstack([table(kinds, each), table(linked, once)])
    target = np.maximum(weighed.code - tables, 1.0)
    fit = Fit(features, target, SMALL_BYTES, [family(g.name) for g in weighed.given], 0.9)
    off = np.maximum(target - fit.guess, 0.0) / (fit.guess + tables + SMALL_BYTES)
    rates = written(fit.weights[: len(each)], each, CODE[machine.figures].each)
    print(f'CODE    "{machine.figures}": Rates(\n        each={rates},')
    print(f"        once={written(fit.weights[len(each) :], once, {})},")
    print(f"        error={np.quantile(off, 0.95):.2f},\n    ),")
    _tell(machine, "code", weighed.code, off, (fit.guess + tables) / weighed.code, weighed.given)


def fit_stack(machine: Machine, weighed: Weighed) -> None:
    """Print the rates of the stack beside scratch memory, and their error."""
    kinds = [held_kinds(g.lowered) for g in weighed.given]
    scratch = np.array([g.lowered.scratch_bytes for g in weighed.given], float)
    beside = np.maximum(weighed.stack - scratch, 0.0)
    names = sorted({k for c in kinds for k in c} - LAYERS)
    fit = Fit(table(kinds, names), beside, SMALL_STACK, [family(g.name) for g in weighed.given], UPPER)
    off = fit.short
    rates = written(fit.weights, names, STACK[machine.figures].each)
    print(f'STACK    "{machine.figures}": Rates(\n        each={rates},')
    print(f"        error={np.ceil(off.max() * 100) / 100:.2f},\n    ),")
    _tell(machine, "stack", weighed.stack, off, (fit.guess + scratch) / weighed.stack, weighed.given)


def _tell(
    machine: Machine, what: str, sizes: np.ndarray, short: np.ndarray, told: np.ndarray, given: list[Given]
) -> None:
    for kind in ("detector", "random", ""):
        at = [k for k, g in enumerate(given) if g.name.startswith(kind)]
        worst = max(at, key=lambda k: short[k])
        print(
            f"# {machine.name} {what} {kind or 'all'}: {len(at)} programs, {sizes[at].min():.0f}.."
            f"{sizes[at].max():.0f} bytes; told {np.median(told[at]):.2f} times as much in the median, "
            f"short by {np.quantile(short[at], 0.95):.1%} at 95 %, {short[worst]:.1%} at most "
            f"({given[worst].name})",
            file=sys.stderr,
        )


def main(wanted: list[str]) -> None:
    """Fit and print, for every machine that has figures of its own and whose compiler is here."""
    given = corpus()
    for machine in MACHINES.values():
        if machine.name not in wanted and (wanted or machine.figures in DONE):
            continue
        DONE.add(machine.figures)
        if not compiler_of(machine, LocalTools()):
            print(f"# {machine.name}: no compiler here", file=sys.stderr)
            continue
        weighed = weigh(machine, given)
        fit_code(machine, weighed)
        fit_stack(machine, weighed)


DONE: set[str] = set()


if __name__ == "__main__":
    main(sys.argv[1:])
