"""The folder of C builds and tests itself, with make and with CMake, here and under an emulator."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from bimetal.nouns.errors import BadInput
from bimetal.program.block import HEAD
from bimetal.program.layout import initial_state, layout_of
from bimetal.targets.c99_project import emit, files_of
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.vectors import make_vectors
from tests.targets.compiled import attempt, run
from tests.targets.given import bits, detector, small, small_vectors

RUNS = 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The small program as a folder of C."""
    emit(*small(), small_vectors(RUNS), str(tmp_path / "made"), "pump")
    return tmp_path / "made"


@pytest.mark.needs("make", "gcc")
def test_make_test_says_how_many_vectors_agree(folder: Path) -> None:
    assert f"vectors: {RUNS} of {RUNS} equal" in run(["make", "-s", "test", "CC=gcc"], folder)


@pytest.mark.needs("make", "gcc")
def test_a_detector_agrees_too(tmp_path: Path) -> None:
    program, block = detector(2)
    emit(program, block, make_vectors(program, block, seed=2, runs=12), str(tmp_path), "plant")
    assert "vectors: 12 of 12 equal" in run(["make", "-s", "test", "CC=gcc"], tmp_path)


STRICTEST = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wpedantic", "-Werror")
PLAINEST = ("-ffp-contract=off", "-fno-math-errno", "-O2")


@pytest.mark.parametrize("language", ["-xc -std=c99", "-xc -std=c11", "-xc++ -std=c++17"])
@pytest.mark.parametrize(
    "compiler", [pytest.param(name, marks=pytest.mark.needs(name)) for name in ("gcc", "clang")]
)
def test_strict_compilers_have_nothing_to_say(compiler: str, language: str, tmp_path: Path) -> None:
    program, block = detector(2)
    emit(program, block, make_vectors(program, block, seed=2, runs=4), str(tmp_path), "plant")
    options = [compiler, *language.split(), *STRICTEST, *PLAINEST]
    sources = ["plant.c", "plant_params.c", "plant_test.c", "test_main.c"]
    run([*options, *sources, "-o", "strict", "-lm"], tmp_path)
    assert "vectors: 4 of 4 equal" in run(["./strict"], tmp_path)
    run([*options, "-c", "main.c"], tmp_path)


@pytest.mark.needs("make", "s390x-linux-gnu-gcc", "qemu-s390x")
def test_make_test_agrees_on_a_big_endian_machine(folder: Path) -> None:
    """Vectors are words, not bytes: they do not depend on the order of bytes."""
    cross = ["CC=s390x-linux-gnu-gcc", "LDFLAGS=-static", "RUN=qemu-s390x"]
    said = run(["make", "-s", "test", *cross, "CFLAGS=-O2 -fexcess-precision=fast"], folder)
    assert f"vectors: {RUNS} of {RUNS} equal" in said


@pytest.mark.needs("make", "arm-none-eabi-gcc", "arm-none-eabi-ar")
def test_a_library_for_a_microcontroller_is_one_command(folder: Path) -> None:
    tools = ["CC=arm-none-eabi-gcc", "AR=arm-none-eabi-ar", "CFLAGS=-Os -mcpu=cortex-m0 -mthumb"]
    run(["make", "-s", "library", *tools], folder)
    assert (folder / "libpump.a").stat().st_size > 0


@pytest.mark.needs("cmake", "ctest", "gcc")
def test_cmake_builds_and_tests_it(folder: Path) -> None:
    run(["cmake", "-S", ".", "-B", "build"], folder)
    run(["cmake", "--build", "build"], folder)
    assert "100% tests passed" in run(["ctest", "--test-dir", "build"], folder)


def replaced(file: Path, old: str, new: str) -> None:
    """Change a text in a file."""
    text = file.read_text()
    assert old in text, f"{old!r} is not in {file.name}"
    file.write_text(text.replace(old, new))


@pytest.mark.needs("make", "gcc")
@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("pump_params.c", "2.0f", "0x1.000002p+1f"),
        ("pump.c", "0x7fc00000", "0x7fc00001"),
        ("pump.c", " * 0.25f", " * 0x1.000002p-2f"),
        ("pump.c", "(value_1 == 4) ? 0", "(value_1 == 4) ? 1"),
    ],
    ids=["a parameter by a bit", "another NaN", "a constant by a bit", "a ring that stands"],
)
def test_a_wrong_bit_is_counted_and_fails(file: str, old: str, new: str, folder: Path) -> None:
    replaced(folder / file, old, new)
    done = attempt(["make", "-s", "test", "CC=gcc"], folder)
    found = re.search(rf"vectors: (\d+) of {RUNS} equal", done.stdout)
    assert found, done.stderr
    assert int(found[1]) < RUNS
    assert done.returncode != 0


@pytest.mark.needs("make", "gcc")
def test_the_example_gives_the_laws_answers(folder: Path) -> None:
    program, block = small()
    rows = np.zeros(9, layout_of(program).input.dtype)
    rows["x"] = [20.5, np.nan, -3.25, 1e-3, 0, 7, 8, 9, -0.0]
    rows["n"] = np.arange(27).reshape(9, 3) - 13
    _, right, _ = NumpyTarget().load(program, block).run(initial_state(program), rows)
    run(["make", "-s", "example", "CC=gcc"], folder)
    lines = ["x,n_0,n_1,n_2"]
    lines += [
        ",".join(["" if np.isnan(r["x"]) else repr(float(r["x"])), *map(str, r["n"].tolist())]) for r in rows
    ]
    head, *said = run(["./pump_example"], folder, "\n".join(lines) + "\n").splitlines()
    assert head == "scaled,mean,most,high"
    for k, line in enumerate(said):
        values = np.array(line.split(","), np.float64).astype(np.float32)
        assert bits(values) == bits([right[name][k] for name in ("scaled", "mean", "most", "high")])
    assert len(said) == len(rows)


@pytest.mark.needs("make", "gcc")
@pytest.mark.parametrize("line", ["1,2,3", "1,2,3,4,5", "1,2,three,4", "1;2;3;4", ""])
def test_the_example_says_which_line_it_cannot_read(line: str, folder: Path) -> None:
    run(["make", "-s", "example", "CC=gcc"], folder)
    done = attempt(["./pump_example"], folder, f"1,2,3,4\n{line}\n")
    assert done.returncode == 1
    assert "line 2: not 4 numbers" in done.stderr


def test_the_readme_says_what_a_device_needs(folder: Path) -> None:
    text = (folder / "README.txt").read_text()
    lay = layout_of(small()[0])
    assert f"state {lay.state.size}" in text
    assert f"{RUNS} golden vectors" in text
    assert "Cel" in text


def test_every_file_is_plain_text(folder: Path) -> None:
    for file in folder.iterdir():
        data = file.read_bytes()
        assert data.isascii(), file.name
        assert b"\r" not in data
        assert data.endswith(b"\n")
        assert max(map(len, data.decode().splitlines())) <= 130, file.name


def test_only_the_parameters_change_with_what_was_learned() -> None:
    program, block = small(2.0)
    _, other = small(3.0)
    first = files_of(program, block, make_vectors(program, block, seed=1, runs=2), "pump")
    second = files_of(program, other, make_vectors(program, other, seed=1, runs=2), "pump")
    changed = {name for name in first if first[name] != second[name]}
    assert changed == {"pump_params.c", "pump_test.c"}


def test_what_does_not_fit_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    program, block = small()
    for bad in (block[:-1], b"", block[: HEAD.size], detector(1)[1]):
        with pytest.raises(BadInput):
            emit(program, bad, small_vectors(RUNS), str(tmp_path / "made"), "pump")
    with pytest.raises(BadInput, match="not a name"):
        emit(program, block, small_vectors(RUNS), str(tmp_path / "made"), "../pump")
    assert not (tmp_path / "made").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "made").write_text("a file")
    with pytest.raises(BadInput, match="cannot be written"):
        emit(*small(), small_vectors(RUNS), str(tmp_path / "made"), "pump")
