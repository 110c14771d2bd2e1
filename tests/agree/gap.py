"""Gap: what a machine does not do, declared with its error; a gap that closes fails until its line goes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gap:
    """`notimpl`: could be written; `notyet`: waits for something of others; `never`: cannot be.

    `says` is found in what the machine or the comparison says.
    """

    kind: str
    says: str


NO_ROOM = r"bytes of structs and \d+ of stack do not fit 16384 bytes of memory"
GAPS: dict[tuple[str, str], Gap] = {
    # The host keeps parameters in memory, for it exchanges them; in flash, those of 8 signals would do.
    ("cortex-m0", "detector 8"): Gap("notimpl", NO_ROOM),
    ("cortex-m0", "detector 70"): Gap("never", NO_ROOM),
}
"""By machine and program. Every other program gives equal bits on every machine."""
