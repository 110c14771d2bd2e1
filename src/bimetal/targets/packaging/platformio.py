"""PlatformIO: a library with an example project for a board."""

from __future__ import annotations

import json
from collections.abc import Mapping

from bimetal.targets.packaging.arduino import sketch
from bimetal.targets.packaging.parts import TEST_MAIN, Parts, named

USE = """
Copy this folder into your project's lib/, or name it in platformio.ini: lib_deps = symlink://PATH
pio run -d examples/watch -t upload && pio device monitor -b 115200
                runs the golden vectors on the board, says how many differ, then scores readings
pio run -d examples/watch -e native -t exec
                runs the golden vectors on this computer
"""

BOARDS: Mapping[str, tuple[str, str]] = {
    "": ("ststm32", "nucleo_l432kc"),
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
    "microbit-v2": ("nordicnrf52", "bbcmicrobit_v2"),
    "nrf52840-dk": ("nordicnrf52", "nrf52840_dk"),
    "nucleo-f746zg": ("ststm32", "nucleo_f746zg"),
    "nucleo-l031k6": ("ststm32", "nucleo_l031k6"),
    "nucleo-l432kc": ("ststm32", "nucleo_l432kc"),
    "nucleo-l552ze": ("ststm32", "nucleo_l552ze_q"),
    "nucleo-wl55jc": ("ststm32", "nucleo_wl55jc"),
    "pico": ("raspberrypi", "pico"),
    "teensy40": ("teensy", "teensy40"),
}
"""Platform and board of PlatformIO for boards of the table (shrink/board.py); it has no Pico 2."""


def files(parts: Parts) -> dict[str, str]:
    """Return the library's manifest, and a project that uses it."""
    platform, board = named(BOARDS, parts, "PlatformIO")
    return {
        "library.json": _manifest(parts),
        "examples/watch/platformio.ini": parts.spelled(PROJECT, platform=platform, board=board),
        "examples/watch/src/main.cpp": sketch(parts, "main.cpp", "#include <Arduino.h>\n"),
        "examples/watch/src/test_main.c": parts.spelled(TEST_MAIN),
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
            {"name": "watch", "base": "examples/watch", "files": ["platformio.ini", *SOURCES]},
        ],
    }
    return json.dumps(manifest, indent=2) + "\n"


SOURCES = ("src/main.cpp", "src/test_main.c")

PROJECT = """; pio run -t upload && pio device monitor
; pio run -e native -t exec     runs the golden vectors on this computer
[platformio]
default_envs = %board%

[env]
build_flags = -ffp-contract=off
lib_deps = symlink://../..

[env:%board%]
platform = %platform%
board = %board%
framework = arduino
monitor_speed = 115200
build_src_filter = +<main.cpp>

[env:native]
platform = native
build_src_filter = +<test_main.c>
"""
