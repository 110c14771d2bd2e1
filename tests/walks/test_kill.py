"""A kill changes no event: the short form of the torture of walks, and liars that it finds out."""

from __future__ import annotations

import sys

import pytest

from tests.keep.test_kill import python

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")

LIES = """
import sys, tempfile
from pathlib import Path
from bimetal.keep.event_log import EventLog
from bimetal.keep.segment import Segments
from tests.walks import torture

lies = {
    "says_again": lambda: setattr(EventLog, "ids_after", lambda self, sequence: frozenset()),
    "forgets_what_came": lambda: setattr(Segments, "replay", lambda self, after: iter(())),
}
lies[sys.argv[1]]()
with tempfile.TemporaryDirectory() as folder:
    torture.killed_everywhere(2, Path(folder) / "kept", 8, 1, lambda _: None)
"""


def test_a_killed_walk_says_what_one_that_never_was_says() -> None:
    done = python("-m", "tests.walks.torture", "12")
    assert done.returncode == 0, done.stderr
    assert "12 walks killed" in done.stdout
    assert "all the same" in done.stdout


@pytest.mark.parametrize("lie", ["says_again", "forgets_what_came"])
def test_a_walk_that_would_say_something_else_is_found_out(lie: str) -> None:
    done = python("-c", LIES, lie)
    assert done.returncode == 1
    assert "AssertionError" in done.stderr
