"""Archive: all that one installation keeps, in one folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from bimetal.keep.erase import Erased, Kept, erase
from bimetal.keep.erasure import Erasure, ErasureFolder
from bimetal.keep.event_log import EventLog
from bimetal.keep.quarantine import Quarantine
from bimetal.keep.retain import oldest_ns, retain
from bimetal.keep.segment import Removed, Segments
from bimetal.keep.session_file import SessionFile
from bimetal.keep.states import StateFolder
from bimetal.nouns.purpose import Purpose
from bimetal.trust.token import TokenFile

TOKENS = "tokens.json"
"""The file of a folder in which the tokens of its devices are."""

SESSIONS = "sessions.sqlite"
"""The file of a folder in which the sessions of MQTT clients are."""

ERASURES = "erasures"
"""The folder of a folder in which it is written what is to be erased, and what was."""


class Archive:
    """Readings, events, refused messages, states and sessions in one folder, held until closed.

    Opening finishes what a power cut interrupted, and erases what was asked to be erased meanwhile.
    Raises as Segments does.
    """

    def __init__(self, folder: Path, *, repair: bool = False) -> None:
        self.folder = folder
        self.segments = Segments(folder, repair=repair)
        try:
            self.events = EventLog(folder / "events")
            self.quarantine = Quarantine(folder / "quarantine")
            self.states = StateFolder(folder / "streams")
            self.sessions = SessionFile(folder / SESSIONS)
            self.erasures = ErasureFolder(folder / ERASURES)
            for asked in self.erasures.asked():
                self.fulfil(asked)
            for device in self.segments.erasing():
                self.erase(device)
        except BaseException:
            self.segments.close()
            raise

    def erase(self, device: str) -> Erased:
        """Remove all that is kept of a device, and its token; streams that run must `forget` it too."""
        tokens = TokenFile(self.folder / TOKENS)
        kept = Kept(self.segments, self.events, self.quarantine, self.states, self.sessions, tokens)
        return erase(kept, device)

    def fulfil(self, asked: Erasure, elsewhere: Mapping[str, int] | None = None) -> Erasure:
        """Erase as was asked and return the receipt, which also says what went `elsewhere`."""
        interrupted = asked.device in self.segments.erasing()
        went = asdict(self.erase(asked.device))
        del went["device"]
        went["owing"] = len(went["owing"])
        return self.erasures.finish(asked, went | dict(elsewhere or {}), interrupted)

    def retain(self, purposes: Mapping[str, Purpose], now_ns: int) -> Removed:
        """Remove readings whose purpose ended, and what else is older than the longest purpose."""
        removed = retain(self.segments, purposes, now_ns)
        if purposes:
            oldest = min(oldest_ns(p, now_ns) for p in purposes.values())
            self.events.forget_before(oldest)
            self.quarantine.forget_before(oldest)
        return removed

    def tend(self) -> bool:
        """Do one bounded piece of upkeep, for a thread that has time; returns whether there was any.

        Called again at once when there was, and after a while when there was none, it keeps commits
        quick and segments few.
        """
        return self.segments.tend()

    def ask_what_is_owed(self, random_bytes: Callable[[int], bytes], now_ns: int) -> None:
        """Ask here, too, for the erasures that others, who share the segments, were asked for."""
        asked = {erasure.device for erasure in self.erasures.asked()}
        owed = self.segments.erasing() if self.segments.shared else ()
        for device in owed:
            if device not in asked:
                self.erasures.ask(device, random_bytes, now_ns)

    def close(self) -> None:
        """Let go of the folder."""
        self.sessions.close()
        self.segments.close()
