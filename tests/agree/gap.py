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


GAPS: dict[tuple[str, str], Gap] = {
    ("cortex-m0", "detector 70"): Gap("never", r"9\d+ bytes of structs .* do not fit 16384 bytes of memory"),
}
"""By machine and program. Every other program gives equal bits on every machine."""
