"""The operator of the documentation is short, keeps its examples, and gives the same bits on every target."""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from bench.house import ROOT
from bimetal.program.block import pack
from bimetal.program.layout import initial_state
from bimetal.program.operator import Example, Operator, wire
from bimetal.program.verify import check
from bimetal.targets.numpy import NumpyTarget

PAGE = ROOT / "docs" / "how-to" / "add-an-operator.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def load(name: str, text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A block of the page, as the file a reader would make of it."""
    file = folder / f"{name}.py"
    file.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, made)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's operator."""
    return load("teager", BLOCKS[0], tmp_path, monkeypatch)


def code_lines(node: ast.AST) -> set[int]:
    """The lines on which something of a node stands, documentation apart."""
    said = {
        id(first.value)
        for part in ast.walk(node)
        if isinstance(part, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(part)
        for first in part.body[:1]
        if isinstance(first, ast.Expr)
    }
    return {
        line
        for part in ast.walk(node)
        if isinstance(part, ast.expr | ast.arg) and id(part) not in said
        for line in (part.lineno, part.end_lineno or part.lineno)
    }


def test_the_operator_of_the_page_is_a_class_of_under_20_lines() -> None:
    (kind,) = (n for n in ast.parse(BLOCKS[0]).body if isinstance(n, ast.ClassDef))
    assert 12 < len(code_lines(kind)) < 20


def test_the_operator_of_the_page_keeps_its_examples(module: ModuleType) -> None:
    kind: type[Operator] = module.Teager
    assert kind.examples()
    for example in kind.examples():
        assert_holds(example)


def assert_holds(example: Example) -> None:
    """Run an example on the law and compare."""
    program, values = wire(example.operator, example.signals)
    check(program)
    running = NumpyTarget().load(program, pack(program, values))
    rows = np.zeros(len(example.signals[0]), running.layouts.input.dtype)
    rows["x0"] = example.signals[0]
    _, outputs, _ = running.run(initial_state(program), rows)
    np.testing.assert_array_equal(outputs["y0"], np.asarray(example.gives[0], np.float32))


def test_a_wrong_answer_is_seen(module: ModuleType) -> None:
    example = module.Teager.examples()[0]
    wrong = Example(example.operator, example.signals, ([0, 0, 1, 2],))
    with pytest.raises(AssertionError):
        assert_holds(wrong)


def test_the_operator_of_the_page_runs_on_every_target(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = load("everywhere", BLOCKS[1], tmp_path, monkeypatch)
    there = {"c99": any(map(shutil.which, ("cc", "gcc", "clang"))), "node": shutil.which("node")}
    there |= {"numpy": True, "wasm": importlib.util.find_spec("wasmtime")}
    names = {name for name, found in there.items() if found}
    assert {a.target for a in made.found} == names
    assert all(a.equal == a.vectors == 32 for a in made.found)
    assert capsys.readouterr().out.count("32 of 32 runs are the same in every bit.") == len(names)
