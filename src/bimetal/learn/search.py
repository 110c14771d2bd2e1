"""Search: what is decided about the detector before it learns, from how much there is to learn from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

from bimetal.learn.detector import Design, detector_program
from bimetal.program.layout import layout_of

SHORT = 160
"""With fewer rows of a device, long averages would never settle."""
MCU_BYTES = 16_384
"""So much state a device may have on a microcontroller."""


class Tier(StrEnum):
    """Where a model is to run: `mcu`, in 16 KB of state if signals allow, or `server`, in what it takes."""

    MCU = "mcu"
    SERVER = "server"


def design_for(signals: int, rows: int, siblings: bool, tier: Tier = Tier.MCU) -> Design:
    """Return the design for so many signals and rows of a typical device, and whether any have siblings.

    One configuration serves all, but for averaging spans and a warm-up that a very short history can
    carry, and for what is left out where very many signals are to fit a microcontroller. Larger searches
    did not pay: see docs/decisions.
    """
    if rows < SHORT:
        whole = Design(signals, spans=(4.0, 8.0, 16.0), warm_up=12, siblings=siblings)
    else:
        whole = Design(signals, warm_up=min(48, rows // 8), siblings=siblings)
    return whole if tier is Tier.SERVER else narrowed(whole)


def narrowed(whole: Design) -> Design:
    """Return the most of a design whose state fits MCU_BYTES; the least of it where nothing does."""
    found = whole
    for found in _narrower(whole):
        if state_bytes(found) <= MCU_BYTES:
            break
    return found


def state_bytes(design: Design) -> int:
    """Return how many bytes of state a device has."""
    program, _ = detector_program(design, [f"x{k}" for k in range(design.signals)])
    return layout_of(program).state.size


def left_out(design: Design) -> tuple[str, ...]:
    """Say what a design leaves out so that its state fits a microcontroller."""
    parts = (
        (design.own_varies, "what it learns of how restless signals are stands still"),
        (len(design.spans) > 2, "readings are averaged over two spans only"),
        (design.own_drifts, "what it learns of their levels stands still too"),
        (design.lasting, "since when each of them has been unusual is not told"),
    )
    return tuple(said for kept, said in parts if not kept)


def _narrower(whole: Design) -> Iterator[Design]:
    """Yield a design and what is left of it, what is missed least going first: see docs/decisions/0022."""
    calm = replace(whole, own_varies=False, joint_drifts=False)
    two = replace(calm, spans=(whole.spans[0], whole.spans[-1]))
    for form in (whole, calm, two, replace(two, own_drifts=False)):
        yield form
        yield replace(form, lasting=False)
