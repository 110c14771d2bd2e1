"""Code size: the estimate is held against a compiler where there is one, and behaves where there is none."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bimetal.nouns.errors import Unsupported
from bimetal.program.program import Program
from bimetal.program.verify import check
from bimetal.shrink.code_size import MACHINES, code_size, count_kinds, routines
from bimetal.targets.c99 import write_c99
from bimetal.targets.loops import Lowered
from bimetal.targets.lower import lower
from tests.shrink.given import detector, tiny

ARM = {
    "cortex-m0plus": ["-mcpu=cortex-m0plus", "-DBIMETAL_SOFT_SQRT"],
    "cortex-m4f": ["-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"],
}


def lowered(program: Program) -> Lowered:
    return lower(program, check(program).ranges)


def compiled(program: Program, machine: str, folder: Path) -> int:
    """Bytes of code and constants of a program, linked with what it calls."""
    source = write_c99(program, lowered(program), "p")
    (folder / "p.h").write_text(source.header)
    (folder / "p.c").write_text(source.code)
    flags = ["-Os", "-std=c99", "-mthumb", "-ffp-contract=off", "-fno-math-errno", "-ffunction-sections"]
    flags += ["-fdata-sections", "-fno-tree-loop-distribute-patterns"]
    link = [
        "-nostartfiles",
        "-Wl,--gc-sections",
        "-Wl,-e,p_step",
        "-Wl,-u,p_init",
        "p.c",
        "-lm",
        "-o",
        "p.elf",
    ]
    subprocess.run(["arm-none-eabi-gcc", *ARM[machine], *flags, *link], cwd=folder, check=True)
    listed = subprocess.run(
        ["arm-none-eabi-size", "-A", "p.elf"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout
    rows = [line.split() for line in listed.splitlines()]
    return sum(int(r[1]) for r in rows if len(r) == 3 and r[0].startswith((".text", ".rodata", ".data")))


@pytest.mark.needs("arm-none-eabi-gcc", "arm-none-eabi-size")
@pytest.mark.parametrize("machine", ARM)
@pytest.mark.parametrize("signals", [1, 5, 10])
def test_detectors_lie_within_the_stated_error(machine: str, signals: int, tmp_path: Path) -> None:
    program = detector(signals)
    size = code_size(lowered(program), machine)
    assert abs(size.bytes - compiled(program, machine, tmp_path)) <= size.error


@pytest.mark.parametrize("machine", MACHINES)
def test_more_program_is_more_code(machine: str) -> None:
    sizes = [code_size(lowered(p), machine).bytes for p in (tiny(), tiny(4), detector(1), detector(6))]
    assert sizes == sorted(sizes)
    assert sizes[0] > 0
    assert 0 < code_size(lowered(tiny()), machine).error < 1000


def test_only_arithmetic_that_occurs_links_a_routine() -> None:
    assert routines(lowered(tiny())) == {"f32 add", "f32 mul"}
    assert "f32 sqrt" in routines(lowered(detector(2))) or "f32 div" in routines(lowered(detector(2)))


def test_counting_follows_the_loops() -> None:
    one, four = count_kinds(lowered(tiny())), count_kinds(lowered(tiny(4)))
    assert (one["f32 mul"], four["f32 mul"]) == (2, 8)
    assert (one["f32 add"], four["f32 add"]) == (1, 4)
    assert (one["state field"], four["state field"]) == (1, 4)


def test_machines_without_float_arithmetic_pay_for_a_library() -> None:
    program = lowered(detector(1))
    assert code_size(program, "cortex-m0plus").bytes > code_size(program, "cortex-m4f").bytes + 2000


@pytest.mark.parametrize("machine", ["", "z80", "cortex-m4f\n"])
def test_a_machine_never_measured_is_refused(machine: str) -> None:
    with pytest.raises(Unsupported, match="cortex-m0plus"):
        code_size(lowered(tiny()), machine)
