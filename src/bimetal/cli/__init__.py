"""The door for hands: commands."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit.

    0 ok, 1 failed, 2 usage, 3 quality gate not met, 4 not found, 5 refused, 130 interrupted.
    """
    try:
        for ending in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, ending):
                signal.signal(getattr(signal, ending), _end)
        _show_everything()
        # Our matrices are small: more threads only wait for each other, and may add up in another order.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        from bimetal.cli.door import run

        code = run(sys.argv[1:] if arguments is None else arguments)
        sys.exit(_flushed(code))
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)


def _end(number: int, _: FrameType | None) -> None:
    """Leave by unwinding, so that files half written are taken away."""
    sys.exit(128 + number)


def _show_everything() -> None:
    """Write a character that the terminal's encoding lacks as its number, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")


def _flushed(code: int) -> int:
    """Write out what is left; whoever stopped reading has had enough, a full disk is a failure."""
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison] - closed by the caller: `>&-`
        return code
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return code
        print(f"standard output: cannot be written: {error.strerror}.", file=sys.stderr)
        return code or 1
    return code
