"""PlatformIO: a library with an example project for a board."""

from __future__ import annotations

import json
from collections.abc import Mapping

from bimetal.targets.packaging.arduino import sketch
from bimetal.targets.packaging.parts import Parts

USE = """
Copy this folder into your project's lib/, or name it in platformio.ini: lib_deps = symlink://PATH
pio run -d examples/watch -t upload && pio device monitor -b 115200
                runs the golden vectors on the board, says how many differ, then scores readings
"""

BOARDS: Mapping[str, tuple[str, str]] = {
    "arduino-uno": ("atmelavr", "uno"),
    "arduino-mega": ("atmelavr", "megaatmega2560"),
    "arduino-zero": ("atmelsam", "zero"),
    "arduino-uno-r4": ("renesas-ra", "uno_r4_minima"),
    "bluepill": ("ststm32", "bluepill_f103c8"),
    "esp32-c3": ("espressif32", "esp32-c3-devkitm-1"),
    "esp32-devkit": ("espressif32", "esp32dev"),
    "esp32-s3": ("espressif32", "esp32-s3-devkitc-1"),
    "esp8266": ("espressif8266", "nodemcuv2"),
    "microbit": ("nordicnrf51", "bbcmicrobit"),
    "nrf52840-dk": ("nordicnrf52", "nrf52840_dk"),
    "nucleo-f746zg": ("ststm32", "nucleo_f746zg"),
    "nucleo-l031k6": ("ststm32", "nucleo_l031k6"),
    "nucleo-l432kc": ("ststm32", "nucleo_l432kc"),
    "nucleo-l552ze": ("ststm32", "nucleo_l552ze_q"),
    "nucleo-wl55jc": ("ststm32", "nucleo_wl55jc"),
    "pico": ("raspberrypi", "pico"),
    "teensy40": ("teensy", "teensy40"),
}
"""Platform and board of PlatformIO for boards of the table (shrink/board.py)."""


def files(parts: Parts) -> dict[str, str]:
    """Return the library's manifest, and a project that uses it."""
    platform, board = BOARDS.get(parts.about.board, BOARDS["nucleo-l432kc"])
    return {
        "library.json": _manifest(parts),
        "examples/watch/platformio.ini": parts.spelled(PROJECT, platform=platform, board=board),
        "examples/watch/src/main.cpp": sketch(parts, "main.cpp", "#include <Arduino.h>\n"),
    }


def _manifest(parts: Parts) -> str:
    manifest = {
        "name": parts.name,
        "version": parts.about.version,
        "description": f"{parts.title}, as a function of one reading after the other, emitted by bimetal",
        "keywords": ["machine learning", "sensor", "anomaly detection"],
        "headers": [f"{parts.name}.h", f"{parts.name}_params.h", f"{parts.name}_test.h"],
        "frameworks": "*",
        "platforms": "*",
        "build": {"flags": ["-ffp-contract=off"]},
        "examples": [
            {"name": "watch", "base": "examples/watch", "files": ["platformio.ini", "src/main.cpp"]}
        ],
    }
    return json.dumps(manifest, indent=2) + "\n"


PROJECT = """; pio run -t upload && pio device monitor
[env:%board%]
platform = %platform%
board = %board%
framework = arduino
monitor_speed = 115200
build_flags = -ffp-contract=off
lib_deps = symlink://../..
"""
