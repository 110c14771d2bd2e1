"""What every codec promises: what it writes it reads, and nothing that comes in harms its neighbours."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimetal.nouns.batch import Batch
from bimetal.nouns.signal import Signal
from bimetal.wire.codec import LARGEST_PAYLOAD, Codec
from bimetal.wire.codecs.json import JsonCodec
from bimetal.wire.codecs.shaped import ShapedCodec, shape_of
from bimetal.wire.format import CONTENT_TYPES, FORMATS, Formats

READERS = Formats(JsonCodec())
SHAPE = 'rows = "data.rows"\ntime = "at"\n[signals]\npressure = "v.p"\nflow = "v.f.0"\n"level.2" = "l"\n'
CODECS: dict[str, Codec] = {name: READERS.codec(name) for name in FORMATS}
CODECS["shaped"] = ShapedCodec(shape_of(SHAPE))
EVERY = pytest.mark.parametrize("name", CODECS)
NAMES = ("pressure", "flow", "level.2")
START_NS = 1_767_225_600_000_000_000
NOW_NS = START_NS + 10**12


def batch(rows: int, seed: int = 1, step_ns: int = 125_000_000) -> Batch:
    """Rows of one device, some values missing, none of the rows empty."""
    chance = np.random.default_rng(seed)
    values = np.round(chance.normal(20, 5, (rows, len(NAMES))), 3)
    values[chance.random(values.shape) < 0.2] = np.nan
    values[:, 0] = np.where(np.isnan(values[:, 0]), 1.5, values[:, 0])
    times = START_NS + step_ns * np.arange(rows, dtype=np.int64)
    return Batch(("a",), tuple(Signal(n) for n in NAMES), times, np.zeros(rows, np.int32), values)


def table(codec: Codec, payloads: list[bytes]) -> dict[tuple[int, str], float]:
    """What a codec reads, by time and signal; fails when anything is quarantined."""
    said = codec.decode("a", payloads, [NOW_NS] * len(payloads))
    assert said.quarantined == ()
    return {
        (t, name): v
        for t, row in zip(said.time_ns.tolist(), said.values.tolist(), strict=True)
        for name, v in zip(said.signals, row, strict=True)
        if v == v
    }


def expected(given_batch: Batch) -> dict[tuple[int, str], float]:
    """What is in a batch, by time and signal."""
    return {
        (t, s.name): v
        for t, row in zip(given_batch.time_ns.tolist(), given_batch.values.tolist(), strict=True)
        for s, v in zip(given_batch.signals, row, strict=True)
        if v == v
    }


@EVERY
@pytest.mark.parametrize("rows", [1, 7, 300])
def test_what_it_writes_it_reads(name: str, rows: int) -> None:
    given_batch = batch(rows)
    assert table(CODECS[name], CODECS[name].encode(given_batch)) == expected(given_batch)


@EVERY
def test_nothing_is_written_of_nothing(name: str) -> None:
    assert CODECS[name].encode(batch(0)) == []


@EVERY
@settings(max_examples=60, deadline=None)
@given(payload=st.binary(max_size=300))
def test_whatever_comes_in_its_neighbours_live(name: str, payload: bytes) -> None:
    codec = CODECS[name]
    good = codec.encode(batch(2))
    said = codec.decode("a", [*good, payload, *good], [NOW_NS] * (2 * len(good) + 1))
    assert {q.index for q in said.quarantined} <= {len(good)}
    assert all(q.reason for q in said.quarantined)
    rows = [
        int(np.count_nonzero(said.message == k))
        for k in (*range(len(good)), *range(len(good) + 1, 2 * len(good) + 1))
    ]
    assert sum(rows) >= 4
    assert said.values.shape == (len(said.time_ns), len(said.signals))
    assert not np.isinf(said.values).any()
    assert (said.time_ns >= 0).all()


@EVERY
def test_a_payload_that_was_bent_anywhere_does_no_harm(name: str) -> None:
    codec, chance = CODECS[name], random.Random(3)
    good = codec.encode(batch(3))
    for _ in range(400):
        content = bytearray(chance.choice(good))
        for _ in range(chance.randrange(1, 4)):
            act, at = chance.randrange(4), chance.randrange(len(content)) if content else 0
            if act == 0 and content:
                content[at] ^= 1 << chance.randrange(8)
            elif act == 1 and content:
                content[at] = chance.choice((0, 0x7F, 0x80, 0xFF))
            elif act == 2:
                del content[at : at + chance.randrange(1, 9)]
            else:
                content[at:at] = content[:at][-chance.randrange(1, 40) :]
        said = codec.decode("a", [bytes(content), good[0]], [NOW_NS, NOW_NS])
        assert 1 in said.message
        assert 1 not in {q.index for q in said.quarantined}
        assert not np.isinf(said.values).any()


@EVERY
@pytest.mark.parametrize(
    "payload", [b"", b"\0", b" ", b"[]", b"{}", b"[" * 100_000, b"{" * 9, b"\xff" * 40, b"\x9f" * 5_000]
)
def test_what_holds_nothing_is_set_aside(name: str, payload: bytes) -> None:
    said = CODECS[name].decode("a", [payload], [NOW_NS])
    assert [q.index for q in said.quarantined] == [0]
    assert len(said.time_ns) == 0


@EVERY
def test_what_is_too_large_is_set_aside(name: str) -> None:
    said = CODECS[name].decode("a", [bytes(LARGEST_PAYLOAD + 1)], [NOW_NS])
    assert "MB" in said.quarantined[0].reason


def test_every_content_type_has_a_format() -> None:
    assert set(CONTENT_TYPES.values()) == set(FORMATS)
    assert all(codec.name for codec in CODECS.values())
