"""Names from the attic say nothing; nobody may use them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.house import PACKAGE, ROOT, python_files

ATTIC = {"manager", "service", "helper", "handler", "core", "base", "util", "common", "info"}
ATTIC |= {f"{word}s" for word in ATTIC} | {"utility", "utilities"}
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def words(name: str) -> set[str]:
    """The words of a snake_case or CamelCase name."""
    return {word.lower() for word in WORD.findall(name)}


def names(tree: ast.AST) -> Iterator[str]:
    """Every name a file gives to something: classes, functions, arguments, variables, attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def attic_names(file: Path) -> set[str]:
    """The names of a file, its own and its folder's among them, that hold a banned word."""
    given = {file.stem, file.parent.name, *names(ast.parse(file.read_text(encoding="utf-8")))}
    return {name for name in given if words(name) & ATTIC}


def test_no_name_comes_from_the_attic() -> None:
    found = {str(f.relative_to(ROOT)): bad for f in python_files(PACKAGE) if (bad := attic_names(f))}
    assert not found, f"say what it is: {found}"


@pytest.mark.parametrize(
    "text",
    [
        "class StreamManager: ...",
        "def do(info): ...",
        "utils = 1",
        "self.base_url = 1",
        "def run_service(): ...",
    ],
)
def test_a_banned_name_is_seen(text: str, tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(text, encoding="utf-8")
    assert attic_names(file)


@pytest.mark.parametrize("name", ["database", "information", "corelation", "Baseline", "score"])
def test_a_longer_word_is_not_banned(name: str) -> None:
    assert not words(name) & ATTIC
