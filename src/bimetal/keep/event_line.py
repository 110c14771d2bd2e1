"""Event line: an event as one line of JSON, the same in logs, on standard output and in channels.

| field | what |
| --- | --- |
| `time`, `since` | instant, and when it began: RFC 3339 in UTC, as many decimals as needed |
| `device` | which device |
| `kind` | `alarm`, `cleared`, `quality`, or `drift`: the promise no longer holds |
| `score` | 1.0 is exactly the alarm threshold; null when there is none |
| `alarm` | true while the program says alarm |
| `cause` | `process`, `sensor`, or `context`: a way of running never seen |
| `confidence` | how sure the cause is, 0..1 |
| `explanation` | largest share first: `signal`, `share`, `value`, `usual` (two), `unit`, maybe `since` |
| `unless` | with `signal` at `limit` it would not alarm, nor `below` it (else above); `unit`; often absent |
| `like` | the known alarm most like it: `name`, `verdict`, `alike` (0..1), `device`, `time`; often absent |
| `sentence` | the same in plain words |
| `id` | the same when the same event is said again, as after a power cut; empty when nobody keeps count |

A number that is not finite is null. Unknown fields are ignored when reading, so a later bimetal may add some.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

import msgspec
from msgspec import UNSET, UnsetType

from bimetal.nouns.errors import BadInput
from bimetal.nouns.event import Cause, Event, Kind, Like, Reason, Unless

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z")
_SECOND = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_JSON = msgspec.json.Encoder(decimal_format="number")


class _Part(msgspec.Struct):
    signal: str
    share: float | None
    value: float | None
    usual: tuple[float | None, float | None]
    unit: str = ""
    since: str | UnsetType = UNSET


class _Unless(msgspec.Struct):
    signal: str
    limit: float
    below: bool
    unit: str = ""


class _Like(msgspec.Struct):
    name: str
    verdict: str
    alike: float
    device: str
    time: str


class _Line(msgspec.Struct):
    time: str
    device: str
    kind: Kind
    score: float | None
    alarm: bool
    cause: Cause
    explanation: list[_Part]
    sentence: str
    since: str
    id: str = ""
    confidence: float | None = 1.0
    unless: _Unless | UnsetType = UNSET
    like: _Like | UnsetType = UNSET


def to_line(event: Event) -> bytes:
    """Return an event as one line of JSON in UTF-8, without the line's end."""
    parts = [_part(r) for r in event.reasons]
    unless, like = event.unless, event.like
    line = _Line(
        time_text(event.time_ns),
        event.device,
        event.kind,
        _plain(event.score),
        event.alarm,
        event.cause,
        parts,
        event.sentence,
        time_text(event.since_ns),
        event.id,
        _plain(event.confidence),
        UNSET if unless is None else _Unless(unless.signal, unless.limit, unless.below, unless.unit),
        UNSET
        if like is None
        else _Like(like.name, like.verdict, like.alike, like.device, time_text(like.time_ns)),
    )
    try:
        return json_line(line)
    except UnicodeEncodeError:
        raise BadInput(f"the event of {event.device!a} holds text that is no Unicode") from None


def _part(r: Reason) -> _Part:
    since = UNSET if r.since_ns is None else time_text(r.since_ns)
    return _Part(r.signal, _plain(r.share), _plain(r.value), (_plain(r.low), _plain(r.high)), r.unit, since)


def json_line(value: object) -> bytes:
    """Return a value as JSON in UTF-8 that every reader takes for one line.

    JSON allows U+0085, U+2028 and U+2029 in texts, and some readers end a line there: they are escaped.
    """
    line = _JSON.encode(value)
    for mark in ("\u0085", "\u2028", "\u2029"):
        line = line.replace(mark.encode(), f"\\u{ord(mark):04x}".encode())
    return line


def from_line(line: bytes) -> Event:
    """Return the event on a line; raises BadInput when there is none."""
    try:
        read = msgspec.json.decode(line, type=_Line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"this line holds no event: {error}") from None
    reasons = tuple(
        Reason(
            p.signal,
            _number(p.share),
            _number(p.value),
            _number(p.usual[0]),
            _number(p.usual[1]),
            p.unit,
            None if p.since is UNSET else time_ns_of(p.since),
        )
        for p in read.explanation
    )
    unless, like = read.unless, read.like
    return Event(
        read.kind,
        read.device,
        time_ns_of(read.time),
        _number(read.score),
        read.alarm,
        read.cause,
        reasons,
        read.sentence,
        time_ns_of(read.since),
        read.id,
        _number(read.confidence),
        None if unless is UNSET else Unless(unless.signal, unless.limit, unless.below, unless.unit),
        None
        if like is UNSET
        else Like(like.name, like.verdict, like.alike, like.device, time_ns_of(like.time)),
    )


def time_text(time_ns: int) -> str:
    """Return nanoseconds since 1970 UTC as RFC 3339 with as many decimals as needed.

    Raises BadInput before the year 1 and after 9999.
    """
    seconds, rest = divmod(time_ns, _SECOND)
    try:
        when = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    except (ValueError, OverflowError, OSError):
        raise BadInput(f"{time_ns} nanoseconds since 1970 is no time on a calendar") from None
    return f"{when}.{rest:09d}".rstrip("0").rstrip(".") + "Z" if rest else f"{when}Z"


def time_ns_of(text: str) -> int:
    """Return the nanoseconds since 1970 UTC that `time_text` wrote; raises BadInput for another form."""
    match = _TIME.fullmatch(text)
    try:
        when = datetime.fromisoformat(match[1]).replace(tzinfo=UTC) if match else None
    except ValueError:
        when = None
    if match is None or when is None:
        raise BadInput(f"{text[:40]!a} is not a time like 2026-01-31T12:00:00.25Z")
    apart = when - _EPOCH
    return (apart.days * 86400 + apart.seconds) * _SECOND + int((match[2] or "0").ljust(9, "0"))


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: float | None) -> float:
    return math.nan if value is None else value
