"""Every file opens with one line that says what it is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from bench.house import PACKAGE, ROOT, python_files

WIDTH = 120
OPENINGS = {
    ".js": ("//", "/*"),
    ".mjs": ("//", "/*"),
    ".css": ("/*",),
    ".c": ("/*", "//"),
    ".h": ("/*", "//"),
}


def opening_fault(file: Path) -> str:
    """What is wrong with a file's opening; empty when nothing is."""
    text = file.read_text(encoding="utf-8")
    if file.suffix in OPENINGS:
        first = text.lstrip().split("\n", 1)[0]
        return (
            ""
            if first.startswith(OPENINGS[file.suffix]) and len(first) > 8
            else "no caption in its first line"
        )
    caption = ast.get_docstring(ast.parse(text), clean=False)
    if not caption or not caption.strip():
        return "no caption"
    first = caption.split("\n", 1)[0]
    if first != first.strip() or not first:
        return "the caption does not begin in the first line"
    return (
        ""
        if len(first) <= WIDTH and first.endswith((".", "!", "?"))
        else "the first line is not one short sentence"
    )


def test_every_file_opens_with_a_caption() -> None:
    own = [f for f in (ROOT / "web").rglob("*") if f.suffix in OPENINGS and "vendor" not in f.parts]
    own += [f for f in (ROOT / "runtime").rglob("*") if f.suffix in OPENINGS]
    files = [*python_files(PACKAGE, ROOT / "tests", ROOT / "bench"), *own]
    faults = {str(f.relative_to(ROOT)): fault for f in files if (fault := opening_fault(f))}
    assert not faults


@pytest.mark.parametrize("text", ["x = 1\n", '"""\nLate.\n"""\n', '"""No full stop"""\n', '""" """\n'])
def test_a_missing_caption_is_seen(text: str, tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(text, encoding="utf-8")
    assert opening_fault(file)
