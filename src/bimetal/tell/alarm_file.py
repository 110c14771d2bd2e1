"""Alarm file: the alarms there are, as lines of JSON, so that their lives outlast a restart."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from bimetal.keep.disk import in_words, write_whole
from bimetal.keep.event_line import from_line, to_line
from bimetal.nouns.errors import BadInput, Unsupported
from bimetal.tell.alarm import Alarm, Life

VERSION = 1


class _Line(msgspec.Struct):
    id: int
    event: msgspec.Raw
    opened_ns: int
    last_ns: int
    life: Life
    repeats: int
    told: int
    who: str
    until_ns: int | None
    closed_ns: int | None
    cleared: msgspec.Raw


class _Head(msgspec.Struct):
    bimetal_alarms: int


def save_alarms(path: Path, alarms: Iterable[Alarm]) -> None:
    """Put the file of alarms in place, whole or not at all; raises as `write_whole` does."""
    lines = [msgspec.json.encode(_Head(VERSION)), *(msgspec.json.encode(_line(a)) for a in alarms)]
    write_whole(path, b"".join(line + b"\n" for line in lines))


def load_alarms(path: Path) -> tuple[Alarm, ...]:
    """Read the alarms that were saved; raises NotFound, BadInput when damaged, Unsupported when newer."""
    with in_words(path):
        head, *lines = path.read_bytes().split(b"\n")
    try:
        version = msgspec.json.decode(head, type=_Head).bimetal_alarms
        if version > VERSION:
            raise Unsupported(
                f"these alarms have format {version}, and this bimetal reads up to {VERSION}",
                where=str(path),
                hint="Install the bimetal that wrote them, or a newer one",
            )
        return tuple(_alarm(msgspec.json.decode(line, type=_Line)) for line in lines if line)
    except (msgspec.MsgspecError, UnicodeDecodeError, BadInput) as error:
        raise BadInput(
            f"this is not a file of alarms: {error}", where=str(path), hint="Move the file away"
        ) from None


def _line(a: Alarm) -> _Line:
    return _Line(
        a.id,
        msgspec.Raw(to_line(a.event)),
        a.opened_ns,
        a.last_ns,
        a.life,
        a.repeats,
        a.told,
        a.who,
        a.until_ns,
        a.closed_ns,
        msgspec.Raw(b"null" if a.cleared is None else to_line(a.cleared)),
    )


def _alarm(read: _Line) -> Alarm:
    return Alarm(
        read.id,
        from_line(bytes(read.event)),
        read.opened_ns,
        read.last_ns,
        read.life,
        read.repeats,
        read.told,
        read.who,
        read.until_ns,
        read.closed_ns,
        None if bytes(read.cleared) == b"null" else from_line(bytes(read.cleared)),
    )
