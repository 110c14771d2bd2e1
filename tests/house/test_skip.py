"""A test that does not run says why, in words."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from bench.house import ROOT, python_files

FEWEST_WORDS = 3


def unexplained(file: Path) -> list[str]:
    """Every skip or expected failure of a file that gives no reason of at least three words."""
    found: list[str] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        asked = node.func if isinstance(node, ast.Call) else node
        name = ast.unparse(asked) if isinstance(asked, ast.Attribute) else ""
        if name not in {
            "pytest.skip",
            "pytest.mark.skip",
            "pytest.mark.skipif",
            "pytest.mark.xfail",
            "pytest.xfail",
        }:
            continue
        if isinstance(node, ast.Call) and not _says_why(node, name):
            found.append(f"{file.name}:{node.lineno} {name}")
    return found


def _says_why(call: ast.Call, name: str) -> bool:
    reasons = [k.value for k in call.keywords if k.arg == "reason"]
    if name in {"pytest.skip", "pytest.xfail"}:
        reasons += call.args[:1]
    if not reasons:
        return False
    said = reasons[0]
    if isinstance(said, ast.Constant):
        return len(str(said.value).split()) >= FEWEST_WORDS
    return True


def test_every_skip_says_why() -> None:
    found = [fault for file in python_files(ROOT / "tests") for fault in unexplained(file)]
    assert not found


@pytest.mark.parametrize(
    "text", ["pytest.skip('no')", "pytest.mark.skipif(True)", "pytest.mark.xfail(strict=True)"]
)
def test_a_skip_without_a_word_is_seen(text: str, tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(text, encoding="utf-8")
    assert len(unexplained(file)) == 1
