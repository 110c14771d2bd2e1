"""Packages: what each holds, and that every example builds and runs, a stub in the place of a toolchain."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bimetal.nouns.errors import Unsupported
from bimetal.shrink.board import BOARDS
from bimetal.targets.packaging.package import PACKAGES, packed
from tests.targets.packaging.given import DRAFTS, STUB, parts, written

EVERY = ["", *PACKAGES]
STRICT = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror"]
C99 = ["-std=c99", "-ffp-contract=off", "-fno-math-errno", *STRICT]
CORTEX_M4 = ["-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
SKETCHES = {"arduino": "examples/watch/watch.ino", "platformio": "examples/watch/src/main.cpp"}
both = pytest.mark.parametrize("which", DRAFTS)
RIGHT = re.compile(r"self-test: 0 of 12 vectors differ")


def run(*command: str | Path, folder: Path) -> str:
    """Run a tool; it must succeed."""
    done = subprocess.run(
        [str(c) for c in command], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{command[0]}: {(done.stdout + done.stderr)[-2000:]}"
    return done.stdout


@pytest.mark.parametrize("kind", EVERY)
@both
def test_a_package_holds_the_c_its_own_files_and_words_on_how_to_use_it(
    kind: str, which: str, tmp_path: Path
) -> None:
    folder = written(kind, which, tmp_path)
    names = {f.name for f in folder.rglob("*") if f.is_file()}
    assert {f"plant{end}" for end in (".c", ".h", "_params.c", "_params.h", "_test.c", "_test.h")} <= names
    readme = (folder / "README.txt").read_text(encoding="ascii")
    assert readme.startswith("plant: ")
    assert "Fits nowhere." in readme
    for file in folder.rglob("*"):
        text = file.read_text(encoding="ascii") if file.is_file() else ""
        assert not re.search(r"%[a-zA-Z_]+%", text.replace("%name% ", "")), file


@pytest.mark.parametrize("kind", [k for k, p in PACKAGES.items() if p.folder])
def test_every_file_that_is_named_is_there(kind: str, tmp_path: Path) -> None:
    folder = written(kind, "plain", tmp_path)
    there = {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file()}
    for path in there:
        if path.endswith((".txt", ".json", ".properties", ".yml", "CMakeLists.txt")):
            text = (folder / path).read_text(encoding="ascii")
            for named in re.findall(r"plant\w*\.[ch]\b", text):
                assert f"src/{named}" in there, f"{path} names {named}"


@pytest.mark.needs("gcc", "g++")
@both
def test_the_c_is_clean_c99_and_c_plus_plus_uses_it(which: str, tmp_path: Path) -> None:
    folder = written("", which, tmp_path)
    objects = [f.with_suffix(".o").name for f in folder.glob("plant*.c")]
    for file in folder.glob("*.c"):
        run("gcc", *C99, "-O2", "-c", file.name, folder=folder)
    run("g++", *STRICT, "-I.", STUB / "user.cpp", *objects, "-lm", "-o", "user", folder=folder)
    run("./user", folder=folder)


@pytest.mark.needs("arm-none-eabi-gcc", "arm-none-eabi-nm", "arm-none-eabi-size")
@pytest.mark.parametrize(
    "cpu", [["-mcpu=cortex-m0plus"], ["-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]]
)
@both
def test_on_a_microcontroller_nothing_can_be_written_to_and_nothing_is_called_but_memory(
    which: str, cpu: list[str], tmp_path: Path
) -> None:
    folder = written("", which, tmp_path)
    for name in ("plant", "plant_params", "plant_test"):
        run("arm-none-eabi-gcc", *cpu, "-mthumb", *C99, "-Os", "-c", f"{name}.c", folder=folder)
        called = re.findall(r" U (\w+)", run("arm-none-eabi-nm", f"{name}.o", folder=folder))
        outside = {c for c in called if not c.startswith(("__aeabi_", "plant_", "__gnu_thumb1_case"))}
        assert outside <= {"memcpy", "memset"}
        sections = run("arm-none-eabi-size", "-A", f"{name}.o", folder=folder)
        sizes = dict(re.findall(r"^(\.data|\.bss)\S*\s+(\d+)", sections, re.MULTILINE))
        assert set(sizes.values()) <= {"0"}


@pytest.mark.needs("arm-none-eabi-gcc", "arm-none-eabi-size")
@both
def test_the_table_of_vectors_takes_what_is_said(which: str, tmp_path: Path) -> None:
    folder = written("", which, tmp_path)
    sizes: list[int] = []
    for option in ("-DBIMETAL_VECTORS=99", "-DBIMETAL_NO_VECTORS"):
        flags = ["-mcpu=cortex-m0plus", "-mthumb", "-std=c99", "-Os", option]
        run("arm-none-eabi-gcc", *flags, "-c", "plant_test.c", folder=folder)
        sizes.append(int(run("arm-none-eabi-size", "plant_test.o", folder=folder).splitlines()[1].split()[0]))
    assert parts(which).vector_bytes <= sizes[0] - sizes[1] <= parts(which).vector_bytes + 1500, (
        "beside them, what compares and prints field by field"
    )


@pytest.mark.needs("avr-gcc", "simavr")
@both
def test_the_vectors_hold_on_an_avr_and_a_wrong_one_is_seen(which: str, tmp_path: Path) -> None:
    folder = written("", which, tmp_path)
    tests = folder / "plant_test.c"
    sources = "".join(path.read_text() for path in sorted(folder.glob("plant_test.*")))
    (fit,) = re.findall(r"defined\(__AVR__\)\n#define PLANT_VECTORS (\d+)", sources)
    assert int(fit) > 5
    assert vectors_of_an_avr(folder) == f"0/{fit}"
    tests.write_text(re.sub(r"(everyday 1 \*/\n\d+, )(\w+)", r"\g<1>0x12345", tests.read_text(), count=1))
    assert vectors_of_an_avr(folder) == f"1/{fit}"
    assert vectors_of_an_avr(folder, "-DBIMETAL_NO_VECTORS") == "0/0"


def vectors_of_an_avr(folder: Path, *options: str) -> str:
    """Return what an ATmega2560 says of its vectors: how many differ / of how many."""
    sources = [STUB / "avr_main.c", "plant.c", "plant_params.c", "plant_test.c"]
    flags = [
        "-mmcu=atmega2560",
        "-Os",
        "-std=gnu99",
        "-ffp-contract=off",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-I.",
    ]
    run("avr-gcc", *flags, *options, *sources, "-o", "avr.elf", folder=folder)
    done = subprocess.run(
        ["simavr", "-m", "atmega2560", "-f", "16000000", "avr.elf"],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    found = re.search(r"\d+/\d+", done.stdout + done.stderr)
    assert found, done.stdout + done.stderr
    return found[0]


@pytest.mark.needs("g++", "gcc")
@pytest.mark.parametrize(
    ("kind", "sketch"),
    [("arduino", "examples/watch/watch.ino"), ("platformio", "examples/watch/src/main.cpp")],
)
@both
def test_the_sketch_checks_itself_and_watches(kind: str, sketch: str, which: str, tmp_path: Path) -> None:
    folder = written(kind, which, tmp_path)
    said = compiled_sketch(folder, sketch)
    assert RIGHT.search(said)
    assert said.count("\n") > (1 if which == "odd" else 5)
    said = compiled_sketch(folder, sketch, "-DBIMETAL_VECTORS=3")
    assert "self-test: 0 of 3 vectors differ" in said


def compiled_sketch(folder: Path, sketch: str, *options: str) -> str:
    """Return what a sketch prints on a computer."""
    for name in ("plant", "plant_params", "plant_test"):
        run("gcc", *C99, *options, "-O2", "-c", f"src/{name}.c", folder=folder)
    flags = ["-Wall", "-Wextra", "-Werror", "-Isrc", f"-I{STUB}", "-include", "Arduino.h", "-x", "c++"]
    rest = ["-x", "none", "plant.o", "plant_params.o", "plant_test.o", "-lm", "-o", "sketch"]
    run("g++", *flags, *options, sketch, STUB / "arduino_main.cpp", *rest, folder=folder)
    return run("./sketch", folder=folder)


@pytest.mark.needs("cmake", "gcc")
@both
def test_the_zephyr_sample_checks_itself_and_watches(which: str, tmp_path: Path) -> None:
    folder = written("zephyr", which, tmp_path)
    options = [f"-DZephyr_DIR={STUB}", "-DMORE_CONFIG=CONFIG_BIMETAL_PLANT_VECTORS"]
    assert RIGHT.search(built_by_cmake(folder / "samples/watch", *options))
    without = built_by_cmake(folder / "samples/watch", options[0])
    assert "self-test: 0 of 0 vectors differ" in without


@pytest.mark.needs("cmake", "gcc")
@both
def test_the_esp_idf_example_checks_itself_and_watches(
    which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDF_PATH", str(STUB))
    folder = written("esp-idf", which, tmp_path)
    assert RIGHT.search(built_by_cmake(folder / "examples/watch"))
    without = built_by_cmake(folder / "examples/watch", "-DCONFIG_BIMETAL_PLANT_NO_VECTORS=y")
    assert "self-test: 0 of 0 vectors differ" in without


def built_by_cmake(folder: Path, *options: str) -> str:
    """Build a project from nothing, and return what its program prints."""
    run("cmake", "-S", ".", "-B", "build", "--fresh", *options, folder=folder)
    run("cmake", "--build", "build", folder=folder)
    return run("build/app", folder=folder)


@pytest.mark.needs("cmake", "gcc")
def test_the_cmake_project_tests_itself_and_is_added_to_another(tmp_path: Path) -> None:
    folder = written("cmake", "plain", tmp_path / "plant")
    run("cmake", "-S", ".", "-B", "build", folder=folder)
    run("cmake", "--build", "build", folder=folder)
    assert "100% tests passed" in run("ctest", "--test-dir", "build", folder=folder)
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.10)\nproject(firmware C CXX)\nadd_subdirectory(plant)\n"
        f"add_executable(app {STUB}/user.cpp plant/plant_test.c)\ntarget_link_libraries(app plant)\n"
    )
    built_by_cmake(tmp_path)


@pytest.mark.needs("make", "cc")
@pytest.mark.parametrize("kind", ["", "make"])
def test_the_makefile_tests_builds_and_cleans(kind: str, tmp_path: Path) -> None:
    folder = written(kind, "plain", tmp_path)
    before = {f.name for f in folder.iterdir()}
    assert "vectors: 12 of 12 equal" in run("make", "test", folder=folder)
    run("make", "example", "library", folder=folder)
    run("make", "clean", folder=folder)
    assert {f.name for f in folder.iterdir()} == before


def test_manifests_are_what_their_tools_read(tmp_path: Path) -> None:
    library = json.loads((written("platformio", "odd", tmp_path / "p") / "library.json").read_text())
    assert (library["name"], library["version"]) == ("plant", "2026.1.5")
    properties = (written("arduino", "odd", tmp_path / "a") / "library.properties").read_text().splitlines()
    keys = [line.split("=", 1)[0] for line in properties if not line.startswith("#")]
    assert keys == ["name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url",
                    "architectures", "includes"]  # fmt: skip


@pytest.mark.parametrize(
    ("board", "platform"), [("", "ststm32"), ("arduino-uno", "atmelavr"), ("esp32-c3", "espressif32")]
)
def test_the_platformio_project_is_for_the_board(board: str, platform: str) -> None:
    project = PACKAGES["platformio"].files(parts("plain", board))["examples/watch/platformio.ini"]
    assert f"platform = {platform}\n" in project


@pytest.mark.parametrize("kind", ["zephyr", "esp-idf", "platformio"])
def test_every_board_is_called_what_its_tools_call_it_or_refused(kind: str) -> None:
    refused: set[str] = set()
    for board in BOARDS:
        try:
            packed(parts("plain", board), PACKAGES[kind])
        except Unsupported:
            refused.add(board)
    espressif = {"esp32-devkit", "esp32-c3", "esp32-s3"}
    none = {
        "zephyr": {"arduino-uno", "arduino-mega", "esp8266"},
        "esp-idf": set(BOARDS) - espressif,
        "platformio": {"pico2"},
    }
    assert refused == none[kind]


@pytest.mark.needs("gcc")
@both
def test_a_c_library_whose_math_knows_no_gap_will_do(which: str, tmp_path: Path) -> None:
    folder = written("", which, tmp_path)
    (folder / "math.h").write_text("/* as small as Zephyr's own */\nfloat sqrtf(float square);\n")
    for name in ("plant", "plant_params", "plant_test"):
        run("gcc", *C99, "-O2", "-I.", "-c", f"{name}.c", folder=folder)
    run("gcc", "-include", "plant.h", "-x", "c", "test_main.c", "-x", "none", *(f"{n}.o" for n in (
        "plant", "plant_params", "plant_test")), "-lm", "-o", "run", folder=folder)  # fmt: skip
    assert "12 of 12 equal" in run("./run", folder=folder)


def test_the_stack_of_an_example_grows_with_what_the_program_needs() -> None:
    small, large = parts("bare"), replace(parts("plain"), scratch_bytes=9000)
    stacks = [re.findall(r"STACK_SIZE=(\d+)", config) for p in (small, large) for config in (
        PACKAGES["zephyr"].files(p)["samples/watch/prj.conf"],
        PACKAGES["esp-idf"].files(p)["examples/watch/sdkconfig.defaults"])]  # fmt: skip
    assert stacks[:2] == [["3584"], ["3584"]]
    assert stacks[2] == stacks[3]
    assert int(stacks[2][0]) >= 9000 + 2048
