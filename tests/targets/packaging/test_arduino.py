"""The Arduino library, built with Arduino's own core and run on a simulated Mega 2560."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.targets.compiled import run
from tests.targets.packaging.given import written
from tests.targets.packaging.listen import heard

CORE = Path(os.environ.get("ARDUINO_AVR", "/usr/share/arduino/hardware/arduino/avr"))
"""Where apt-get install arduino-core-avr puts it."""
BOARD = (
    "-mmcu=atmega2560",
    "-DF_CPU=16000000L",
    "-DARDUINO=10819",
    "-DARDUINO_AVR_MEGA2560",
    "-DARDUINO_ARCH_AVR",
)
ALIKE = ("-Os", "-ffunction-sections", "-fdata-sections", "-flto", "-w")
"""As platform.txt of the core says."""


@pytest.mark.slow
@pytest.mark.needs("avr-gcc", "avr-g++", "simavr")
@pytest.mark.skipif(
    not CORE.is_dir(), reason="needs Arduino's core for AVR: apt-get install arduino-core-avr"
)
@pytest.mark.parametrize("which", ["plain", "odd"])
def test_the_sketch_checks_itself_and_watches_with_the_real_core(which: str, tmp_path: Path) -> None:
    folder = written("arduino", which, tmp_path)
    build(folder)
    board = ["simavr", "-m", "atmega2560", "-f", "16000000", "sketch.elf"]
    said = heard(board, folder, r"(score|energy) .*\n")
    assert re.search(r"self-test: 0 of [1-9]\d* vectors differ", said), said
    assert re.search(r"(score|energy) ", said), said


def build(folder: Path) -> None:
    """Compile the core, the library and its example, and link them, as the Arduino IDE does."""
    core, variant = CORE / "cores" / "arduino", CORE / "variants" / "mega"
    seen = ["-Isrc", f"-I{core}", f"-I{variant}"]
    c = ["avr-gcc", "-std=gnu11", *BOARD, *ALIKE, *seen, "-c"]
    cpp = ["avr-g++", "-std=gnu++11", "-fpermissive", "-fno-exceptions", "-fno-threadsafe-statics"]
    cpp += [
        "-DDECIMAL_DIG=__DECIMAL_DIG__"
    ]  # the core wants it of C++11, which GCC 5 of Debian does not give
    cpp += [*BOARD, *ALIKE, *seen, "-c"]
    run([*c, *map(str, [*core.glob("*.c"), *core.glob("*.S")])], folder)
    run([*c, *(f"src/{path.name}" for path in (folder / "src").glob("*.c"))], folder)
    run([*cpp, *map(str, core.glob("*.cpp"))], folder)
    run([*cpp, "-include", "Arduino.h", "-x", "c++", "examples/watch/watch.ino"], folder)
    objects = [path.name for path in folder.glob("*.o")]
    run(["avr-gcc", *BOARD, *ALIKE, "-Wl,--gc-sections", *objects, "-lm", "-o", "sketch.elf"], folder)
