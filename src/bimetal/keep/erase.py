"""Erase: a device and all that was kept of it leave the folder for good."""

from __future__ import annotations

from dataclasses import dataclass

from bimetal.keep.event_log import EventLog
from bimetal.keep.rule import Rule
from bimetal.keep.segment import Segments


@dataclass(frozen=True, slots=True)
class Erased:
    """What went: readings, from how many segments, and events."""

    device: str
    readings: int
    segments: int
    events: int


def erase(segments: Segments, events: EventLog, device: str) -> Erased:
    """Remove a device's readings and events from every file, so that its bytes are gone from the folder.

    Files that held it are written anew and the old ones unlinked; damaged files that were set
    aside go too. What was begun is finished after a power cut by `finish_erasing`. Blocks that a
    disk has freed but not overwritten, backups, and readings that arrive later are beyond it.
    Raises BadInput when a damaged segment cannot be read and so cannot be rewritten.
    """
    segments.begin_erasing(device)
    told = events.erase(device)
    removed = segments.remove([Rule(device=device)])
    segments.end_erasing(device)
    return Erased(device, removed.readings, removed.segments, told)


def finish_erasing(segments: Segments, events: EventLog) -> tuple[Erased, ...]:
    """Finish the erasures that were begun and cut short."""
    return tuple(erase(segments, events, device) for device in segments.erasing())
