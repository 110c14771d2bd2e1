"""Package: the forms that emitted C can take, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bimetal.targets.packaging import arduino, cmake, esp_idf, make, platformio, zephyr
from bimetal.targets.packaging.parts import Parts, host_files
from bimetal.targets.packaging.readme import readme
from bimetal.targets.project import Files

SOURCES = "src/"


def _as_it_is(parts: Parts) -> str:
    return parts.about.board


@dataclass(frozen=True, slots=True)
class Package:
    """A form: what it is called in words, its own files, how it is used, and how that is tried.

    `folder` is where the C goes ("" with everything else, and then beside what runs on a computer);
    `next` is the command that builds or tests it, in its folder; `board` what its tools call the board
    that it is for, and raises Unsupported where they have none.
    """

    form: str
    files: Callable[[Parts], Mapping[str, str]]
    use: str
    next: str
    folder: str = SOURCES
    board: Callable[[Parts], str] = _as_it_is


def _both(parts: Parts) -> Mapping[str, str]:
    return {**make.files(parts), **cmake.files(parts)}


PLAIN = Package("C99", _both, make.USE, "make test", "")
"""What is written when no package is asked for."""

PACKAGES: Mapping[str, Package] = {
    "arduino": Package("Arduino library", arduino.files, arduino.USE, "arduino-cli compile examples/watch"),
    "zephyr": Package(
        "Zephyr module", zephyr.files, zephyr.USE, "west build samples/watch", board=zephyr.board_of
    ),
    "esp-idf": Package(
        "ESP-IDF component",
        esp_idf.files,
        esp_idf.USE,
        "idf.py -C examples/watch build",
        board=esp_idf.chip_of,
    ),
    "platformio": Package(
        "PlatformIO library", platformio.files, platformio.USE, "pio run -d examples/watch"
    ),
    "cmake": Package("CMake project", cmake.files, cmake.USE, "cmake -S . -B build", ""),
    "make": Package("C99 with a Makefile", make.files, make.USE, "make test", ""),
}
"""The forms by the name that a user gives."""


def packed(parts: Parts, package: Package = PLAIN) -> Files:
    """Return all files of a package by their paths in its folder; raises Unsupported as `board` does."""
    host: Files = {} if package.folder else host_files(parts)
    use = package.use.replace("%board%", package.board(parts))
    texts = {**package.files(parts), "README.txt": readme(parts, package.form, use)}
    return {
        **parts.code(package.folder),
        **host,
        **{path: text.encode("ascii") for path, text in texts.items()},
    }
