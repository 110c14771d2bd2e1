"""Once: what is computed of a program, computed the first time it is asked for and kept beside it.

A fleet loads one program with the parameters of each of its devices; its digest and its layout
stay the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, cast

from bimetal.program.program import Program

Answer = TypeVar("Answer")


def once(compute: Callable[[Program], Answer]) -> Callable[[Program], Answer]:
    """Keep what a pure function says of a program with that program, as long as it lives."""

    @wraps(compute)
    def kept(program: Program) -> Answer:
        if compute not in program.computed:
            program.computed[compute] = compute(program)
        return cast("Answer", program.computed[compute])

    return kept
