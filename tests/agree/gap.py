"""Gap: what a target does not do, declared with its error; a gap that closes fails until its line goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

KINDS = ("notimpl", "notyet", "never")


@dataclass(frozen=True, slots=True)
class Gap:
    """`notimpl`: could be written; `notyet`: waits for something of others; `never`: cannot be.

    `says` is found, as a regular expression, in what the target or the comparison says; `because` is a
    sentence for the page of gaps.
    """

    kind: str
    says: str
    because: str


M0_FULL = r"bytes of structs and \d+ of stack do not fit 16384 bytes of memory"
AVR_FULL = r"bytes of structs and \d+ of stack do not fit 8192 bytes of memory"
IN_RAM = "The host of this comparison exchanges parameters, so it keeps them in RAM; in flash they would fit."
AXES = Gap("notimpl", "5 axes are more than 4", "LiteRT's letters move arrays of at most four axes.")
GAPS: dict[tuple[str, str], Gap] = {
    ("cortex-m0", "detector 8"): Gap("notimpl", M0_FULL, IN_RAM),
    ("cortex-m0", "detector 70"): Gap("never", M0_FULL, "Its state alone is more than a micro:bit has."),
    ("avr", "detector 70"): Gap("never", AVR_FULL, "Its state alone is more than an ATmega2560 has."),
    ("litert", "pool 2"): AXES,
    ("litert", "pool 3"): AXES,
    ("litert", "sum 0"): Gap(
        "never",
        "its example: y0",
        "LiteRT adds up in an order of its own; this example shows what that does to large numbers.",
    ),
}
"""By target and program. Every other program gives equal bits on every target, or, where the formats of
others are targets, is within the bound."""


def undeclared(target: str, said: dict[str, str]) -> dict[str, str]:
    """Return, by program, what a target says that no gap declares, and gaps that are closed."""
    return dict(_undeclared(target, said))


def _undeclared(target: str, said: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in said.items():
        gap = GAPS.get((target, name))
        if gap is None and text:
            yield name, text
        elif gap is not None and not text:
            yield name, "the gap is closed: take its line out of tests/agree/gap.py"
        elif gap is not None and not re.search(gap.says, text):
            yield name, f"not the declared {gap.says!r}: {text}"
