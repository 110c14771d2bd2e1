"""Record: a client's session as notes in the ledger, and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import msgspec

from bimetal.nouns.errors import BadInput
from bimetal.wire.transports.mqtt.ledger import Key, Ledger, Note, Then
from bimetal.wire.transports.mqtt.packet import Filter, PacketType, Publish

SESSION, FILTER, LETTER, RECEIVED, RETAINED = "session", "filter", "letter", "received", "retained"

T = TypeVar("T")


class Letter(NamedTuple):
    """A message on its way to one client, under the packet identifier that it keeps until it is through.

    `number` orders the letters of a client; `since_ns` is when it was queued; `awaited` is the
    acknowledgement that comes next; `share` is the shared subscription by which it was assigned.
    """

    number: int
    packet_id: int
    publish: Publish
    since_ns: int
    awaited: PacketType
    share: str = ""

    @property
    def size(self) -> int:
        """How much memory it holds, about."""
        return self.publish.size


class Terms(NamedTuple):
    """How long whose session is remembered; `gone_ns` is when its client left, 0 while it is there."""

    owner: str
    remember_s: int
    gone_ns: int = 0


@dataclass(slots=True)
class Remembered:
    """What was written down of one client."""

    terms: Terms = field(default_factory=lambda: Terms("", 0))
    filters: list[Filter] = field(default_factory=list[Filter])
    letters: list[Letter] = field(default_factory=list[Letter])
    received: set[int] = field(default_factory=set[int])


class Record:
    """Writes down one client's session, or nothing where the client does not ask to be remembered."""

    __slots__ = ("_client_id", "_ledger", "open")

    def __init__(self, ledger: Ledger, client_id: str, is_open: bool) -> None:
        self._ledger = ledger
        self._client_id = client_id
        self.open = is_open

    def then(self, go: Then) -> None:
        """Call `go` when all of this is durable; at once where nothing is written down."""
        if self.open:
            self._ledger.then(go)
        else:
            go(None)

    def terms(self, terms: Terms) -> None:
        """Note that there is a session, and on which terms."""
        self._write(SESSION, "", self._client_id, terms)

    def filter(self, wanted: Filter) -> None:
        """Note what the client wants to hear."""
        self._write(FILTER, wanted.pattern, self._client_id, wanted)

    def letter(self, letter: Letter) -> None:
        """Note what the client is to hear, and how far that is."""
        self._write(LETTER, str(letter.number), letter.publish.topic, letter)

    def received(self, packet_id: int) -> None:
        """Note that this identifier of the client's was used, and not yet released."""
        self._write(RECEIVED, str(packet_id), self._client_id, packet_id)

    def unfilter(self, pattern: str) -> None:
        """Note what the client no longer wants to hear."""
        self._drop(FILTER, pattern)

    def through(self, letter: Letter) -> None:
        """Note that a letter arrived, or never will."""
        self._drop(LETTER, str(letter.number))

    def released(self, packet_id: int) -> None:
        """Note that an identifier is free again."""
        self._drop(RECEIVED, str(packet_id))

    def end(self, filters: Iterable[str], letters: Iterable[Letter], received: Iterable[int]) -> None:
        """Note that there is nothing to remember any more."""
        for pattern in filters:
            self.unfilter(pattern)
        for letter in letters:
            self.through(letter)
        for packet_id in received:
            self.released(packet_id)
        self._drop(SESSION, "")

    def _write(self, kind: str, name: str, about: str, value: object) -> None:
        if self.open:
            self._ledger.write((kind, self._client_id, name), (about, msgspec.msgpack.encode(value)))

    def _drop(self, kind: str, name: str) -> None:
        if self.open:
            self._ledger.write((kind, self._client_id, name), None)


class Retained(NamedTuple):
    """The message left under a topic, and when."""

    publish: Publish
    kept_ns: int


def write_retained(ledger: Ledger, topic: str, retained: Retained | None) -> None:
    """Note what was left under a topic, or that nothing is."""
    note = None if retained is None else (topic, msgspec.msgpack.encode(retained))
    ledger.write((RETAINED, "", topic), note)


def read_notes(notes: Iterable[tuple[Key, Note]]) -> tuple[dict[str, Remembered], list[Retained]]:
    """Return what was remembered of each client, and the retained messages. Raises BadInput."""
    clients: dict[str, Remembered] = {}
    retained: list[Retained] = []
    for (kind, client_id, _), (_, value) in notes:
        if kind == RETAINED:
            retained.append(_decoded(value, Retained))
            continue
        held = clients.setdefault(client_id, Remembered())
        if kind == SESSION:
            held.terms = _decoded(value, Terms)
        elif kind == FILTER:
            held.filters.append(_decoded(value, Filter))
        elif kind == LETTER:
            held.letters.append(_decoded(value, Letter))
        elif kind == RECEIVED:
            held.received.add(_decoded(value, int))
    for held in clients.values():
        held.letters.sort()
    return clients, retained


def _decoded(value: bytes, kind: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(value, type=kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadInput(
            f"what was remembered of MQTT clients cannot be read: {error}",
            where="the sessions of this folder",
            hint="Move the file of sessions away: clients then begin anew",
        ) from None
