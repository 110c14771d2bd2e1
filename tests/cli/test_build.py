"""`bimetal build`: a folder that tests itself, made whole, in nobody else's place."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bimetal.targets.project import write_folder
from tests.cli.ground import call, little_room, rows, table


def make_test(folder: Path) -> str:
    """What `make test` of a folder says at its end."""
    command = ["make", "-C", str(folder), "test"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return next(line for line in reversed(done.stdout.splitlines()) if "vectors" in line)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two devices with parameters of their own."""
    folder = tmp_path_factory.mktemp("pair")
    lines = [f"{r.split(',')[0]},pump-{k},{r.split(',', 1)[1]}" for k in (1, 2) for r in rows(seed=k)]
    (folder / "pair.csv").write_text(table(lines, "time,machine,temperature,flow"), encoding="utf-8")
    assert call("train", folder / "pair.csv", "-o", folder / "pair.bm").code == 0
    return folder / "pair.bm"


@pytest.mark.needs("make", "gcc")
@pytest.mark.parametrize("device", ["", "pump-2"])
def test_a_folder_of_c_passes_its_own_test(device: str, pair: Path, tmp_path: Path) -> None:
    output = tmp_path / "new" / "in c"
    ended = call("build", pair, "-o", output, *(["--device", device] if device else []))
    assert (ended.code, ended.err) == (0, "")
    words = shlex.split(ended.out.splitlines()[-1])
    assert words[0] == "Next:"
    assert {"make", str(output), "test"} <= set(words)
    assert make_test(output) == "vectors: 32 of 32 equal"


@pytest.mark.needs("make", "node")
def test_a_folder_of_wasm_passes_its_own_test(pair: Path, tmp_path: Path) -> None:
    ended = call("build", pair, "--target", "wasm", "-o", tmp_path / "w", "--json")
    assert (ended.code, ended.err) == (0, "")
    assert set(json.loads(ended.out)["files"]) == {p.name for p in (tmp_path / "w").iterdir()}
    assert make_test(tmp_path / "w") == "vectors: 32 of 32 equal"


@pytest.mark.parametrize(("target", "runtime"), [("onnx", "onnxruntime"), ("litert", "ai_edge_litert")])
def test_a_folder_for_others_passes_its_own_test(
    target: str, runtime: str, pair: Path, tmp_path: Path
) -> None:
    for module in (target.replace("litert", "ai_edge_litert"), runtime):
        pytest.importorskip(module, reason=f"the package {module} is not installed here")
    ended = call("build", pair, "--target", target, "-o", tmp_path / "o", "--json")
    assert (ended.code, ended.err) == (0, "")
    assert set(json.loads(ended.out)["files"]) == {p.name for p in (tmp_path / "o").iterdir()}
    done = subprocess.run(
        [sys.executable, "test.py"], cwd=tmp_path / "o", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 10
    again = call("build", pair, "--target", target, "-o", tmp_path / "o")
    assert again.code == 0
    assert call("build", pair, "-o", tmp_path / "o").code != 0


def test_a_device_has_its_own_parameters_and_an_unknown_one_is_not_found(pair: Path, tmp_path: Path) -> None:
    for device in ("", "pump-1", "pump-2"):
        options = ["--device", device] if device else []
        assert call("build", pair, "-o", tmp_path / f"c{device}", *options).code == 0
    params = {(tmp_path / f"c{d}" / "pair_params.c").read_text() for d in ("", "pump-1", "pump-2")}
    code = {(tmp_path / f"c{d}" / "pair.c").read_text() for d in ("", "pump-1", "pump-2")}
    assert (len(params), len(code)) == (3, 1)
    sentence = call("build", pair, "-o", tmp_path / "x", "--device", "pump-3").sentence(4)
    assert sentence == f"{pair}: the model knows no device 'pump-3'. Did you mean pump-2 or pump-1?"
    assert not (tmp_path / "x").exists()


def test_files_of_somebody_else_are_left_as_they_are(quiet: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "Makefile").write_text("all: # years of work")
    (tmp_path / "file").touch()
    model = quiet / "quiet.bm"
    for output, says in (
        (theirs, "there are other files in this folder, and they are left as they are. Name a new folder"),
        (tmp_path / "file", "this is a file, not a folder. Name a folder"),
        (tmp_path / "file" / "c", "this folder may not be written to"),
    ):
        assert says in call("build", model, "-o", output).sentence(1)
    assert [(p.name, p.read_text()) for p in theirs.iterdir()] == [("Makefile", "all: # years of work")]


def test_a_folder_of_an_earlier_build_is_written_anew_but_not_by_another_kind(
    quiet: Path, tmp_path: Path
) -> None:
    model = quiet / "quiet.bm"
    (tmp_path / "c").mkdir()
    for _ in "ab":
        assert call("build", model, "-o", tmp_path / "c").code == 0
    (tmp_path / "other.bm").write_bytes(model.read_bytes())
    for other in ([model, "--target", "wasm"], [tmp_path / "other.bm"]):
        assert "there are other files in this folder" in call("build", *other, "-o", tmp_path / "c").sentence(
            1
        )


@pytest.mark.parametrize(
    "name", ["main", "test_main", "vectors", "int", "9 lives", "Füße", "x" * 80, "a__b", "-", "package"]
)
@pytest.mark.parametrize("target", ["c99", "wasm"])
def test_any_name_of_a_model_file_makes_a_folder(name: str, target: str, quiet: Path, tmp_path: Path) -> None:
    model = tmp_path / f"{name}.bm"
    model.write_bytes((quiet / "quiet.bm").read_bytes())
    ended = call("build", "--target", target, "-o", tmp_path / "out", "--json", "--", model)
    assert (ended.code, ended.err) == (0, "")
    files = json.loads(ended.out)["files"]
    assert sorted(set(files)) == sorted(files) == sorted(p.name for p in (tmp_path / "out").iterdir())
    source = next(f for f in files if f.endswith("_params.c" if target == "c99" else ".wasm"))
    assert source.isascii()
    assert (tmp_path / "out" / "Makefile").read_text().count("\n") > 3


@pytest.mark.needs("make", "gcc")
@pytest.mark.parametrize("name", ["main", "int"])
def test_a_name_that_c_has_taken_still_compiles(name: str, quiet: Path, tmp_path: Path) -> None:
    (tmp_path / f"{name}.bm").write_bytes((quiet / "quiet.bm").read_bytes())
    assert call("build", tmp_path / f"{name}.bm", "-o", tmp_path / "out").code == 0
    assert make_test(tmp_path / "out") == "vectors: 32 of 32 equal"


def test_a_full_disk_leaves_no_folder(quiet: Path, tmp_path: Path) -> None:
    with little_room(20_000):
        ended = call("build", quiet / "quiet.bm", "-o", tmp_path / "c")
    assert "the folder cannot be written (File too large)" in ended.sentence(1)
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_no_folder(
    quiet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = iter(range(5))
    real = os.replace

    def replace(*names: str) -> None:
        if next(count, None) is None:
            raise KeyboardInterrupt
        real(*names)

    (tmp_path / "c").mkdir()
    write_folder({"README.txt": b"quiet: , as C99"}, str(tmp_path / "c"))
    monkeypatch.setattr("bimetal.targets.project.os.replace", replace)
    ended = call("build", quiet / "quiet.bm", "-o", tmp_path / "c")
    assert (ended.code, ended.err.strip()) == (130, "Interrupted.")
    assert not [p for p in (tmp_path / "c").iterdir() if p.suffix == ".new"]


def test_the_default_detector_has_no_integer_form_and_says_where_to_read_why(
    quiet: Path, tmp_path: Path
) -> None:
    ended = call("build", quiet / "quiet.bm", "--profile", "integer", "-o", tmp_path / "c")
    said = ended.sentence(3)
    assert (
        "of the profile f32, not integer. What bimetal train makes has no integer form (decision 0024)"
        in said
    )
    assert not (tmp_path / "c").exists()
    assert call("build", quiet / "quiet.bm", "--profile", "f32", "-o", tmp_path / "c").code == 0


@pytest.mark.parametrize("target", ["c98", "", "rust"])
def test_an_unknown_target_is_said(target: str, quiet: Path, tmp_path: Path) -> None:
    ended = call("build", quiet / "quiet.bm", "--target", target, "-o", tmp_path / "c")
    assert ended.code in (1, 2, 4)
    assert "c99" in ended.err
    assert "Traceback" not in ended.err
    assert not (tmp_path / "c").exists()
