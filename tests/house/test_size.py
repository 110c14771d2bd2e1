"""Sizes are a budget: files and bodies stay short enough to be read in one go."""

from __future__ import annotations

import pytest

from bench.house import LONG_BODY, PACKAGE, ROOT, Body, bodies, lines, python_files

FILE_LINES = 500
BODY_LINES = 60
SPINE_LINES = 300
SHARE_OF_LONG_BODIES = 0.06


def test_no_file_is_longer_than_500_lines() -> None:
    files = python_files(PACKAGE, ROOT / "tests", ROOT / "bench")
    long = {str(f.relative_to(ROOT)): lines(f) for f in files if lines(f) > FILE_LINES}
    assert not long, f"split these by what they are about: {long}"


def test_the_spine_stays_on_a_few_pages() -> None:
    spine = PACKAGE / "spine.py"
    assert not spine.exists() or lines(spine) <= SPINE_LINES, (
        "spine may call, never decide: move a decision down"
    )


def test_no_body_is_longer_than_60_lines() -> None:
    long = [body for file in python_files(PACKAGE) for body in bodies(file) if body.lines > BODY_LINES]
    assert not long, f"each of these does more than one thing: {long}"


def test_few_bodies_are_longer_than_30_lines() -> None:
    found = [body for file in python_files(PACKAGE) for body in bodies(file)]
    long = [body for body in found if body.lines > LONG_BODY]
    share = len(long) / len(found)
    assert share <= SHARE_OF_LONG_BODIES, f"{share:.1%} of {len(found)} bodies are long: {long}"


def test_a_body_is_counted_without_its_docstring(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.py"
    file.write_text('def f():\n    """Say\n\n    much."""\n    a = 1\n\n    return a\n', encoding="utf-8")
    monkeypatch.setattr("bench.house.ROOT", tmp_path)
    assert list(bodies(file)) == [Body("a.py:1 f", 3)]
