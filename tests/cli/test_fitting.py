"""`bimetal build` for a processor or a board: a certificate, or a refusal with figures and a way out."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest

from bimetal.cli import fitting
from bimetal.cli.build import KINDS
from bimetal.cli.toolbox import LocalTools
from bimetal.targets.packaging.package import PACKAGES
from tests.cli.ground import call, trained

TIGHT = ("--board", "arduino-uno", "--ram", "1.2k")
"""Too little for two signals, enough for one."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("fitting"))


class Nothing(LocalTools):
    """A machine without compilers."""

    def find(self, name: str) -> str:
        return ""


@pytest.fixture
def without_compilers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "LocalTools", Nothing)


def build(model: Path, *options: object) -> dict[str, object]:
    ended = call("build", model, *options, "--json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


@pytest.mark.usefixtures("without_compilers")
def test_a_model_that_fits_is_written_with_a_certificate(model: Path, tmp_path: Path) -> None:
    options = ["--target", "cortex-m4", "--flash", "32KiB", "--ram", "8KiB", "--instructions", "500k"]
    said = build(model, *options, "-o", tmp_path / "c")
    record = json.loads((tmp_path / "c" / "certificate.json").read_text())
    assert record == said["certificate"]
    assert record["fits"]
    assert record["takes"]["flash"]["limit"] == 32768
    assert record["takes"]["ram"]["limit"] == 8192
    assert record["takes"]["instructions"]["limit"] == 500_000
    assert {row["how"] for row in record["takes"].values()} == {"estimated"}
    assert any("arm-none-eabi-gcc" in note for note in record["notes"])
    readme = (tmp_path / "c" / "README.txt").read_text()
    assert "Fits cortex-m4: flash " in readme
    assert "See certificate.json" in " ".join(readme.split())


@pytest.mark.usefixtures("without_compilers")
def test_every_file_is_in_the_certificate(model: Path, tmp_path: Path) -> None:
    build(model, "--board", "pico", "--package", "zephyr", "-o", tmp_path / "z")
    record = json.loads((tmp_path / "z" / "certificate.json").read_text())
    assert (record["board"], record["processor"]) == ("pico", "cortex-m0plus")
    there = {str(f.relative_to(tmp_path / "z")): f for f in (tmp_path / "z").rglob("*") if f.is_file()}
    assert set(record["files"]) == set(there) - {"certificate.json"}
    for name, digest in record["files"].items():
        assert hashlib.sha256(there[name].read_bytes()).hexdigest() == digest


@pytest.mark.needs("arm-none-eabi-gcc")
def test_where_a_compiler_is_it_measures(model: Path, tmp_path: Path) -> None:
    said = build(model, "--target", "cortex-m0plus", "-o", tmp_path / "c")["certificate"]
    assert said["takes"]["flash"]["how"] == said["takes"]["stack"]["how"] == "measured"
    assert said["takes"]["flash"]["error"] == 0
    assert re.fullmatch(r"arm-none-eabi-gcc \d+(\.\d+)+", said["compiler"])


@pytest.mark.usefixtures("without_compilers")
def test_without_a_place_to_run_there_is_no_certificate_and_an_old_one_goes(
    model: Path, tmp_path: Path
) -> None:
    build(model, "--board", "pico", "-o", tmp_path / "c")
    assert (tmp_path / "c" / "certificate.json").exists()
    assert build(model, "-o", tmp_path / "c")["certificate"] is None
    assert not (tmp_path / "c" / "certificate.json").exists()


@pytest.mark.usefixtures("without_compilers")
@pytest.mark.parametrize("size", ["--flash", "--ram", "--instructions"])
def test_a_model_that_does_not_fit_is_not_written(size: str, model: Path, tmp_path: Path) -> None:
    ended = call("build", model, "--target", "cortex-m4", size, "100", "-o", tmp_path / "c")
    said = ended.sentence(3)
    assert f"{size[2:]} takes" in said
    assert "of 100" in said
    assert "too many" in ended.out
    assert not (tmp_path / "c").exists()


@pytest.mark.usefixtures("without_compilers")
def test_what_would_fit_is_said_with_figures(model: Path, tmp_path: Path) -> None:
    ended = call("build", model, *TIGHT, "-o", tmp_path / "c", "--json")
    said = ended.sentence(3)
    fewer, board = json.loads(ended.out)["alternatives"]
    assert fewer["what"].startswith("1 of its 2 signals")
    assert fewer["how"] in said
    assert fewer["fit"]["takes"]["ram"]["used"] < 1200
    assert re.search(r"the board \S+ \(\w+\) \(flash [\d,]+, ram [\d,]+", said)
    assert board["fit"]["fits"]


@pytest.mark.usefixtures("without_compilers")
def test_what_is_said_to_fit_does(model: Path, tmp_path: Path) -> None:
    """The way out that is named is gone: train on fewer signals, and build."""
    ended = call("build", model, *TIGHT, "-o", tmp_path / "c")
    signals = re.search(r"--signals ('[^']*'|\S+?)[;.]", ended.sentence(3))
    assert signals
    data = model.with_suffix(".csv")
    asked = signals[1].strip("'")
    assert call("train", data, "--signals", asked, "-o", tmp_path / "less.bm").code == 0
    assert call("build", tmp_path / "less.bm", *TIGHT, "-o", tmp_path / "c").code == 0


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--target", "cortex-m5"], 4, "Did you mean cortex-m"),
        (["--target", "z80"], 4, "Targets: c99, wasm, onnx, litert, cortex-m0plus"),
        (["--target", ""], 4, "Targets: c99"),
        (["--board", "nucleo-l432"], 4, "Did you mean nucleo-l432kc"),
        (["--board", "\x1b[2J"], 4, "Boards: "),
        (["--board", "pico", "--target", "cortex-m4"], 1, "Leave --target out"),
        (["--board", "pico", "--target", "wasm"], 1, "Leave --target out"),
        (["--flash", "32KiB"], 1, "needs a processor"),
        (["--target", "wasm", "--ram", "8k"], 1, "needs a processor"),
        (["--target", "wasm", "--package", "zephyr"], 1, "holds C"),
        (["--target", "cortex-m4", "--flash", "0"], 1, "more than 0"),
        (["--target", "cortex-m4", "--flash", "-8k"], 1, "more than 0"),
        (["--target", "cortex-m4", "--ram", "8K"], 1, "KiB is 1024"),
        (["--target", "cortex-m4", "--ram", "much"], 1, "not a size"),
        (["--target", "cortex-m4", "--ram", "9999G"], 1, "more than any microcontroller has"),
        (["--target", "cortex-m4", "--instructions", "1KiB"], 1, "not a unit"),
        (["--target", "esp8266", "--instructions", "1M"], 1, "nobody counted instructions"),
        (["--package", "conan"], 2, "arduino"),
    ],
)
@pytest.mark.usefixtures("without_compilers")
def test_what_cannot_be_is_refused(
    options: list[str], code: int, words: str, model: Path, tmp_path: Path
) -> None:
    ended = call("build", model, *options, "-o", tmp_path / "c")
    assert ended.code == code, ended
    assert words in ended.err
    assert "\x1b" not in ended.err
    assert not (tmp_path / "c").exists()


def test_the_forms_that_can_be_asked_for_are_those_there_are() -> None:
    assert tuple(PACKAGES) == KINDS


@pytest.mark.parametrize("kind", PACKAGES)
@pytest.mark.usefixtures("without_compilers")
def test_every_package_can_be_asked_for_and_written_again(kind: str, model: Path, tmp_path: Path) -> None:
    for _ in range(2):
        said = build(model, "--package", kind, "-o", tmp_path / "p")
        assert set(said["files"]) == {
            str(f.relative_to(tmp_path / "p")) for f in (tmp_path / "p").rglob("*") if f.is_file()
        }
    other = next(k for k in PACKAGES if k != kind)
    assert "other files" in call("build", model, "--package", other, "-o", tmp_path / "p").sentence(1)


@pytest.mark.needs("cc", "make")
def test_it_takes_seconds_and_says_so_and_the_next_step_works(model: Path, tmp_path: Path) -> None:
    ended = call("build", model, "--target", "cortex-m4", "-o", tmp_path / "a b")
    took = re.search(r", in (\d+\.\d) s$", ended.out, re.MULTILINE)
    assert took
    assert float(took[1]) < 10
    step = re.search(r"^Next: (.*)$", ended.out, re.MULTILINE)
    assert step
    done = subprocess.run(["sh", "-c", step[1]], capture_output=True, text=True, check=False)
    assert "32 of 32 equal" in done.stdout, done.stderr
