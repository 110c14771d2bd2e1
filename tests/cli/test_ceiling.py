"""A server may have as many connections as the system lets it."""

from __future__ import annotations

import subprocess
import sys

import pytest

ASKED = """
import resource
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))
from bimetal.cli.ceiling import open_files
open_files()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits as Linux has them")
def test_all_that_may_be_open_can_be_opened() -> None:
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)
    soft, hard = done.stdout.split()
    assert soft == hard
