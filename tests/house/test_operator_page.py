"""The operator that the documentation writes is one: it keeps its examples and passes the verifier."""

from __future__ import annotations

import importlib.util
import re
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


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's Python, as the file a reader would make of it."""
    block = re.search(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert block
    file = tmp_path / "teager.py"
    file.write_text(block[1], encoding="utf-8")
    spec = importlib.util.spec_from_file_location("teager", file)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "teager", made)
    spec.loader.exec_module(made)
    return made


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
