"""Measure the figures for forests of shrink/grove.py. Run: python bench/grove.py [MACHINE...].

Forests of complete trees in every form, so that every way has the same length, are compiled for each
processor and run on a simulated board; costs of a tree, a split, a level and a leaf are fitted to what was
seen, and never told too low for what was fitted. Needs the compilers, and qemu for instructions.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from simulate import BOARDS, most_instructions

from bimetal.cli.toolbox import LocalTools
from bimetal.nouns.errors import Unsupported
from bimetal.program.block import pack
from bimetal.program.layout import layout_of
from bimetal.program.operator import wire
from bimetal.program.operators.forest import Forest
from bimetal.program.program import Program
from bimetal.program.tree import Tree
from bimetal.program.verify import check
from bimetal.shrink.estimate import SMALL_BYTES, SMALL_WORK
from bimetal.shrink.figures import CODE, WORK
from bimetal.shrink.grove import done_groves, written_groves
from bimetal.shrink.kind import done_kinds, written_kinds
from bimetal.shrink.machine import MACHINES, Machine
from bimetal.shrink.measure import compiler_of, measure
from bimetal.targets.c99_sources import sources_of
from bimetal.targets.kernels.substitute import in_one_piece
from bimetal.targets.lower import lower

COLUMNS = 20
SHAPES = ((3, 4), (12, 8), (40, 6))
"""How many trees, and of how many levels."""
FORMS = ("links", "short", "crown-1", "crown-2", "crown-4", "crown-6", "crown-8")


@dataclass(frozen=True)
class Grown:
    """A forest as a program, with its parameters and random rows."""

    name: str
    program: Program
    block: bytes
    rows: np.ndarray


def complete(rng: np.random.Generator, depth: int, leaves: int) -> Tree:
    """A tree whose leaves all lie equally deep, and whose neighbours differ."""
    if depth == 0:
        return int(rng.integers(leaves))
    split = int(rng.integers(COLUMNS)), int(rng.integers(20, 230))
    if depth == 1:
        low = int(rng.integers(leaves))
        return (*split, low, (low + 1) % leaves)
    return (*split, complete(rng, depth - 1, leaves), complete(rng, depth - 1, leaves))


def grown() -> Iterator[Grown]:
    """Every form with every way to count and add up, of octets and of floats."""
    rng = np.random.default_rng(1)
    for count_, depth in SHAPES:
        trees = tuple(complete(rng, depth, 6) for _ in range(count_))
        pairs = tuple(complete(rng, depth, 2) for _ in range(count_))
        start = tuple(6 * t for t in range(count_))
        one = tuple((int(v),) for v in rng.integers(-30000, 30000, 6 * count_))
        three = tuple(tuple(map(int, r)) for r in rng.integers(-30000, 30000, (6 * count_, 3)))
        for form in FORMS:
            if form.startswith("crown") and int(form[6:]) > depth:
                continue
            for how, made in {
                "pair": Forest(pairs, outputs=2, form=form),
                "votes": Forest(trees, outputs=6, form=form),
                "sum": Forest(trees, one, start, outputs=1, form=form),
                "rows": Forest(trees, three, start, outputs=3, form=form),
            }.items():
                for dtype in ("u8", "f32"):
                    x = rng.integers(0, 256, (12, COLUMNS)).astype(
                        dtype.replace("u8", "uint8").replace("f32", "float32")
                    )
                    program, values = wire(made, (x,))
                    rows = np.zeros(len(x), layout_of(program).input.dtype)
                    rows["x0"] = x
                    yield Grown(
                        f"{form} {how} {dtype} {count_}x{depth}", program, pack(program, values), rows
                    )


def fitted(kinds: list[Counter[str]], target: np.ndarray, small: float, error: float) -> dict[str, float]:
    """Non-negative weights by least squares on the error relative to target + small.

    They are raised until the share `error` of what is told, and of `small`, covers what lacks.
    """
    names = sorted({k for c in kinds for k in c})
    table = np.array([[c.get(n, 0) for n in names] for c in kinds], float)
    a, b = table / (target + small)[:, None], target / (target + small)
    w = np.zeros(len(names))
    gram, right = a.T @ a + 1e-9 * np.eye(len(names)), a.T @ b
    for _ in range(3000):
        for k in range(len(w)):
            w[k] = max(0.0, w[k] + (right[k] - gram[k] @ w) / gram[k, k])
    raised = 1.0
    while (table @ w * raised * (1 + error) + error * small < target).any():
        raised += 0.005
    told = table @ w * raised + small
    share = told / (target + small)
    print(
        f"#   raised by {raised:.3f}: told {np.median(share):.3f} of what was seen in the median, "
        f"{share.min():.3f} at least, {share.max():.3f} at most",
        file=sys.stderr,
    )
    return dict(zip(names, w * raised, strict=True))


def show(title: str, machine: Machine, rates: dict[str, float]) -> None:
    """Print a table to paste."""
    pairs = ", ".join(f'"{n}": {x:.1f}' for n, x in rates.items() if x >= 0.05)
    print(f'{title}    "{machine.figures}": {{{pairs}}},', flush=True)


def bytes_of(machine: Machine, given: list[Grown]) -> None:
    """Fit the bytes of code."""
    kinds, seen = [], []
    for g in given:
        lowered = lower(g.program, check(g.program).ranges, in_one_piece)
        try:
            found = measure(sources_of(g.program, lowered, g.block, "m"), "m", machine, LocalTools())
        except Unsupported as why:
            print(f"# {machine.name} {g.name}: {why}", file=sys.stderr)
            continue
        rest = CODE[machine.figures].of(written_kinds(lowered))
        kinds.append(written_groves(lowered))
        seen.append(found.flash_bytes - layout_of(g.program).params.size - rest)
    show("CODE", machine, fitted(kinds, np.array(seen), SMALL_BYTES, CODE[machine.figures].error))


def work_of(machine: Machine, given: list[Grown]) -> None:
    """Fit instructions."""
    kinds, seen = [], []
    for g in given:
        most = most_instructions(g.program, g.block, g.rows, machine)
        (stage,) = lower(g.program, check(g.program).ranges, in_one_piece).stages
        kinds.append(done_groves(stage))
        seen.append(most - WORK[machine.figures].of(done_kinds(stage)))
    show("WORK", machine, fitted(kinds, np.array(seen), SMALL_WORK, WORK[machine.figures].error))


def main(wanted: list[str]) -> None:
    """Fit every machine that has figures of its own and whose compiler is here."""
    given = list(grown())
    for machine in MACHINES.values():
        if (machine.figures != machine.name and machine.name not in wanted) or (
            wanted and machine.name not in wanted
        ):
            continue
        if not compiler_of(machine, LocalTools()):
            print(f"# {machine.name}: no compiler here", file=sys.stderr)
            continue
        bytes_of(machine, given)
        if machine.name in BOARDS:
            work_of(machine, given)


if __name__ == "__main__":
    main(sys.argv[1:])
