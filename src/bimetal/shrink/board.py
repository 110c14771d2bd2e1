"""Board: real parts with what they have room for, from their makers' data sheets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bimetal.nouns.errors import NotFound


@dataclass(frozen=True, slots=True)
class Board:
    """A part that programs run on: memory in bytes, clock in hertz, and which figures hold for it.

    `machine` is the key of its figures in code_size.py. `instructions` is how many an elementary
    operation takes, nine in ten programs no more, 0 where nobody measured it; where there is no
    arithmetic unit for floats, a library does it. `constants_in_ram`: read-only data takes
    memory of both kinds.
    """

    name: str
    part: str
    processor: str
    machine: str
    flash_bytes: int
    ram_bytes: int
    clock_hz: int
    instructions: float = 0.0
    constants_in_ram: bool = False


_KIB = 1024
_MHZ = 1_000_000
_WITH_FLOATS = 3.0
_WITHOUT = 60.0
"""Instructions per operation, measured by bench/instructions.py: 1.9 to 2.9 on a Cortex-M4F and 10 to 59 on
a Cortex-M0+ for eight in ten programs."""

_ALL = (
    Board(
        "nucleo-l031k6",
        "STM32L031K6",
        "Cortex-M0+",
        "cortex-m0plus",
        32 * _KIB,
        8 * _KIB,
        32 * _MHZ,
        _WITHOUT,
    ),
    Board(
        "arduino-zero",
        "ATSAMD21G18A",
        "Cortex-M0+",
        "cortex-m0plus",
        256 * _KIB,
        32 * _KIB,
        48 * _MHZ,
        _WITHOUT,
    ),
    Board("pico", "RP2040", "Cortex-M0+", "cortex-m0plus", 2048 * _KIB, 264 * _KIB, 125 * _MHZ, _WITHOUT),
    Board(
        "nucleo-l432kc",
        "STM32L432KC",
        "Cortex-M4F",
        "cortex-m4f",
        256 * _KIB,
        64 * _KIB,
        80 * _MHZ,
        _WITH_FLOATS,
    ),
    Board(
        "nrf52840-dk",
        "nRF52840",
        "Cortex-M4F",
        "cortex-m4f",
        1024 * _KIB,
        256 * _KIB,
        64 * _MHZ,
        _WITH_FLOATS,
    ),
    Board(
        "nucleo-l552ze",
        "STM32L552ZE",
        "Cortex-M33",
        "cortex-m4f",
        512 * _KIB,
        256 * _KIB,
        110 * _MHZ,
        _WITH_FLOATS,
    ),
    Board(
        "nucleo-f746zg",
        "STM32F746ZG",
        "Cortex-M7",
        "cortex-m4f",
        1024 * _KIB,
        320 * _KIB,
        216 * _MHZ,
        _WITH_FLOATS,
    ),
    Board("esp32-c3", "ESP32-C3-MINI-1", "RV32IMC", "rv32imc", 4096 * _KIB, 400 * _KIB, 160 * _MHZ),
    Board("arduino-uno", "ATmega328P", "AVR", "avr5", 32 * _KIB, 2 * _KIB, 16 * _MHZ, constants_in_ram=True),
)

BOARDS: Mapping[str, Board] = {board.name: board for board in _ALL}
"""The boards by name, smallest family first. Cortex-M33 and M7 use the figures of the M4F."""


def board_of(name: str) -> Board:
    """Return a board by its name; raises NotFound naming those there are."""
    found = BOARDS.get(name.lower())
    if found is None:
        raise NotFound(f"no board is called {name!a}", hint=f"Boards: {', '.join(BOARDS)}")
    return found
