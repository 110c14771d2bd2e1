"""Board: real parts with what they have room for, from their makers' data sheets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bimetal.nouns.errors import NotFound
from bimetal.shrink.machine import Machine, machine_of, nearest


@dataclass(frozen=True, slots=True)
class Board:
    """A part that programs run on: memory in bytes, clock in hertz, and its kind of processor."""

    name: str
    part: str
    processor: str
    machine: Machine
    flash_bytes: int
    ram_bytes: int
    clock_hz: int


_TABLE = """
nucleo-l031k6      STM32L031K6      Cortex-M0+   cortex-m0plus    32     8   32
arduino-zero       ATSAMD21G18A     Cortex-M0+   cortex-m0plus   256    32   48
microbit           nRF51822         Cortex-M0    cortex-m0plus   256    16   16
pico               RP2040           Cortex-M0+   cortex-m0plus  2048   264  125
bluepill           STM32F103C8      Cortex-M3    cortex-m3        64    20   72
nucleo-wl55jc      STM32WL55JC      Cortex-M4    cortex-m3       256    64   48
arduino-uno-r4     R7FA4M1AB        Cortex-M4F   cortex-m4       256    32   48
nucleo-l432kc      STM32L432KC      Cortex-M4F   cortex-m4       256    64   80
microbit-v2        nRF52833         Cortex-M4F   cortex-m4       512   128   64
nrf52840-dk        nRF52840         Cortex-M4F   cortex-m4      1024   256   64
nucleo-l552ze      STM32L552ZE      Cortex-M33   cortex-m33      512   256  110
pico2              RP2350           Cortex-M33   cortex-m33     4096   520  150
nucleo-f746zg      STM32F746ZG      Cortex-M7    cortex-m7      1024   320  216
teensy40           MIMXRT1062       Cortex-M7    cortex-m7      1984  1024  600
esp32-c3           ESP32-C3-MINI-1  RV32IMC      rv32imc        4096   400  160
esp8266            ESP-12F          LX106        esp8266        4096    80   80
esp32-devkit       ESP32-WROOM-32   LX6          esp32          4096   520  240
esp32-s3           ESP32-S3-WROOM-1 LX7          esp32          8192   512  240
arduino-uno        ATmega328P       AVR          avr              32     2   16
arduino-mega       ATmega2560       AVR          avr             256     8   16
"""
"""Name, part, processor, machine, flash and RAM in KiB, clock in MHz; the smallest of a family first."""


def _row(line: str) -> Board:
    name, part, processor, machine, flash, ram, clock = line.split()
    kib = 1024
    sizes = int(flash) * kib, int(ram) * kib, int(clock) * 1_000_000
    return Board(name, part, processor, machine_of(machine), *sizes)


BOARDS: Mapping[str, Board] = {b.name: b for b in map(_row, _TABLE.strip().splitlines())}
"""The boards by name, in the order of the table."""


def board_of(name: str) -> Board:
    """Return a board by its name; raises NotFound that says which was probably meant."""
    found = BOARDS.get(name.lower())
    if found is None:
        raise NotFound(f"no board is called {name[:40]!a}", hint=nearest(name, BOARDS, "Boards"))
    return found
