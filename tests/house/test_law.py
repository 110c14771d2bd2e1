"""Below the spine the clock and randomness are arguments; nowhere is data run as code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.house import PACKAGE, ROOT, python_files

DOORS = {"cli", "api", "spine.py"}
CLOCKS = {
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "datetime.now",
}
CLOCKS |= {"time.sleep", "time.process_time", "datetime.datetime.now", "datetime.utcnow", "date.today"}
CHANCE = {"os.urandom", "uuid.uuid4", "uuid.uuid1", "random.random", "random.Random", "np.random.seed"}
CODE = {"eval", "exec", "compile", "__import__", "pickle.loads", "pickle.load", "marshal.loads", "os.system"}
STORES = {"pickle", "marshal", "shelve", "dill", "joblib"}


def calls(tree: ast.AST) -> Iterator[tuple[int, str, int]]:
    """Line, dotted name and number of arguments of every call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func), len(node.args) + len(node.keywords)


def unlawful(file: Path, *, below_spine: bool) -> list[str]:
    """What a file does that it may not."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    barred = CODE | (CLOCKS | CHANCE if below_spine else set())
    found = [f"{line} {name}" for line, name, _ in calls(tree) if name in barred]
    found += [
        f"{line} {name} without a seed"
        for line, name, n in calls(tree)
        if name.endswith("default_rng") and not n
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            found += [f"{node.lineno} {m}" for m in {module, *(a.name for a in node.names)} & STORES]
        elif isinstance(node, ast.Global):
            found.append(f"{node.lineno} global {', '.join(node.names)}")
    return found


def test_nobody_takes_what_should_be_handed_in() -> None:
    found = {
        str(file.relative_to(ROOT)): bad
        for file in python_files(PACKAGE)
        if (bad := unlawful(file, below_spine=file.relative_to(PACKAGE).parts[0] not in DOORS))
    }
    assert not found, f"take it as an argument: {found}"


@pytest.mark.parametrize(
    "text",
    ["import time\ntime.time()", "eval('1')", "import pickle", "import numpy as np\nnp.random.default_rng()",
     "def f():\n    global a\n    a = 1", "from datetime import datetime\ndatetime.now()"],
)  # fmt: skip
def test_an_unlawful_act_is_seen(text: str, tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(text, encoding="utf-8")
    assert len(unlawful(file, below_spine=True)) == 1
