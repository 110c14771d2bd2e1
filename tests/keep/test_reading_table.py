"""Batches as Arrow: wide and long forms hold the same readings."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bimetal.keep.reading_table import (
    check_names,
    doomed,
    from_bytes,
    long_of,
    pivot,
    signal_of,
    signal_text,
    tidy,
    to_bytes,
    without,
)
from bimetal.keep.rule import Rule
from bimetal.nouns import Batch, Quality, Signal
from bimetal.nouns.errors import BadInput
from tests.keep.given import PRESSURE, SECOND, START, TEMPERATURE, batch, series

SIGNALS = (TEMPERATURE, PRESSURE, Signal("größe α", "mm"))


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    rows = draw(st.integers(0, 12))
    device = draw(arrays.arrays(np.int32, rows, elements=st.integers(0, 2)))
    step = draw(arrays.arrays(np.int64, rows, elements=st.integers(1, 3)))
    values = draw(arrays.arrays(np.float64, (rows, 3), elements=st.floats(width=64)))
    return Batch(("a", "b", "ç"), SIGNALS, START + np.cumsum(step, dtype=np.int64), device, values)


@given(batches(), st.sampled_from(Quality))
def test_the_wide_form_brings_back_every_bit(given_batch: Batch, quality: Quality) -> None:
    found, found_quality = from_bytes(to_bytes(given_batch, quality))
    assert found_quality is quality
    assert found.signals == given_batch.signals
    assert [found.devices[d] for d in found.device] == [given_batch.devices[d] for d in given_batch.device]
    assert found.time_ns.tolist() == given_batch.time_ns.tolist()
    np.testing.assert_array_equal(found.values, given_batch.values)


@given(batches())
def test_the_long_form_loses_nothing_but_missing_values(given_batch: Batch) -> None:
    table = tidy(long_of([(given_batch, Quality.GOOD)]))
    assert len(table) == given_batch.readings
    back = pivot(table, SIGNALS)
    for device in back.devices:
        for signal in SIGNALS:
            assert series(back, device, signal.name) == series(given_batch, device, signal.name)


def test_of_equal_times_the_last_to_arrive_stays() -> None:
    first, second = batch(4), batch(4, seed=9)
    back = pivot(tidy(long_of([(first, Quality.GOOD), (second, Quality.GOOD)])), second.signals)
    assert series(back, "fan", "pressure") == series(second, "fan", "pressure")


def test_rules_take_the_same_readings_from_both_forms() -> None:
    whole = batch(40, devices=("a", "b", "c"))
    rules = [Rule(device="b"), Rule(signal="pressure", before_ns=START + 20 * SECOND)]
    table = tidy(long_of([(whole, Quality.GOOD)]))
    gone = doomed(table, rules)
    slim = without(whole, rules)
    assert slim.devices == ("a", "c")
    assert len(table) - int(gone.sum()) == slim.readings
    assert series(slim, "a", "pressure") == {
        t: v for t, v in series(whole, "a", "pressure").items() if t >= START + 20 * SECOND
    }


def test_no_rule_no_change() -> None:
    whole = batch(5)
    assert without(whole, []).values.tolist() == whole.values.tolist()
    assert not doomed(long_of([(whole, Quality.GOOD)]), []).any()


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
