"""ESP-IDF: a component with an example that checks itself and then watches."""

from __future__ import annotations

from bimetal.targets.packaging.parts import Parts, named
from bimetal.targets.packaging.sketch import PRINTF, read_sensors, says_something, tell

USE = """
idf.py -C examples/watch set-target %board% && idf.py -C examples/watch flash monitor
                runs the golden vectors on the board, says how many differ, then scores readings
In your project: put this folder into components/, and REQUIRES its name where you include %name%.h.
"""

CHIPS = {"": "esp32", "esp32-devkit": "esp32", "esp32-c3": "esp32c3", "esp32-s3": "esp32s3"}


def chip_of(parts: Parts) -> str:
    """Return what ESP-IDF calls the chip of the board; raises Unsupported where it has none of the kind."""
    return named(CHIPS, parts, "ESP-IDF")


def files(parts: Parts) -> dict[str, str]:
    """Return what makes a component of it, and a project that uses it."""
    return {
        "CMakeLists.txt": parts.spelled(COMPONENT),
        "Kconfig": parts.spelled(KCONFIG),
        "idf_component.yml": parts.spelled(MANIFEST),
        "examples/watch/CMakeLists.txt": parts.spelled(PROJECT),
        "examples/watch/sdkconfig.defaults": parts.spelled(DEFAULTS),
        "examples/watch/main/CMakeLists.txt": parts.spelled(MAIN_CMAKE),
        "examples/watch/main/main.c": parts.spelled(
            MAIN, read=read_sensors(parts), tell=tell(parts, PRINTF), something=says_something(parts)
        ),
    }


COMPONENT = """# The model as a component; its flags keep every bit as it was where the model was made.
idf_component_register(
  SRCS "src/%name%.c" "src/%name%_params.c" "src/%name%_test.c"
  INCLUDE_DIRS "src"
)
target_compile_options(${COMPONENT_LIB} PRIVATE -ffp-contract=off -fno-math-errno)
if(CONFIG_BIMETAL_%NAME%_NO_VECTORS)
  target_compile_definitions(${COMPONENT_LIB} PUBLIC BIMETAL_NO_VECTORS)
endif()
"""

KCONFIG = """menu "%name%, emitted by bimetal"

config BIMETAL_%NAME%_NO_VECTORS
    bool "Leave the golden vectors out of flash"
    default n
    help
        Without them %name%_self_test has nothing to compare, and takes no flash.

endmenu
"""

MANIFEST = """version: "%version%"
description: "%title%, as a function of one reading after the other, emitted by bimetal"
dependencies:
  idf: ">=5.0"
"""

PROJECT = """# idf.py set-target CHIP, then idf.py flash monitor
cmake_minimum_required(VERSION 3.16)
set(EXTRA_COMPONENT_DIRS "${CMAKE_CURRENT_LIST_DIR}/../..")
include($ENV{IDF_PATH}/tools/cmake/project.cmake)
idf_build_set_property(MINIMAL_BUILD ON)
project(%name%_watch)
"""

DEFAULTS = """CONFIG_ESP_MAIN_TASK_STACK_SIZE=%stack%
"""

MAIN_CMAKE = """# The program's entry. The model is called as its folder is.
get_filename_component(folder "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
get_filename_component(model "${folder}" NAME)
idf_component_register(SRCS "main.c" REQUIRES ${model})
"""

MAIN = """/* main.c: checks itself, then scores a reading every %period_ms% ms. */
#include <stdio.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#include "%name%.h"
#include "%name%_params.h"
#include "%name%_test.h"

static %name%_state state;

%read%

%tell%

void app_main(void)
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
        vTaskDelay(pdMS_TO_TICKS(%period_ms%));
    }
}
"""
