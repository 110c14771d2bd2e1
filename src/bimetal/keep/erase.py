"""Erase: a device and all that was kept of it leave the folder for good."""

from __future__ import annotations

from dataclasses import dataclass

from bimetal.keep.event_log import EventLog
from bimetal.keep.quarantine import Quarantine
from bimetal.keep.rule import Rule
from bimetal.keep.segment import Segments


@dataclass(frozen=True, slots=True)
class Erased:
    """What went: readings, from how many segments, events, and messages in quarantine."""

    device: str
    readings: int
    segments: int
    events: int
    refused: int


def erase(segments: Segments, events: EventLog, quarantine: Quarantine, device: str) -> Erased:
    """Remove a device's readings and events from every file, so that its bytes are gone from the folder.

    Of the messages in quarantine those go that name it anywhere. Files that held it are written anew
    and the old ones unlinked; damaged files that were set aside go too. What was begun is finished
    after a power cut by `finish_erasing`. Blocks that a disk has freed but not overwritten, backups,
    and readings that arrive later are beyond it.
    Raises BadInput when a damaged segment cannot be read and so cannot be rewritten.
    """
    segments.begin_erasing(device)
    told, refused = events.erase(device), quarantine.erase(device)
    removed = segments.remove([Rule(device=device)])
    segments.end_erasing(device)
    return Erased(device, removed.readings, removed.segments, told, refused)


def finish_erasing(segments: Segments, events: EventLog, quarantine: Quarantine) -> tuple[Erased, ...]:
    """Finish the erasures that were begun and cut short."""
    return tuple(erase(segments, events, quarantine, device) for device in segments.erasing())
