"""Measuring: a compiler's figures, where one is; its absence and its refusals are said, not guessed over."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bimetal.cli.toolbox import LocalTools
from bimetal.nouns.errors import Unsupported
from bimetal.program.program import Program
from bimetal.shrink.budget import need_of
from bimetal.shrink.estimate import code_bytes, stack_bytes
from bimetal.shrink.machine import MACHINES, Machine, machine_of
from bimetal.shrink.measure import Measured, compiler_of, measure, sections_of
from bimetal.targets.c99_sources import sources_of
from bimetal.targets.toolbox import Done
from tests.shrink.given import block_of, detector, dozen, tiny, windowed

NEEDED = {
    "cortex-m": "arm-none-eabi-gcc", "rv32imc": "riscv64-unknown-elf-gcc", "avr": "avr-gcc",
    "esp8266": "xtensa-lx106-elf-gcc", "esp32": "xtensa-esp32-elf-gcc",
}  # fmt: skip
every_machine = pytest.mark.parametrize(
    "machine",
    [
        pytest.param(m, id=m.name, marks=pytest.mark.needs(NEEDED.get(m.name, NEEDED["cortex-m"])))
        for m in MACHINES.values()
    ],
)


def measured(program: Program, machine: Machine) -> Measured:
    need = need_of(program)
    return measure(sources_of(program, need.lowered, block_of(program), "p"), "p", machine, LocalTools())


@every_machine
def test_a_dozen_programs_take_no_more_than_is_told(machine: Machine) -> None:
    """Of code nineteen in twenty are promised, so one of a dozen may lie above; of the stack all."""
    above: list[str] = []
    for name, program, block in dozen():
        need = need_of(program)
        found = measure(sources_of(program, need.lowered, block, "p"), "p", machine, LocalTools())
        code, stack = code_bytes(need.lowered, machine.figures), stack_bytes(need.lowered, machine.figures)
        taken = found.flash_bytes - need.report.parameter_bytes
        above += [name] if taken > code.value + code.error else []
        assert 0.55 * code.value - 256 < taken < 1.2 * code.value + 256, name
        assert found.stack_bytes <= stack.value + stack.error, name
    assert len(above) <= 1, above


@every_machine
def test_all_that_a_step_needs_is_weighed(machine: Machine) -> None:
    small, large = measured(tiny(), machine), measured(detector(2), machine)
    learned = need_of(detector(2)).report.parameter_bytes
    assert 0 < small.flash_bytes < large.flash_bytes
    assert large.flash_bytes > learned
    assert 0 <= small.stack_bytes < large.stack_bytes
    assert large.data_bytes < learned / 100
    assert compiler_of(machine, LocalTools()) in large.compiler
    assert large.compiler[-1].isdigit()


@pytest.mark.needs("arm-none-eabi-gcc")
def test_the_link_is_what_firmware_would_get(tmp_path: Path) -> None:
    """The same files through another build: an object each, all in one image, nothing thrown away."""
    program, machine = detector(2), machine_of("cortex-m4")
    for file, data in sources_of(program, need_of(program).lowered, block_of(program), "p").items():
        (tmp_path / file).write_bytes(data)
    flags = [*machine.options, "-Os", "-std=c99", "-ffp-contract=off", "-fno-math-errno"]
    subprocess.run(["arm-none-eabi-gcc", *flags, "-c", "p.c", "p_params.c"], cwd=tmp_path, check=True)
    listed = subprocess.run(
        ["arm-none-eabi-size", "p.o", "p_params.o"], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    whole = sum(int(line.split()[0]) for line in listed.splitlines()[1:])
    assert abs(measured(program, machine).flash_bytes - whole) < 0.05 * whole


class Without(LocalTools):
    """A machine that lacks some programs."""

    def find(self, name: str) -> str:
        return ""


class Failing(LocalTools):
    """A compiler that is there and says no."""

    def find(self, name: str) -> str:
        return "here"

    def run(self, command: object, given: bytes, folder: str) -> Done:
        return Done(1, b"", "p.c:1:10: fatal error: math.h: No such file or directory\n")


def test_without_a_compiler_it_is_said_which() -> None:
    sources = sources_of(tiny(), need_of(tiny()).lowered, block_of(tiny()), "p")
    with pytest.raises(Unsupported, match="arm-none-eabi-gcc"):
        measure(sources, "p", machine_of("cortex-m4"), Without())
    assert compiler_of(machine_of("cortex-m4"), Without()) == ""


def test_what_a_compiler_says_is_passed_on() -> None:
    sources = sources_of(tiny(), need_of(tiny()).lowered, block_of(tiny()), "p")
    with pytest.raises(Unsupported, match=r"math\.h"):
        measure(sources, "p", machine_of("cortex-m4"), Failing())


@pytest.mark.needs("arm-none-eabi-gcc")
def test_a_compiler_of_that_name_for_something_else_is_refused() -> None:
    other = replace(machine_of("cortex-m4"), options=("-mcpu=no-such-thing",))
    with pytest.raises(Unsupported, match="does not build"):
        measured(tiny(), other)


def test_only_what_lies_in_flash_is_added_up() -> None:
    listed = "p.elf  :\nsection  size  addr\n.text.p  100  0\n.rodata  20  100\n.bss  7  0\n.comment  9  0\n"
    assert sections_of(listed) == {".text.p": 100, ".rodata": 20}


@pytest.mark.needs("arm-none-eabi-gcc")
def test_scratch_memory_is_on_the_stack() -> None:
    machine = machine_of("cortex-m4")
    scratch = need_of(detector(6)).lowered.scratch_bytes
    assert scratch > 500
    assert scratch <= measured(detector(6), machine).stack_bytes <= scratch + 600
    assert measured(windowed(64), machine).stack_bytes < 200
