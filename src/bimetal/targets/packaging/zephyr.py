"""Zephyr: a module with its Kconfig, and a sample that checks itself and then watches."""

from __future__ import annotations

from collections.abc import Mapping

from bimetal.targets.packaging.parts import Parts, named
from bimetal.targets.packaging.sketch import PRINTF, read_sensors, says_something, tell

USE = """
west build -b %board% THIS_FOLDER/samples/watch && west flash
                runs the golden vectors on the board, says how many differ, then scores readings
west build -b qemu_cortex_m3 THIS_FOLDER/samples/watch -t run
                does the same without a board
In your application: list(APPEND ZEPHYR_EXTRA_MODULES THIS_FOLDER) before find_package(Zephyr), and
CONFIG_BIMETAL_%NAME%=y in prj.conf.
"""


BOARDS: Mapping[str, str] = {
    "": "nucleo_l432kc",
    "arduino-uno-r4": "arduino_uno_r4@minima",
    "arduino-zero": "arduino_zero",
    "bluepill": "stm32_min_dev",
    "esp32-c3": "esp32c3_devkitm",
    "esp32-devkit": "esp32_devkitc/esp32/procpu",
    "esp32-s3": "esp32s3_devkitc/esp32s3/procpu",
    "microbit": "bbc_microbit",
    "microbit-v2": "bbc_microbit_v2",
    "nrf52840-dk": "nrf52840dk/nrf52840",
    "nucleo-f746zg": "nucleo_f746zg",
    "nucleo-l031k6": "nucleo_l031k6",
    "nucleo-l432kc": "nucleo_l432kc",
    "nucleo-l552ze": "nucleo_l552ze_q",
    "nucleo-wl55jc": "nucleo_wl55jc",
    "pico": "rpi_pico",
    "pico2": "rpi_pico2/rp2350a/m33",
    "teensy40": "teensy40",
}
"""What Zephyr (3.7 and later) calls boards of the table (shrink/board.py); it has no AVR, no ESP8266."""


def board_of(parts: Parts) -> str:
    """Return what Zephyr calls the board; raises Unsupported where it has none of the kind."""
    return named(BOARDS, parts, "Zephyr")


def files(parts: Parts) -> dict[str, str]:
    """Return what makes a module of it, and a sample."""
    return {
        "zephyr/module.yml": parts.spelled(MODULE),
        "zephyr/CMakeLists.txt": parts.spelled(CMAKE),
        "zephyr/Kconfig": parts.spelled(KCONFIG),
        "samples/watch/CMakeLists.txt": parts.spelled(SAMPLE_CMAKE),
        "samples/watch/prj.conf": parts.spelled(SAMPLE_CONF),
        "samples/watch/sample.yaml": parts.spelled(SAMPLE_YAML),
        "samples/watch/src/main.c": parts.spelled(
            SAMPLE, read=read_sensors(parts), tell=tell(parts, PRINTF), something=says_something(parts)
        ),
    }


MODULE = """name: bimetal_%name%
build:
  cmake: zephyr
  kconfig: zephyr/Kconfig
samples:
  - samples
"""

CMAKE = """# The model as a library of its own; its flags keep every bit as it was where the model was made.
if(CONFIG_BIMETAL_%NAME%)
  zephyr_library_named(bimetal_%name%)
  zephyr_library_sources(
    ${CMAKE_CURRENT_LIST_DIR}/../src/%name%.c
    ${CMAKE_CURRENT_LIST_DIR}/../src/%name%_params.c
    ${CMAKE_CURRENT_LIST_DIR}/../src/%name%_test.c
  )
  zephyr_library_compile_options(-ffp-contract=off -fno-math-errno)
  zephyr_include_directories(${CMAKE_CURRENT_LIST_DIR}/../src)
  if(NOT CONFIG_BIMETAL_%NAME%_VECTORS)
    zephyr_compile_definitions(BIMETAL_NO_VECTORS)
  endif()
endif()
"""

KCONFIG = """# The model's switches.
config BIMETAL_%NAME%
\tbool "%title%, emitted by bimetal"
\timply FPU
\thelp
\t  Builds %name%_init, %name%_step and %name%_self_test.

config BIMETAL_%NAME%_VECTORS
\tbool "Keep the golden vectors in flash"
\tdepends on BIMETAL_%NAME%
\tdefault y
\thelp
\t  Without them %name%_self_test has nothing to compare, and takes no flash.
"""

SAMPLE_CMAKE = """# west build -b BOARD
cmake_minimum_required(VERSION 3.20.0)
list(APPEND ZEPHYR_EXTRA_MODULES ${CMAKE_CURRENT_SOURCE_DIR}/../..)
find_package(Zephyr REQUIRED HINTS $ENV{ZEPHYR_BASE})
project(%name%_watch)
target_sources(app PRIVATE src/main.c)
"""

SAMPLE_CONF = """CONFIG_BIMETAL_%NAME%=y
CONFIG_CBPRINTF_FP_SUPPORT=y
CONFIG_MAIN_STACK_SIZE=%stack%
"""

SAMPLE_YAML = """sample:
  name: %name% watches
  description: Runs the golden vectors, then scores readings.
tests:
  sample.bimetal.%name%:
    tags: bimetal
    integration_platforms:
      - qemu_cortex_m3
    harness: console
    harness_config:
      type: one_line
      regex:
        - "self-test: 0 of \\\\d+ vectors differ"
"""

SAMPLE = """/* main.c: checks itself, then scores a reading every %period_ms% ms. */
#include <stdio.h>

#include <zephyr/kernel.h>

#include "%name%.h"
#include "%name%_params.h"
#include "%name%_test.h"

static %name%_state state;

%read%

%tell%

int main(void)
{
    static %name%_in in;
    static %name%_out out;
    const unsigned long different = %name%_self_test(&state);

    printf("self-test: %lu of %lu vectors differ\\n", different, (unsigned long)%NAME%_VECTORS);
    %name%_init(&state);
    for (;;) {
        read_sensors(&in);
        if (%name%_step(&state, &%name%_learned, &in, &out) %something%) {
            tell(&out);
        }
        k_sleep(K_MSEC(%period_ms%));
    }
    return 0;
}
"""
