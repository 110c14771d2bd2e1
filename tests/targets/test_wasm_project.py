"""The folder of WebAssembly tests itself in node, and says when a bit is wrong."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from bimetal.nouns.errors import BadInput
from bimetal.targets.vectors import make_vectors
from bimetal.targets.wasm_project import emit, files_of, write_vectors
from tests.targets.compiled import attempt, run
from tests.targets.given import detector, small, small_vectors

RUNS = 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The small program as a folder of WebAssembly."""
    emit(*small(), small_vectors(RUNS), str(tmp_path / "made"), "pump")
    return tmp_path / "made"


@pytest.mark.needs("make", "node")
def test_make_test_says_how_many_vectors_agree(folder: Path) -> None:
    assert f"vectors: {RUNS} of {RUNS} equal" in run(["make", "-s", "test"], folder)


@pytest.mark.needs("make", "node")
def test_a_detector_agrees_too(tmp_path: Path) -> None:
    program, block = detector(2)
    emit(program, block, make_vectors(program, block, seed=2, runs=12), str(tmp_path), "plant")
    assert "vectors: 12 of 12 equal" in run(["make", "-s", "test"], tmp_path)


@pytest.mark.needs("make", "node")
def test_another_parameter_is_another_answer(folder: Path) -> None:
    params = folder / "pump.params.bin"
    data = bytearray(params.read_bytes())
    data[0] ^= 1
    params.write_bytes(data)
    done = attempt(["make", "-s", "test"], folder)
    assert done.returncode != 0
    assert "differs: everyday 1" in done.stderr
    assert f"vectors: {RUNS} of" not in done.stdout


@pytest.mark.needs("make", "node")
@pytest.mark.parametrize("part", ["outputs", "state", "fired"])
def test_one_wrong_bit_in_a_vector_is_seen(part: str, folder: Path) -> None:
    plain = json.loads((folder / "vectors.json").read_text())
    data = bytearray(base64.b64decode(plain["runs"][2][part]))
    data[-4] ^= 1
    plain["runs"][2][part] = base64.b64encode(data).decode()
    (folder / "vectors.json").write_text(json.dumps(plain))
    done = attempt(["make", "-s", "test"], folder)
    assert done.returncode != 0
    assert f"vectors: {RUNS - 1} of {RUNS} equal" in done.stdout


def test_vectors_are_json_with_bytes_in_base64() -> None:
    vectors = small_vectors(RUNS)
    runs = json.loads(write_vectors(vectors))["runs"]
    assert [r["name"] for r in runs] == [v.name for v in vectors.runs]
    assert base64.b64decode(runs[0]["state"]) == vectors.runs[0].state


def test_only_parameters_and_vectors_change_with_what_was_learned() -> None:
    made = []
    for gain in (2.0, 3.0):
        program, block = small(gain)
        made.append(files_of(program, block, make_vectors(program, block, seed=1, runs=2), "pump"))
    assert {name for name in made[0] if made[0][name] != made[1][name]} == {"pump.params.bin", "vectors.json"}


@pytest.mark.parametrize("name", ["", "../pump", "a b", "1a", "x" * 32, "ä"])
def test_a_name_that_is_no_file_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not a name for files"):
        emit(*small(), small_vectors(RUNS), str(tmp_path / "made"), name)
    assert not (tmp_path / "made").exists()


def test_a_block_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        emit(small()[0], detector(1)[1], small_vectors(RUNS), str(tmp_path / "made"), "pump")
    assert not (tmp_path / "made").exists()
