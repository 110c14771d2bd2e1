"""Parcels and outcomes come back bit for bit; what is none is refused in words."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.nouns import Batch, Signal
from bimetal.nouns.errors import BadInput, Unsupported
from bimetal.stream.parcel import (
    Outcome,
    Parcel,
    outcome_bytes,
    outcomes_of,
    parcel_bytes,
    parcel_of,
)
from tests.stream.given import SIGNALS, START, part, stream
from tests.stream.shard_case import RUN

WHOLE = Parcel(START, stream(30))
BYTES = parcel_bytes(WHOLE)


def outcomes() -> list[Outcome]:
    """What the small program says of three parcels; events are among it."""
    state, said = RUN.start(), []
    for k in range(3):
        batch = part(stream(240), 80 * k, 80 * k + 80)
        state, outcome = RUN.push(state, k + 1, Parcel(START + 10**15, batch))
        said.append(outcome)
    assert any(one.events for one in said)
    return said


SAID = outcome_bytes(outcomes())


def test_a_parcel_comes_back_exactly() -> None:
    back = parcel_of(BYTES)
    assert back.now_ns == START
    assert (back.batch.devices, back.batch.signals) == (WHOLE.batch.devices, SIGNALS)
    assert back.batch.values.tobytes() == WHOLE.batch.values.tobytes()
    assert back.batch.time_ns.tolist() == WHOLE.batch.time_ns.tolist()
    assert back.batch.device.tolist() == WHOLE.batch.device.tolist()


def test_every_bit_of_a_value_and_of_a_signal_survives() -> None:
    odd = np.array([[np.inf, -0.0], [np.frombuffer(b"\x01\x00\x00\x00\x00\x00\xf8\x7f", "<f8")[0], 5e-324]])
    signals = (Signal("p", "bar", "pressure", 0.5, -1.0, float("inf"), -200.0), Signal("q"))
    batch = Batch(("ä/1",), signals, np.array([-5, 7]), np.zeros(2, np.int32), odd)
    back = parcel_of(parcel_bytes(Parcel(-3, batch)))
    assert back.batch.values.tobytes() == odd.tobytes()
    assert back.batch.signals == signals
    assert (back.now_ns, back.batch.devices) == (-3, ("ä/1",))


def test_devices_without_rows_are_left_out() -> None:
    batch = part(stream(240), 0, 3).of_devices({"b"})
    assert parcel_of(parcel_bytes(Parcel(1, batch))).batch.devices == ("b",)


def test_a_parcel_without_rows_only_says_what_time_it_is() -> None:
    back = parcel_of(parcel_bytes(Parcel(5, part(stream(3), 0, 0))))
    assert (back.now_ns, len(back.batch), back.batch.devices) == (5, 0, ())


def test_outcomes_come_back_exactly() -> None:
    for one, back in zip(outcomes(), outcomes_of(SAID), strict=True):
        for field in fields(Outcome):
            a, b = getattr(one, field.name), getattr(back, field.name)
            if isinstance(a, np.ndarray):
                assert (a.dtype, a.tobytes()) == (b.dtype, b.tobytes()), field.name
            else:
                assert repr(a) == repr(b), field.name


@given(st.binary(max_size=60))
def test_no_bytes_do_worse_than_be_refused(content: bytes) -> None:
    for read in (parcel_of, outcomes_of):
        with pytest.raises((BadInput, Unsupported)):
            read(content)


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=8), st.booleans())
def test_damaged_bytes_are_read_as_a_parcel_or_refused(place: int, other: bytes, outcome: bool) -> None:
    content = bytearray(SAID if outcome else BYTES)
    at = place % len(content)
    content[at : at + len(other)] = other
    with suppress(BadInput, Unsupported):
        (outcomes_of if outcome else parcel_of)(bytes(content))


@pytest.mark.parametrize("cut", [0, 1, 10, len(BYTES) // 2, -1])
def test_truncated_parcels_are_refused(cut: int) -> None:
    with pytest.raises(BadInput, match="no parcel"):
        parcel_of(BYTES[:cut])


@pytest.mark.parametrize(
    ("field", "value"),
    [(2, ["a"]), (4, b"123"), (4, b""), (5, b"\xff" * 4 * 30), (6, bytes(8)), (1, "now"), (3, [[""]])],
)
def test_parts_that_do_not_fit_each_other_are_refused(field: int, value: object) -> None:
    parts = msgspec.msgpack.decode(BYTES)
    parts[field] = value
    with pytest.raises(BadInput, match="no parcel"):
        parcel_of(msgspec.msgpack.encode(parts))


@pytest.mark.parametrize("field", [2, 4, 6])
def test_outcomes_whose_parts_do_not_fit_each_other_are_refused(field: int) -> None:
    parts = msgspec.msgpack.decode(SAID)
    parts[1][0][field] = b"\x00" * 16 if field != 2 else b"\xff" * len(parts[1][0][2])
    with pytest.raises(BadInput, match="no outcome"):
        outcomes_of(msgspec.msgpack.encode(parts))


def test_a_newer_form_is_named_as_such() -> None:
    for read in (parcel_of, outcomes_of):
        with pytest.raises(Unsupported, match="format 2"):
            read(msgspec.msgpack.encode([2, {"other": 1}]))
