"""Terminal: one plain sentence a line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TextIO

from bimetal.keep.disk import in_words
from bimetal.keep.event_line import time_text
from bimetal.tell.alarm import Notice
from bimetal.tell.channel import check_settings
from bimetal.tell.plain import plain


class Terminal:
    """Writes every notice as a line: time, kind, device, sentence, or what `line` makes of it."""

    def __init__(self, stream: TextIO, line: Callable[[Notice], str] | None = None) -> None:
        self._stream = stream
        self._line = line or line_of

    @classmethod
    def opened(cls, settings: Mapping[str, str]) -> Terminal:
        """Write to standard output; there are no settings."""
        check_settings(settings, (), "terminal")
        return cls(sys.stdout)

    def tell(self, notice: Notice) -> None:
        """Write a line and push it out; raises BadInput when nobody reads any more."""
        with in_words("terminal"):
            self._stream.write(self._line(notice) + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Leave the stream to whom it belongs."""


def line_of(notice: Notice) -> str:
    """Return a notice as one line of plain text."""
    event = notice.event
    when = time_text(event.time_ns // 1_000_000_000 * 1_000_000_000).replace("T", " ")
    return f"{when}  {event.kind.upper():<7}  {plain(event.device, 64)}  {plain(event.sentence)}"
