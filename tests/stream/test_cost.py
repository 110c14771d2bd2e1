"""What a reading costs is found again from servers whose costs are known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from bimetal.stream.cost import cost_of
from bimetal.stream.meter import Meter, Spell
from tests.stream.spells import history


def test_stations_and_idling_are_told_apart() -> None:
    spells = history(lambda days: 2000 + 1500 * math.sin(days * 5000), reading_us=20, idle=0.05).spells
    cost = cost_of(spells)
    assert cost.ingest_s == pytest.approx(10e-6, rel=0.05)
    assert cost.score_s == pytest.approx(10e-6, rel=0.05)
    assert cost.idle == pytest.approx(0.05, rel=0.1)
    assert not cost.arrays
    assert cost.capacity(1.0) == pytest.approx(0.95 / 20e-6, rel=0.05)


def test_what_a_batch_costs_by_itself_does_not_count_under_load() -> None:
    """Ten batches a second of 500 us each, and 5 us a reading: at 100 readings a second the mean is 55 us."""
    rng, spells = np.random.default_rng(3), list[Spell]()
    for k in range(40):
        each = rng.integers(1, 20, 600)
        seconds = 500e-6 + 5e-6 * each
        walk = float(seconds.sum())
        spells.append(
            Spell(
                k * 60 * 10**9,
                (k + 1) * 60 * 10**9,
                readings=int(each.sum()),
                messages=int(each.sum()),
                calls=600,
                squares=float((each**2).sum()),
                products=float((each * seconds).sum()),
                keep_s=walk,
                process_s=walk,
            )
        )
    assert cost_of(spells).ingest_s == pytest.approx(5e-6, rel=0.02)


def test_the_protocol_is_told_by_the_messages_around_a_batch() -> None:
    """A message costs 30 us before its batch and 10 us after it, a batch 400 us whatever is in it."""
    clock, meter = [0.0], Meter(lambda: 0.0, lambda: clock[0])
    rng, sent = np.random.default_rng(5), 0
    for messages in rng.integers(1, 12, 4000).tolist():
        clock[0] += 400e-6 + 30e-6 * messages + 10e-6 * sent
        sent = messages
        with meter.call() as call:
            call.decoded([0] * messages, 3 * messages)
    spell = replace(meter.cut(), end_ns=100 * 10**9, process_s=clock[0])
    cost = cost_of([spell])
    assert cost.ingest_s == pytest.approx(40e-6 / 3, rel=0.05)
    assert (cost.score_s, cost.idle) == (0.0, 0.0), "what a batch costs by itself is shared under load"


def test_with_batches_of_one_size_the_mean_is_taken() -> None:
    spell = Spell(0, 10**9, 100, 100, calls=100, squares=100.0, products=0.01, keep_s=0.01, process_s=0.01)
    assert cost_of([spell]).ingest_s == pytest.approx(1e-4)


def test_a_few_batches_tell_no_slope() -> None:
    spell = Spell(0, 10**9, 10, 2, calls=2, squares=82.0, products=1.0, keep_s=0.1, process_s=0.1)
    assert cost_of([spell]).ingest_s == pytest.approx(0.01)


def test_messages_with_many_readings_are_arrays() -> None:
    spells = [replace(s, messages=s.readings // 100) for s in history(lambda _: 5000.0).spells]
    assert cost_of(spells).arrays


def test_a_processor_clock_that_stands_still_gives_no_limit_but_no_error() -> None:
    """Some machines count processor time so coarsely that little work takes none."""
    spells = history(lambda _: 50.0, reading_us=0.0, idle=0.0).spells
    assert cost_of(spells).capacity(1.0) == math.inf


def test_a_process_that_idles_more_than_there_is_takes_nothing_in() -> None:
    spells = history(lambda _: 100.0, idle=1.5).spells
    assert cost_of(spells).capacity(1.0) == 0.0
