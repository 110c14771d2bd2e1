"""JSON lines: every notice as a line in a file, for programs to follow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from bimetal.keep.disk import in_words
from bimetal.keep.event_line import json_line, to_line
from bimetal.nouns.errors import BadInput
from bimetal.tell.alarm import Notice
from bimetal.tell.channel import check_settings


class JsonLines:
    """Appends every notice to a file: the event's line with `alarm_id`, `life` and `repeats`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with in_words(path):
            self._file = path.open("ab")

    @classmethod
    def opened(cls, settings: Mapping[str, str]) -> JsonLines:
        """Open the file named by the setting `path`."""
        check_settings(settings, ("path",), "jsonlines")
        if not settings.get("path"):
            raise BadInput("the setting path is missing", where="jsonlines", hint="path=alarms.jsonl")
        return cls(Path(settings["path"]))

    def tell(self, notice: Notice) -> None:
        """Append a line; raises Unsupported when the disk is full."""
        with in_words(self._path):
            self._file.write(notice_line(notice) + b"\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        with in_words(self._path):
            self._file.close()


def notice_line(notice: Notice) -> bytes:
    """Return a notice as one line of JSON: the event's schema, and the alarm it belongs to."""
    line: dict[str, Any] = msgspec.json.decode(to_line(notice.event))
    alarm = notice.alarm
    return json_line(line | {"alarm_id": alarm.id, "life": alarm.life, "repeats": alarm.repeats})
