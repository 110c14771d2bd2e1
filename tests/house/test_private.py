"""Nothing in the tree depends on, or tells about, the machine it was written on."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from bench.house import ROOT

SECRET = "-----BEGIN (?:[A-Z]+ )?PRIVATE " + "KEY-----|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}"
PRIVATE = {
    "an absolute path": re.compile(
        r"(?<![\w.$}~/:])/(?:root|work|home/[a-z]\w*|Users/\w+)(?:/[\w.]|\b(?=[\"'`\s]))"
    ),
    "a drive path": re.compile(r"\b[A-Z]:\\\\?Users\\"),
    "a private host": re.compile(r"\b[a-z0-9-]+\.(?:internal|corp|intranet|lan)\b"),
    "a secret": re.compile(SECRET),
}
BINARY = {".png", ".ico", ".wasm", ".woff2", ".gz", ".xz", ".parquet", ".bin", ".bm"}


def tracked() -> list[Path]:
    """Every text file that git keeps; where there is no git, every file of the source folders."""
    asked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if asked.returncode == 0:
        found = [ROOT / name for name in asked.stdout.split("\0") if name]
    else:
        places = ("src", "tests", "docs", "bench", "web", "runtime")
        found = [f for place in places for f in (ROOT / place).rglob("*") if "__pycache__" not in f.parts]
    return [f for f in found if f.is_file() and f.suffix not in BINARY and f != Path(__file__)]


def tells(text: str) -> list[str]:
    """What a text gives away."""
    return [f"{what}: {hit[0]!r}" for what, pattern in PRIVATE.items() for hit in pattern.finditer(text)]


def test_the_tree_tells_nothing_private() -> None:
    found = {
        str(f.relative_to(ROOT)): said for f in tracked() if (said := tells(f.read_text("utf-8", "replace")))
    }
    assert not found


@pytest.mark.parametrize(
    "text",
    [
        "open('/home/anna/x.csv')",
        "cd /root/x",
        "at C:\\Users\\anna",
        "http://build7.corp/x",
        "AKIA" + "A" * 16,
    ],
)
def test_something_private_is_seen(text: str) -> None:
    assert tells(text)


@pytest.mark.parametrize(
    "text", ["$HOME/x", "docs/home/index.md", "GET /api/v1", "~/.cache/x", "https://a.org/work/x"]
)
def test_something_public_is_not_taken_for_private(text: str) -> None:
    assert not tells(text)
