"""Machine: the kinds of processor that programs are built for, and what compiles for each."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from bimetal.nouns.errors import NotFound

FLAGS = (
    "-Os",
    "-std=c99",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-tree-loop-distribute-patterns",
)
"""What every figure was measured with."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A kind of processor.

    `figures` is the key of what was measured for it (figures.py). `prefixes` are of the compilers that
    build for it, the first one present is used, with `options`. `library_bytes` is the deepest stack
    that a routine of the compiler's library takes; `freestanding`: its compiler comes without a C
    library; `link` is for its linker; `note`: what the figures leave open.
    """

    name: str
    said: str
    figures: str
    prefixes: tuple[str, ...]
    options: tuple[str, ...]
    library_bytes: int
    freestanding: bool = False
    link: tuple[str, ...] = ()
    note: str = ""


_ARM = ("arm-none-eabi", "arm-zephyr-eabi")
_XTENSA = ("-mlongcalls", "-mtext-section-literals")
_ROM = ("-Wl,--unresolved-symbols=ignore-all",)
_ALL = (
    Machine(
        "cortex-m0plus",
        "Cortex-M0 and M0+, without float unit",
        "cortex-m0plus",
        _ARM,
        ("-mcpu=cortex-m0plus", "-mthumb"),
        48,
    ),
    Machine(
        "cortex-m3",
        "Cortex-M3, and M4 without float unit",
        "cortex-m3",
        _ARM,
        ("-mcpu=cortex-m3", "-mthumb"),
        48,
    ),
    Machine(
        "cortex-m4",
        "Cortex-M4 with float unit",
        "cortex-m4",
        _ARM,
        ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"),
        48,
    ),
    Machine(
        "cortex-m7",
        "Cortex-M7 with float unit",
        "cortex-m4",
        _ARM,
        ("-mcpu=cortex-m7", "-mthumb", "-mfpu=fpv5-sp-d16", "-mfloat-abi=hard"),
        48,
    ),
    Machine(
        "cortex-m33",
        "Cortex-M33 with float unit",
        "cortex-m4",
        _ARM,
        ("-mcpu=cortex-m33", "-mthumb", "-mfpu=fpv5-sp-d16", "-mfloat-abi=hard"),
        48,
    ),
    Machine(
        "rv32imc",
        "RISC-V without float unit, as ESP32-C3",
        "rv32imc",
        ("riscv64-unknown-elf", "riscv32-esp-elf", "riscv32-unknown-elf"),
        ("-march=rv32imc", "-mabi=ilp32"),
        48,
        freestanding=True,
    ),
    Machine("avr", "8-bit AVR, as ATmega328P", "avr", ("avr",), ("-mmcu=atmega328p", "-std=gnu99"), 32),
    Machine(
        "esp8266",
        "Xtensa LX106 without float unit",
        "xtensa",
        ("xtensa-lx106-elf",),
        _XTENSA,
        64,
        freestanding=True,
        link=_ROM,
        note="its float routines lie in ROM and are not counted",
    ),
    Machine(
        "esp32",
        "Xtensa LX6 and LX7 of ESP32 and ESP32-S3",
        "xtensa",
        ("xtensa-esp32-elf", "xtensa-esp32s3-elf"),
        _XTENSA,
        192,
        freestanding=True,
        link=_ROM,
        note="its figures are those of an Xtensa LX106, and no ESP32 was there to check them on",
    ),
)

MACHINES: Mapping[str, Machine] = {machine.name: machine for machine in _ALL}
"""The kinds of processor by name, which are the targets that a budget can be given for."""


def machine_of(name: str) -> Machine:
    """Return a kind of processor by its name; raises NotFound naming those there are."""
    found = MACHINES.get(name.lower())
    if found is None:
        raise NotFound(f"no processor is called {name[:40]!a}", hint=nearest(name, MACHINES, "Processors"))
    return found


def nearest(name: str, known: Mapping[str, object], what: str) -> str:
    """Return a hint that says which name was probably meant, or all there are."""
    near = difflib.get_close_matches(name.lower()[:80], known, n=1, cutoff=0.6)
    return f"Did you mean {near[0]}?" if near else f"{what}: {', '.join(known)}"
