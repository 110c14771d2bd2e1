"""`bimetal build` of a model with forests: the form that suits what there is, tried against its proof."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bimetal.bundle.seal import write
from bimetal.cli import fitting
from bimetal.cli.home import keys
from bimetal.cli.opening import open_model
from bimetal.program import letter
from bimetal.program.block import pack
from bimetal.program.digest import digest
from bimetal.program.operators.forest import Forest
from bimetal.program.operators.octets import Octets
from bimetal.program.program import Draft
from bimetal.program.tree import Tree
from bimetal.program.verify import check
from bimetal.targets.lower import lower
from bimetal.targets.vectors import make_vectors
from bimetal.targets.wasm import write_wasm
from tests.cli.ground import call, trained
from tests.cli.test_fitting import Nothing

TREES = 40


def complete(rng: np.random.Generator, depth: int) -> Tree:
    """A tree that ends early here and there."""
    if depth == 0 or rng.random() < 0.1:
        return int(rng.integers(3))
    return (int(rng.integers(2)), int(rng.integers(256)), complete(rng, depth - 1), complete(rng, depth - 1))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model like the quiet machine's, but with a forest over the same two signals."""
    folder = tmp_path_factory.mktemp("planting")
    bundle = open_model(trained(folder)).bundle
    rng = np.random.default_rng(1)
    draft = Draft("forest")
    x = letter.stack([draft.input(i.name) for i in bundle.program.inputs])
    octets = Octets((0.0, 0.0), (40.0, 10.0)).trace(draft, x)
    trees = tuple(complete(rng, 7) for _ in range(TREES))
    draft.output("votes", Forest(trees, outputs=3).trace(draft, octets))
    program = draft.finish()
    block = pack(program, draft.values)
    wasm = write_wasm(lower(program, check(program).ranges)).code
    vectors = make_vectors(program, block, seed=0).encode()
    made = replace(bundle, program=program, blocks={"": block}, vectors=vectors, wasm=wasm)
    write(folder / "forest.bm", made, keys().signing_key())
    return folder / "forest.bm"


def built(model: Path, output: Path, *limits: str) -> dict[str, object]:
    ended = call("build", model, "--target", "cortex-m4", *limits, "-o", output, "--json")
    assert ended.code == 0, ended.err
    return json.loads((output / "certificate.json").read_text())


def form_of(record: dict[str, object]) -> str:
    (note,) = [n for n in record["notes"] if "trees lie" in n]  # type: ignore[attr-defined, union-attr]
    return str(note).split("form ")[1].split(",")[0]


@pytest.fixture
def without_compilers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "LocalTools", Nothing)


@pytest.mark.usefixtures("without_compilers")
def test_much_flash_makes_it_fast_and_a_limit_of_time_small(model: Path, tmp_path: Path) -> None:
    fast = built(model, tmp_path / "fast", "--flash", "256KiB")
    small = built(model, tmp_path / "small", "--instructions", "100k")
    assert form_of(fast).startswith("crown-")
    assert form_of(small) == "short"
    taken = [{k: r["used"] for k, r in record["takes"].items()} for record in (fast, small)]  # type: ignore[attr-defined]
    assert taken[0]["instructions"] < taken[1]["instructions"]
    assert taken[0]["flash"] > taken[1]["flash"]
    tight = built(model, tmp_path / "tight", "--flash", str(taken[1]["flash"] + 800))
    assert form_of(tight) == "short"
    assert small["made_of"] == digest(open_model(model).bundle.program).hex() != small["program"]


@pytest.mark.needs("make")
@pytest.mark.needs("cc")
@pytest.mark.usefixtures("without_compilers")
def test_the_folder_passes_the_golden_vectors_of_the_model(model: Path, tmp_path: Path) -> None:
    for k, limits in enumerate((("--flash", "256KiB"), ("--instructions", "100k"))):
        built(model, tmp_path / str(k), *limits)
        done = subprocess.run(
            ["make", "-C", str(tmp_path / str(k)), "test"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "equal" in done.stdout


@pytest.mark.needs("arm-none-eabi-gcc")
def test_a_compiler_weighs_what_is_written(model: Path, tmp_path: Path) -> None:
    record = built(model, tmp_path / "c", "--flash", "256KiB")
    assert record["takes"]["flash"]["how"] == "measured"  # type: ignore[index]
    assert form_of(record).startswith("crown-")


@pytest.mark.usefixtures("without_compilers")
def test_what_fits_in_no_form_is_refused_with_the_smallest(model: Path, tmp_path: Path) -> None:
    ended = call("build", model, "--target", "cortex-m4", "--flash", "2KiB", "-o", tmp_path / "c")
    assert ended.code == 3
    assert "flash" in ended.err
    assert not (tmp_path / "c").exists()


@pytest.mark.usefixtures("without_compilers")
def test_without_limits_it_is_left_as_it_came(model: Path, tmp_path: Path) -> None:
    record = built(model, tmp_path / "c")
    assert "made_of" not in record
    assert not [n for n in record["notes"] if "trees lie" in n]  # type: ignore[attr-defined]


@pytest.mark.usefixtures("without_compilers")
def test_the_table_of_boards_judges_what_would_be_written(model: Path, tmp_path: Path) -> None:
    records = {r["board"]: r for r in json.loads(call("boards", model, "--json").out)}
    for board in ("nucleo-l031k6", "nucleo-l432kc", "esp32-devkit"):
        output = tmp_path / board
        assert call("build", model, "--board", board, "-o", output).code == 0
        written = json.loads((output / "certificate.json").read_text())
        assert records[board]["takes"] == written["takes"]
        assert form_of(records[board]) == form_of(written)
    assert form_of(records["pico"]).startswith("crown-")
