"""Native: compiled once, tried against the law, kept where nobody else can write; never needed."""

from __future__ import annotations

import importlib.util
import platform
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bimetal.cli.shelf import LocalShelf
from bimetal.cli.toolbox import LocalTools
from bimetal.learn.detector import Design, detector_program
from bimetal.nouns.errors import BadInput, Broken, Unsupported
from bimetal.program import letter, word
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.operators.isolation_forest import IsolationForest
from bimetal.program.program import Draft, Program
from bimetal.targets import native_build
from bimetal.targets.native import NativeTarget
from bimetal.targets.native_build import compiler_of
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.present import every_target, fastest
from bimetal.targets.toolbox import Done
from bimetal.targets.wasm_run import WasmTarget
from tests.agree.odd_program import many_bytes
from tests.agree.random_program import random_rows

compiled = pytest.mark.needs("cc")


class Counting(LocalTools):
    """The tools of this machine; `ran` is what they were asked to run."""

    def __init__(self) -> None:
        self.ran: list[Sequence[str]] = []

    def run(self, command: Sequence[str], given: bytes, folder: str) -> Done:
        """Run it, and remember."""
        self.ran.append(command)
        return super().run(command, given, folder)

    @property
    def compiled(self) -> int:
        """How often something was compiled."""
        return sum("-E" not in command for command in self.ran)


def program_of(weight: float = 0.5) -> tuple[Program, bytes]:
    draft = Draft("mean of squares")
    x = draft.input("x", shape=(5,))
    learned = draft.param("weight", weight, low=0, high=1)
    held = draft.state("held", np.zeros(5))
    draft.set(held, word.clip(letter.add(held, letter.mul(x, learned)), -1e6, 1e6))
    draft.output("y", letter.sqrt(word.total(letter.mul(held, held))))
    program = draft.finish()
    return program, pack(program, draft.values)


def readings(program: Program, devices: int, n: int) -> np.ndarray:
    rows = np.zeros((devices, n), layout_of(program).input.dtype)
    rng = np.random.default_rng(devices)
    for place in program.inputs:
        values = rng.normal(size=(devices, n, *place.shape))
        rows[place.name] = np.where(rng.random(values.shape) < 0.1, np.nan, values)
    return rows


def same(program: Program, block: bytes, target: NativeTarget, devices: int, n: int) -> bool:
    rows = readings(program, devices, n)
    states = np.frombuffer(initial_state(program) * devices, np.uint8).reshape(devices, -1)
    law, ours = (t.load(program, block).run_devices(states, rows) for t in (NumpyTarget(), target))
    return all(a.tobytes() == b.tobytes() for a, b in zip(law, ours, strict=True))


@compiled
@pytest.mark.parametrize("devices", [1, 2, 16, 19, 100])
def test_any_number_of_devices_gets_the_laws_bits(devices: int, tmp_path: Path) -> None:
    assert same(*program_of(), NativeTarget(LocalTools(), LocalShelf(tmp_path / "n")), devices, 9)


@compiled
@pytest.mark.slow
@pytest.mark.parametrize("signals", [1, 5, 38])
def test_the_detector_gives_the_laws_bits(signals: int, tmp_path: Path) -> None:
    program, draft = detector_program(Design(signals), [f"x{k}" for k in range(signals)])
    target = NativeTarget(LocalTools(), LocalShelf(tmp_path / "n"))
    assert same(program, pack(program, draft.values), target, 35, 60)


@compiled
def test_a_program_is_compiled_once_whatever_its_parameters(tmp_path: Path) -> None:
    tools, shelf = Counting(), LocalShelf(tmp_path / "n")
    for weight in (0.5, 0.25):
        assert same(*program_of(weight), NativeTarget(tools, shelf), 17, 3)
    assert tools.compiled == 1
    kept = list((tmp_path / "n").iterdir())
    assert len(kept) == 1
    assert kept[0].stat().st_mode & 0o777 == 0o700


@compiled
def test_other_options_are_another_library(tmp_path: Path) -> None:
    tools, shelf = Counting(), LocalShelf(tmp_path / "n")
    for flags in (native_build.FLAGS, (*native_build.FLAGS, "-O1")):
        assert same(*program_of(), NativeTarget(tools, shelf, flags=flags), 4, 3)
    assert tools.compiled == 2


class Fusing(LocalTools):
    """Tools that lose the line which forbids a compiler to round a product and a sum only once."""

    def write(self, path: str, data: bytes) -> None:
        """Write all but that line."""
        lines = data.split(b"\n")
        super().write(path, b"\n".join(line for line in lines if b"contract" not in line.lower()))


@compiled
def test_a_compiler_that_changes_bits_is_caught_and_nothing_is_kept(tmp_path: Path) -> None:
    compiler = compiler_of(LocalTools())
    assert compiler is not None
    asked = [*compiler.command, *compiler.machine, "-dM", "-E", "-x", "c", "-"]
    macros = LocalTools().run(asked, b"", str(tmp_path)).output
    if b"__FMA__" not in macros and b"__aarch64__" not in macros:
        pytest.skip("this processor cannot round a product and a sum at once")
    program, block = program_of()
    fused = ("-std=gnu11", "-O2", "-ffp-contract=fast")
    target = NativeTarget(Fusing(), LocalShelf(tmp_path / "n"), flags=fused)
    with pytest.raises(Broken, match="other bits than the law"):
        target.load(program, block)
    assert not list((tmp_path / "n").iterdir())


@compiled
def test_calls_of_several_threads_do_not_meet(tmp_path: Path) -> None:
    program, block = program_of()
    running = NativeTarget(LocalTools(), LocalShelf(tmp_path / "n")).load(program, block)
    rows = readings(program, 64, 40)
    states = np.frombuffer(initial_state(program) * 64, np.uint8).reshape(64, -1)
    right = running.run_devices(states, rows)[1].tobytes()
    wrong: list[int] = []

    def often() -> None:
        wrong.extend(k for k in range(30) if running.run_devices(states, rows)[1].tobytes() != right)

    threads = [threading.Thread(target=often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@compiled
@pytest.mark.skipif(platform.machine() != "x86_64", reason="only there vectors have several widths")
@pytest.mark.parametrize("width", ["-march=x86-64", "-march=x86-64-v3"])
def test_structs_are_turned_round_in_vectors_of_any_width(width: str, tmp_path: Path) -> None:
    program = many_bytes().finish()
    flags = (*native_build.FLAGS, width)
    target = NativeTarget(LocalTools(), LocalShelf(tmp_path / "n"), flags=flags)
    rows = random_rows(program, 1, 19 * 3, nasty=True).reshape(19, 3)
    states = np.frombuffer(initial_state(program) * 19, np.uint8).reshape(19, -1)
    for other in (NumpyTarget(), WasmTarget()):
        law, ours = (t.load(program, pack(program, {})).run_devices(states, rows) for t in (other, target))
        assert all(a.tobytes() == b.tobytes() for a, b in zip(law, ours, strict=True))
    assert same(*program_of(), target, 19, 3)


@compiled
def test_shapes_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    program, block = program_of()
    running = NativeTarget(LocalTools(), LocalShelf(tmp_path / "n")).load(program, block)
    with pytest.raises(BadInput, match="do not fit"):
        running.run(b"", readings(program, 1, 3)[0])
    with pytest.raises(BadInput, match="do not fit"):
        running.run(initial_state(program), readings(program, 2, 3))


def test_without_a_compiler_it_says_what_would_help(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(LocalTools, "find", lambda self, name: "")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    target = NativeTarget(LocalTools(), LocalShelf(tmp_path))
    assert "pip install bimetal[build]" in target.present()
    with pytest.raises(Unsupported, match="no C compiler"):
        target.load(*program_of())


def test_without_tools_nothing_is_compiled_and_wasm_is_the_fastest() -> None:
    assert fastest().name == "wasm"
    assert "not allowed" in NativeTarget().present()
    assert [t.name for t in every_target()][:3] == ["numpy", "wasm", "native"]


@compiled
def test_where_it_is_allowed_it_is_the_fastest(tmp_path: Path) -> None:
    assert fastest(LocalTools(), LocalShelf(tmp_path)).name == "native"


@pytest.mark.skipif(
    importlib.util.find_spec("ziglang") is None, reason="the package ziglang is not installed"
)
@pytest.mark.slow
def test_the_compiler_of_a_package_does_as_well(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(LocalTools, "find", lambda self, name: "")
    found = compiler_of(LocalTools())
    assert found is not None
    assert found.command[1] == "cc"
    assert same(*program_of(), NativeTarget(LocalTools(), LocalShelf(tmp_path / "n")), 35, 9)


@compiled
def test_a_broken_compiler_is_reported_in_words(tmp_path: Path) -> None:
    program, block = program_of()
    target = NativeTarget(LocalTools(), LocalShelf(tmp_path / "n"), flags=("-fno-such-option-at-all",))
    with pytest.raises(Unsupported, match="does not answer"):
        target.load(program, block)


@compiled
def test_what_is_no_library_is_not_loaded(tmp_path: Path) -> None:
    program, block = program_of()
    shelf = LocalShelf(tmp_path / "n")
    NativeTarget(LocalTools(), shelf).load(program, block)
    (kept,) = (tmp_path / "n").iterdir()
    kept.unlink()
    kept.write_bytes(b"no library")
    with pytest.raises(Unsupported, match="cannot be loaded"):
        NativeTarget(LocalTools(), shelf).load(program, block)


@compiled
@pytest.mark.parametrize("devices", [1, 37])
def test_a_forest_has_a_kernel_for_one_device_and_the_same_bits(devices: int, tmp_path: Path) -> None:
    """The tables of both forms are not the same ones; each reads its own."""
    draft = Draft("forest")
    trees = ((0, 0.5, (1, -0.5, 0, 1), 2), (2, 0.0, 0, (1, 0.25, 1, 2)), (4, 1.0, 2, 0))
    x = draft.input("x", shape=(5,))
    made = IsolationForest(trees, tuple(np.linspace(1, 3, 9)), (0, 3, 6), usual=2.0)
    draft.output("y", made.trace(draft, x))
    primes = letter.const([2.5, 3.5, 5.5, 7.5], "f32")
    k = letter.cast(word.clip(letter.gather(x, letter.const(0, "i32")), 0.0, 3.0), "i32")
    draft.output("prime", letter.gather(primes, k))
    program = draft.finish()
    target = NativeTarget(LocalTools(), LocalShelf(tmp_path / "n"))
    assert same(program, pack(program, draft.values), target, devices, 9)
