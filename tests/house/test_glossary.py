"""The nouns on the page of the house are those of the code, and live where the page says."""

from __future__ import annotations

import ast
import importlib
import re

import pytest

from bench.house import PACKAGE, ROOT, python_files

PAGE = (ROOT / "docs" / "why" / "house.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| \*\*(\w+)\*\* \|.*\| ([^|]+) \|$", re.MULTILINE)
NOUNS = dict(ROW.findall(PAGE))
LIVING = {noun: place.strip("`") for noun, place in NOUNS.items() if place.startswith("`")}


def classes() -> set[str]:
    """The name of every class in the package."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in python_files(PACKAGE)]
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def test_there_are_twelve_nouns() -> None:
    assert len(NOUNS) == 12


@pytest.mark.parametrize("noun", LIVING)
def test_a_noun_lives_where_the_page_says(noun: str) -> None:
    found = getattr(importlib.import_module(LIVING[noun]), noun)
    assert isinstance(found, type)


def test_a_noun_that_is_not_yet_has_not_come_in_unnoticed() -> None:
    absent = {noun for noun, place in NOUNS.items() if place == "not yet"}
    assert not absent & classes(), "it exists now: say on the page where it lives"


def test_every_file_of_the_nouns_is_on_the_page() -> None:
    files = {f.stem.title() for f in (PACKAGE / "nouns").glob("[a-z]*.py")} - {"Errors"}
    assert files <= set(NOUNS), "a new noun: is it one of the few, or a verb of an old one?"


def test_every_room_is_on_the_page() -> None:
    rooms = {p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()}
    drawn = set(re.findall(r"\w+", PAGE.split("```text\n", 1)[1].split("```", 1)[0]))
    assert rooms - {"__init__", "__main__"} <= drawn
