"""Batches as bytes: every bit comes back, and what is no batch is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.keep.batch_bytes import (
    arrival_of,
    check_names,
    from_bytes,
    signal_of,
    signal_text,
    to_bytes,
    without,
)
from bimetal.nouns import Batch, Quality, Signal
from bimetal.nouns.errors import BadInput
from tests.keep.given import TEMPERATURE, batch, batches


@given(batches(), st.sampled_from(Quality))
def test_the_wide_form_brings_back_every_bit(given_batch: Batch, quality: Quality) -> None:
    found, found_quality = from_bytes(to_bytes(given_batch, quality))
    assert found_quality is quality
    assert found.signals == given_batch.signals
    assert [found.devices[d] for d in found.device] == [given_batch.devices[d] for d in given_batch.device]
    assert found.time_ns.tolist() == given_batch.time_ns.tolist()
    np.testing.assert_array_equal(found.values, given_batch.values)


def test_no_rule_no_change() -> None:
    whole = batch(5)
    assert without(whole, []).values.tolist() == whole.values.tolist()


def test_a_signal_survives_as_text() -> None:
    signal = Signal('a "b"', "Cel", "temperature", 0.5, -math.inf, 3.0)
    assert signal_of(signal_text(signal)) == signal


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": ""}', '{"name": "a", "colour": 1}', "null"])
def test_a_text_that_is_no_signal_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        signal_of(text)


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, to_bytes(batch(3), Quality.GOOD)[:100]])
def test_bytes_that_are_no_batch_are_refused(content: bytes) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        from_bytes(content)


@pytest.mark.parametrize("name", ["\ud800", "a\nb", "\u202eevil", "\0"])
def test_names_that_cannot_be_kept_are_refused(name: str) -> None:
    with pytest.raises(BadInput):
        check_names(batch(1, signals=(TEMPERATURE, Signal(name))))
    with pytest.raises(BadInput):
        check_names(batch(2, devices=("pump", name)))


def test_two_signals_of_one_name_are_refused() -> None:
    with pytest.raises(BadInput, match="one name"):
        check_names(batch(1, signals=(TEMPERATURE, TEMPERATURE)))


def test_when_it_arrived_is_kept_with_it() -> None:
    content = to_bytes(batch(3), Quality.GOOD, 1_767_225_600_000_000_007)
    assert arrival_of(content) == 1_767_225_600_000_000_007
    assert len(from_bytes(content)[0]) == 3
    assert arrival_of(to_bytes(batch(3), Quality.GOOD)) is None
    empty = batch(0, devices=(), signals=())
    assert arrival_of(to_bytes(empty, Quality.GOOD, 5)) == 5
    assert len(from_bytes(to_bytes(empty, Quality.GOOD, 5))[0]) == 0


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, to_bytes(batch(3), Quality.GOOD, 1)[:100]])
def test_what_is_no_batch_has_no_arrival(content: bytes) -> None:
    with pytest.raises(BadInput):
        arrival_of(content)
