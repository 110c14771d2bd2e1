"""Inside: what we wrote ourselves, and somebody may have changed: models, and the files of a server."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path

import cbor2
import numpy as np

from bimetal.bundle import seal
from bimetal.cli import door
from bimetal.federate import contribution
from bimetal.keep import batch_bytes, event_line, states
from bimetal.keep.batch_bytes import Quality
from bimetal.keep.journal import Record, read_journal, write_journal
from bimetal.keep.quarantine import Quarantine, Refused, read_quarantine
from bimetal.keep.segment import Segments
from bimetal.keep.segment_file import adopt_segment, name_of
from bimetal.keep.session_file import SessionFile
from bimetal.learn.card import card_of
from bimetal.learn.imports import ubjson
from bimetal.program import block, canonical, snapshot
from bimetal.program.layout import initial_state
from bimetal.program.program import Program
from bimetal.stream import meter, parcel
from bimetal.targets import vectors
from bimetal.trust.token import TokenFile
from tests.federate.given import contribution as contribution_of
from tests.federate.given import readings
from tests.fuzz.decoder import Decoder, file, made, scratch
from tests.keep.given import START, batch, event

DIGEST_BYTES = 32


@cache
def model() -> seal.Sealed:
    """A small model; whoever cannot sign cannot change it, and what the signer may get wrong is tried too."""
    folder = scratch() / "model"
    folder.mkdir()
    chance = np.random.default_rng(0)
    lines = [f"{1_767_225_600 + k},{20 + v:.3f}" for k, v in enumerate(chance.normal(size=400).tolist())]
    (folder / "a.csv").write_text("\n".join(["time,a", *lines]))
    assert door.run(["train", str(folder / "a.csv"), "-o", str(folder / "a.bm")]) == 0
    return seal.read(folder / "a.bm")


def program() -> Program:
    """Its program."""
    return model().bundle.program


def whole() -> bytes:
    """Its file."""
    model()
    return (scratch() / "model" / "a.bm").read_bytes()


def sealed_states(content: bytes) -> object:
    """States under a digest that fits."""
    return states.from_bytes(states.MAGIC + bytes([states.VERSION]) + states._digest(content) + content)


def open_states() -> bytes:
    """States without what is before them."""
    one = states.States(3, b"key", {"a": b"\0" * 40, "b": b""})
    return states.to_bytes(one)[len(states.MAGIC) + 1 + DIGEST_BYTES :]


def sealed_contribution(content: bytes) -> object:
    """A contribution under a digest that fits."""
    return contribution.from_bytes(content + contribution._digest(content))


def open_contribution() -> bytes:
    """A contribution without the digest behind it."""
    from bimetal.federate.moments import moments_of

    one = contribution_of("machine-1", moments_of(readings(1)))
    return one[: -len(contribution._digest(b""))]


def write_segment(path: Path) -> None:
    """A segment of a few readings, alone in its folder."""
    segments = Segments(path.parent)
    segments.append(batch(30))
    segments.seal()
    segments.close()
    for other in path.parent.rglob("*"):
        if other.is_file() and other.suffix != ".parquet":
            other.unlink()


def write_records(path: Path) -> None:
    """A journal of three batches."""
    content = batch_bytes.to_bytes(batch(5), Quality.GOOD, 1)
    write_journal(path, [Record(k, content) for k in (1, 2, 3)])


def write_refused(path: Path) -> None:
    """A quarantine of two messages."""
    one = Refused(START, "readings/x", "c", "no JSON", b"\xff\0")
    Quarantine(path.parent / "quarantine").append([one, one])


def write_notes(path: Path) -> None:
    """A file of what an MQTT listener remembers."""
    sessions = SessionFile(path)
    sessions.commit({("session", "c", ""): ("c", b"x"), ("letter", "c", "1"): ("a", b"y")})
    sessions.close()


def read_sessions(path: Path) -> None:
    """Read what is remembered."""
    sessions = SessionFile(path)
    try:
        sessions.load()
    finally:
        sessions.close()


def write_tokens(path: Path) -> None:
    """A file of two tokens."""
    tokens = TokenFile(path)
    for device in ("pump", "fan"):
        tokens.make(device, bytes)


def read_ubjson(content: bytes) -> None:
    """Read what XGBoost writes; it says ValueError, which its importer turns into words."""
    with suppress(ValueError):
        ubjson.decode(content)


def outcomes() -> bytes:
    """What a shard says of parcels, events among it."""
    from tests.stream.test_parcel import SAID

    return SAID


def history() -> bytes:
    """What a server noted of itself."""
    return b'{"version":1,"began_ns":1,"days":[]}'


INSIDE: dict[str, Decoder] = {
    "states": Decoder(sealed_states, lambda: [open_states()]),
    "batch": Decoder(batch_bytes.from_bytes, lambda: [batch_bytes.to_bytes(batch(5), Quality.GOOD, 1)]),
    "journal": file("a.journal", read_journal, made(write_records, "a.journal")),
    "segment": file(name_of(1, 1, 0), adopt_segment, made(write_segment, "x")),
    "sessions": file("sessions.sqlite", read_sessions, made(write_notes, "sessions.sqlite")),
    "event": Decoder(event_line.from_line, lambda: [event_line.to_line(event("a"))]),
    "quarantine": file("0001.jsonl", lambda p: read_quarantine(p.parent), made(write_refused, "x")),
    "headroom": Decoder(lambda c: meter.History.decode(c, "a"), lambda: [history()]),
    "tokens": file("tokens.json", lambda p: TokenFile(p).devices, made(write_tokens, "tokens.json")),
    "parcel": Decoder(parcel.parcel_of, lambda: [parcel.parcel_bytes(parcel.Parcel(START, batch(7)))]),
    "outcomes": Decoder(parcel.outcomes_of, lambda: [outcomes()]),
    "contribution": Decoder(sealed_contribution, lambda: [open_contribution()]),
    "ubjson": Decoder(read_ubjson, lambda: [b"{i\x01a[$d#i\x02?\x80\0\0@\0\0\0i\x01bTi\x01cSi\x03abc}"]),
    "model": Decoder(seal.unseal, lambda: [whole()]),
    "model-inside": Decoder(lambda c: seal.parse(c, "a"), lambda: [whole()[seal.HEAD_BYTES :]]),
    "card": Decoder(lambda c: card_of(_plain(c)), lambda: [cbor2.dumps(dict(model().bundle.card))]),
    "program": Decoder(canonical.decode, lambda: [canonical.encode(program())]),
    "vectors": Decoder(
        lambda c: vectors.decode(program(), _plain(c)), lambda: [cbor2.dumps(dict(model().bundle.vectors))]
    ),
    "parameters": Decoder(lambda c: block.read(program(), c), lambda: [model().bundle.blocks[""]]),
    "snapshot": Decoder(
        lambda c: snapshot.unpack(program(), c), lambda: [snapshot.pack(program(), initial_state(program()))]
    ),
}


def _plain(content: bytes) -> dict[str, object]:
    """What a bundle's parts are made of: a map that CBOR could be read to."""
    with suppress(Exception):
        found = cbor2.loads(content)
        if isinstance(found, dict):
            return found
    return {}
