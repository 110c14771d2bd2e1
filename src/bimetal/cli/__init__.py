"""The door for hands: commands."""

from __future__ import annotations

import os
import sys


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit.

    0 ok, 1 failed, 2 usage, 3 quality gate not met, 4 not found, 5 refused, 130 interrupted.
    """
    from bimetal.cli.door import run

    code = run(sys.argv[1:] if arguments is None else arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
