"""Every public name says what it is in a sentence a user could read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.house import PACKAGE, ROOT, python_files

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public(tree: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    """Public classes and functions, and the public methods of public classes."""
    for node in tree.body:
        if not isinstance(node, Definition) or node.name.startswith("_"):
            continue
        if any(_repeats(mark) for mark in node.decorator_list):
            continue
        yield node
        if isinstance(node, ast.ClassDef):
            yield from public(node)


def _repeats(mark: ast.expr) -> bool:
    return (isinstance(mark, ast.Attribute) and mark.attr in {"setter", "deleter"}) or (
        isinstance(mark, ast.Name) and mark.id in {"overload", "override"}
    )


def fault(node: Definition) -> str:
    """What is wrong with a definition's docstring; empty when nothing is."""
    said = ast.get_docstring(node)
    if not said:
        return "says nothing"
    first = said.split("\n\n", 1)[0].replace("\n", " ")
    return "" if first.endswith((".", "!", "?", ":")) else "its first line is not a sentence"


def faults(file: Path) -> list[str]:
    """Every public name of a file whose docstring is missing or is no sentence."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [f"{file.name}:{node.lineno} {node.name} {why}" for node in public(tree) if (why := fault(node))]


def test_every_public_name_says_what_it_is() -> None:
    found = {str(f.relative_to(ROOT)): bad for f in python_files(PACKAGE) if (bad := faults(f))}
    assert not found


@pytest.mark.parametrize(
    "text", ["def f(): ...", 'def f():\n    """Half"""', 'class A:\n    """Whole."""\n    def f(self): ...']
)
def test_a_silent_name_is_seen(text: str, tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(text, encoding="utf-8")
    assert len(faults(file)) == 1
