"""Page: which operators run on which targets, from the machines and the gaps as they are declared."""

from __future__ import annotations

from collections.abc import Iterator

from bimetal.program.operator import operators
from tests.agree.gap import GAPS
from tests.agree.metal import AVR, BOARDS, CROSSED, NEAR, S390X

FAMILIES: dict[str, tuple[str, ...]] = {
    "WebAssembly": tuple(m.name for m in NEAR[:4]),
    "C99, C++": tuple(m.name for m in NEAR[4:]),
    "Cortex-M, RV32": tuple(m.name for m in BOARDS),
    "AVR": (AVR.name,),
    "other Linux": (S390X.name, *(m.name for m in CROSSED)),
    "ONNX, LiteRT": ("onnx", "litert"),
}
"""The columns of the table, and the targets of each."""

INTRODUCTION = """# Targets

`make agree` runs every example of every operator, the detectors, and odd, random and large programs on the
targets that are here, on ordinary and on hostile readings, and compares every output of every firing and
every byte of state with NumPy; `make agree ARGS=--all` takes every target and every program. A target that
lacks its tools says so and counts for nothing. Devices are moved through all targets in mid-run, too.
"""


def target_page() -> str:
    """Return the page: families of targets, operators on them, and every gap."""
    return "\n".join([INTRODUCTION, *_families(), *_operators(), *_gaps()]) + "\n"


def _families() -> Iterator[str]:
    yield "| Family | Targets |\n|---|---|"
    yield from (f"| {family} | {', '.join(targets)} |" for family, targets in FAMILIES.items())
    yield "\nONNX and LiteRT are formats of others: results are within 1e-5 of the larger of 1 and them.\n"


def _operators() -> Iterator[str]:
    yield "## Operators\n"
    yield "A tick: all examples give equal bits on all targets of the family. Else a gap, told below.\n"
    yield f"| Operator | {' | '.join(FAMILIES)} |\n|{'---|' * (len(FAMILIES) + 1)}"
    for name in operators():
        cells = [_cell(name, targets) for targets in FAMILIES.values()]
        yield f"| `{name}` | {' | '.join(cells)} |"


def _cell(operator: str, targets: tuple[str, ...]) -> str:
    kinds = {
        gap.kind for (t, case), gap in GAPS.items() if t in targets and case.rsplit(" ", 1)[0] == operator
    }
    return ", ".join(sorted(kinds)) or "✓"


def _gaps() -> Iterator[str]:
    yield "\n## Gaps\n"
    yield "`notimpl` could be written, `notyet` waits for something of others, `never` cannot be. A gap that"
    yield "closes fails the tests until its line is taken out.\n"
    yield "| Target | Program | Kind | Why |\n|---|---|---|---|"
    for (target, program), gap in GAPS.items():
        yield f"| {target} | {program} | {gap.kind} | {gap.because} |"
