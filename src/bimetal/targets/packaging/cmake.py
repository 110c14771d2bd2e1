"""CMake: a project to add with add_subdirectory() or FetchContent, or to build and test alone."""

from __future__ import annotations

from bimetal.targets.packaging.parts import Parts

USE = """
cmake -S . -B build && cmake --build build && ctest --test-dir build
                builds %name%_example (CSV readings in, results out) and runs %count% golden vectors
add_subdirectory(THIS_FOLDER), then target_link_libraries(FIRMWARE PRIVATE %name%)
                links it; include %name%.h and %name%_params.h
"""


def files(parts: Parts) -> dict[str, str]:
    """Return CMakeLists.txt."""
    return {"CMakeLists.txt": parts.spelled(CMAKE)}


CMAKE = """# Use it with add_subdirectory(), or alone:
# cmake -S . -B build && cmake --build build && ctest --test-dir build
cmake_minimum_required(VERSION 3.10)
project(%name% C)
set(CMAKE_C_STANDARD 99)

add_library(%name% STATIC %name%.c %name%_params.c)
target_include_directories(%name% PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
if(NOT MSVC)
  target_compile_options(%name% PRIVATE -ffp-contract=off -fno-math-errno)
  if(NOT CMAKE_SYSTEM_NAME STREQUAL "Generic")
    target_link_libraries(%name% PUBLIC m)
  endif()
endif()

if(CMAKE_SOURCE_DIR STREQUAL CMAKE_CURRENT_SOURCE_DIR AND NOT CMAKE_CROSSCOMPILING)
  enable_testing()
  add_executable(%name%_test %name%_test.c test_main.c)
  target_link_libraries(%name%_test PRIVATE %name%)
  add_test(NAME %name%_test COMMAND %name%_test)
  add_executable(%name%_example main.c)
  target_link_libraries(%name%_example PRIVATE %name%)
endif()
"""
