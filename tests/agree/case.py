"""Case: what is compared on every machine: programs, each with parameter blocks and rows to feed them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.cortex_m0 import FORMS, SIZE, streamed
from bimetal.learn.detector import Design, detector_program
from bimetal.program.block import pack
from bimetal.program.layout import layout_of
from bimetal.program.operator import Example, operators, wire
from bimetal.program.program import Program
from bimetal.targets.vectors import KINDS, readings
from tests.agree.learned_program import learned_program
from tests.agree.machine import LAW, Job, Outcome, structs
from tests.agree.odd_program import ODD
from tests.agree.random_program import LARGE, SHAPES, random_program, random_rows
from tests.agree.vibration_program import extremes, made_up, shaken

Values = dict[str, NDArray[Any]]
SIGNALS = (1, 2, 8, 70)
TOGETHER = 24
"""How many random programs are built together; tests/agree/test_random.py tries others."""
LEARNED = 16
PARTS = 2
FEW, SHORT, LONG = 12, 20, 80
"""Rows of a run: LONG goes on until after the warm-up of a detector."""
WORST = ("gaps", "worst of all", "infinite", "tiny", "huge")


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One device: what it is given, and with which parameter block."""

    name: str
    block: bytes
    rows: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A program and what it is run with."""

    name: str
    program: Program
    runs: tuple[Run, ...]


def operator_cases(part: int) -> list[Case]:
    """Every example of every registered operator, in PARTS parts, with its own signals too."""
    found: list[Case] = []
    for name, kind in sorted(operators().items())[part::PARTS]:
        for k, example in enumerate(kind.examples()):
            program, values = wire(example.operator, example.signals)
            own = Run("its example", pack(program, values), example_rows(program, example))
            found.append(Case(f"{name} {k}", program, (own, *usual_runs(program, values))))
    return found


def example_rows(program: Program, example: Example) -> NDArray[Any]:
    """Return an example's signals as rows."""
    rows = np.zeros(len(example.signals[0]), layout_of(program).input.dtype)
    for k, signal in enumerate(example.signals):
        rows[f"x{k}"] = signal
    return rows


def detector_cases() -> list[Case]:
    """The default detector for few and many signals."""
    found: list[Case] = []
    for signals in SIGNALS:
        program, draft = detector_program(Design(signals), [f"x{k}" for k in range(signals)])
        found.append(Case(f"detector {signals}", program, usual_runs(program, draft.values, LONG)))
    return found


def random_cases(shapes: tuple[tuple[int, ...], ...] = SHAPES) -> list[Case]:
    """Random programs by their seeds."""
    made = [(seed, *random_program(seed, shapes=shapes)) for seed in range(TOGETHER)]
    kind = "random" if shapes == SHAPES else "large"
    return [Case(f"{kind} {seed}", program, usual_runs(program, values)) for seed, program, values in made]


def learned_cases() -> list[Case]:
    """Random windows, forests and nets by their seeds."""
    made = [(seed, *learned_program(seed)) for seed in range(LEARNED)]
    return [Case(f"learned {seed}", program, usual_runs(program, values)) for seed, program, values in made]


def odd_cases() -> list[Case]:
    """Programs of forms that break things; see odd_program.py."""
    made = [(make.__name__, make()) for make in ODD]
    return [Case(name, draft.finish(), usual_runs(draft.finish(), draft.values)) for name, draft in made]


def vibration_cases() -> list[Case]:
    """The whole program of a small board: windows, features, octets, a net, trees in each form."""
    found: list[Case] = []
    ends = np.concatenate([extremes(SIZE), shaken(3, SIZE)])
    for form in FORMS:
        program, block = streamed(made_up(), form)
        other = pack(program, other_values(program, 5))
        runs = (
            Run("shaken", block, axes_rows(program, shaken(2, 2 * SIZE))),
            Run("extremes, then shaken", block, axes_rows(program, ends)),
            Run("other parameters", other, noise(program, 6, SIZE)),
        )
        found.append(Case(f"vibration {form}", program, runs))
    return found


def axes_rows(program: Program, x: NDArray[np.int16]) -> NDArray[Any]:
    """Return readings (n, axes) as rows."""
    rows = np.zeros(len(x), layout_of(program).input.dtype)
    rows["x"] = x
    return rows


GROUPS: dict[str, Callable[[], list[Case]]] = {
    **{f"operators {k + 1}": functools.partial(operator_cases, k) for k in range(PARTS)},
    "detectors": detector_cases,
    "odd": odd_cases,
    "random": random_cases,
    "learned": learned_cases,
    "vibration": vibration_cases,
    "large": functools.partial(random_cases, LARGE),
}
"""What is built together."""


def usual_runs(program: Program, values: Values, count: int = SHORT) -> tuple[Run, ...]:
    """Return plain rows that turn nasty, bytes of noise, and kinds that golden vectors have too."""
    learned = pack(program, values)
    rng = np.random.default_rng(4)
    found = [
        Run("plain, then nasty", learned, turning(program, 1, count)),
        Run("noise", learned, noise(program, 3, FEW)),
        Run("minus zeros", learned, minus_zeros(program)),
        *(Run(name, learned, readings(program, rng, FEW, kind, {})) for name, kind in KINDS if name in WORST),
    ]
    if program.params:
        found.append(
            Run("other parameters", pack(program, other_values(program, 5)), turning(program, 6, FEW))
        )
    return tuple(found)


def turning(program: Program, seed: int, count: int) -> NDArray[Any]:
    """Return plain rows, and after them nasty ones."""
    plain, nasty = random_rows(program, seed, count), random_rows(program, seed + 1, FEW, nasty=True)
    return layout_of(program).input.conformed(np.concatenate([plain, nasty]))


def noise(program: Program, seed: int, count: int) -> NDArray[Any]:
    """Return rows of random bytes: NaN that signal, with any payload, and truth values beyond 0 and 1."""
    layout = layout_of(program).input
    data = np.random.default_rng(seed).integers(0, 256, count * layout.size).astype(np.uint8)
    return structs(data.tobytes(), layout, count)


def minus_zeros(program: Program) -> NDArray[Any]:
    """Return rows whose every float is -0.0, and every other number 0."""
    rows = np.zeros(4, layout_of(program).input.dtype)
    for place in program.inputs:
        rows[place.name] = -0.0 if place.dtype == "f32" else 0
    return rows


def other_values(program: Program, seed: int) -> Values:
    """Return parameter values anywhere within their declared ranges, half of them at an end."""
    rng = np.random.default_rng(seed)
    found: Values = {}
    for p in program.params:
        low, high = max(p.low, -1e3), min(p.high, 1e3)
        inside = rng.uniform(low, high, p.shape)
        ends = np.where(rng.random(p.shape) < 0.5, p.low, p.high)
        chosen = np.where(rng.random(p.shape) < 0.5, inside, ends)
        found[p.name] = chosen.astype(np.float32) if p.dtype == "f32" else np.floor(chosen)
    return found


def jobs(cases: Sequence[Case]) -> list[Job]:
    """Return every run of some cases as a job."""
    return [Job(k, run.block, run.rows) for k, case in enumerate(cases) for run in case.runs]


def by_run(cases: Sequence[Case]) -> Iterator[tuple[Case, Run]]:
    """Yield cases and runs in the order of their jobs."""
    for case in cases:
        for run in case.runs:
            yield case, run


@functools.cache
def expected(group: str) -> tuple[list[Case], list[list[Outcome]]]:
    """Return the cases of a group, and what the law says of every run of each."""
    cases = GROUPS[group]()
    built = LAW.build([case.program for case in cases], None)  # type: ignore[arg-type]
    outcomes = iter(built.run(jobs(cases)))
    return cases, [[next(outcomes) for _ in case.runs] for case in cases]
