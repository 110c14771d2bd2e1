"""Erase: a device and all that was kept of it leave the folder for good."""

from __future__ import annotations

from dataclasses import dataclass

from bimetal.keep.event_log import EventLog
from bimetal.keep.quarantine import Quarantine
from bimetal.keep.rule import Rule
from bimetal.keep.segment import Segments
from bimetal.keep.session_file import SessionFile
from bimetal.keep.states import StateFolder
from bimetal.trust.token import TokenFile


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything in a folder that may hold something of a device."""

    segments: Segments
    events: EventLog
    quarantine: Quarantine
    states: StateFolder
    sessions: SessionFile
    tokens: TokenFile


@dataclass(frozen=True, slots=True)
class Erased:
    """What went: readings, from how many segments, events, messages in quarantine, states, notes, a token.

    `notes` are what the MQTT listener remembered: its session, and messages for others that name it.
    `owing` are the others that share the segments and have yet to erase it in their folders.
    """

    device: str
    readings: int
    segments: int
    events: int
    refused: int
    states: int
    notes: int
    tokens: int
    owing: tuple[str, ...] = ()


def erase(kept: Kept, device: str) -> Erased:
    """Remove a device's readings, events, states and token, so that its bytes are gone from the folder.

    Of the messages in quarantine, and of what the MQTT listener remembers, those go that name it anywhere;
    what a listener that runs holds in memory is beyond it. Files that held it are written anew
    and the old ones unlinked; damaged files that were set aside go too. What was begun is finished
    when the folder is opened after a power cut. Others that share the segments do the same when they come
    to it; until all have, nobody sees the device. Blocks that a disk has freed but not overwritten, backups,
    and readings that arrive later are beyond it; the token goes first, so that none arrive by it.
    Raises BadInput when a damaged segment cannot be read and so cannot be rewritten.
    """
    kept.segments.begin_erasing(device)
    tokens = kept.tokens.erase(device)
    told, refused, states, notes = (
        part.erase(device) for part in (kept.events, kept.quarantine, kept.states, kept.sessions)
    )
    removed = kept.segments.remove([Rule(device=device)])
    kept.segments.end_erasing(device)
    owing = kept.segments.owing(device)
    return Erased(device, removed.readings, removed.segments, told, refused, states, notes, tokens, owing)
