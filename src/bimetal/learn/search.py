"""Search: what is decided about the detector before it learns, from how much there is to learn from."""

from __future__ import annotations

from bimetal.learn.detector import Design

SHORT = 160
"""With fewer rows of a device, long averages would never settle."""


def design_for(signals: int, rows: int, siblings: bool) -> Design:
    """Return the design for so many signals and rows of a typical device, and whether any have siblings.

    One configuration serves all, but for averaging spans and a warm-up that a very short history can
    carry. Larger searches did not pay: see docs/decisions.
    """
    if rows < SHORT:
        return Design(signals, spans=(4.0, 8.0, 16.0), warm_up=12, siblings=siblings)
    return Design(signals, warm_up=min(48, rows // 8), siblings=siblings)
