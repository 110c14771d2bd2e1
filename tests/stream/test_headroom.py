"""Which limit comes first and when, on servers whose end is known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from bimetal.nouns.event import Kind
from bimetal.stream.headroom import day_text, headroom, heaviest, warning
from bimetal.stream.meter import History
from bimetal.stream.outlook import Asked, Bound, Limit, size_text
from tests.stream.spells import DAY, GIGA, NOW, STILL, history


def limit(found: tuple[Limit, ...], bound: Bound) -> Limit:
    """The limit of this name."""
    return next(one for one in found if one.bound is bound)


def test_a_disk_is_full_when_it_is() -> None:
    """100 readings a second of 2 bytes are 17.28 MB a day, and .8 GB are left till nine tenths are used."""
    small = replace(STILL, disk_free=GIGA, kept_bytes=GIGA)
    found = headroom(history(lambda _: 100.0, spells=480, seconds=3600, like=small), Asked(NOW))
    assert found.first is Bound.DISK
    disk = limit(found.limits, Bound.DISK)
    assert disk.when is not None
    assert (disk.when.about_ns - NOW) / DAY == pytest.approx(0.8e9 / 17.28e6, rel=0.05)
    assert disk.when.earliest_ns <= disk.when.about_ns
    assert found.words.startswith(f"Disk full about {day_text(disk.when.about_ns)} (between ")
    assert "bytes a reading" in disk.figures


def test_a_disk_fills_faster_when_readings_grow() -> None:
    small = replace(STILL, disk_free=GIGA, kept_bytes=GIGA)
    even = headroom(history(lambda _: 100.0, spells=480, seconds=3600, like=small), Asked(NOW))
    grows = headroom(history(lambda d: 100 + 3 * d, spells=480, seconds=3600, like=small), Asked(NOW))
    first, second = limit(even.limits, Bound.DISK).when, limit(grows.limits, Bound.DISK).when
    assert first is not None
    assert second is not None
    assert NOW < second.about_ns < first.about_ns - 5 * DAY


def test_retention_that_fits_keeps_the_disk_from_ever_being_full() -> None:
    small = replace(STILL, disk_free=GIGA, kept_bytes=GIGA)
    kept = history(lambda _: 100.0, spells=480, seconds=3600, like=small)
    assert headroom(kept, Asked(NOW, keep_days=20)).first is None
    assert headroom(kept, Asked(NOW, keep_days=200)).first is Bound.DISK


def test_growth_meets_the_processor_on_the_day_that_it_does() -> None:
    """20 us a reading and a twentieth of idling: 47,500 a second; 20,000 now and 1,000 more each day."""
    found = headroom(history(lambda d: 20_000 + 1000 * d, spells=240, seconds=3600), Asked(NOW))
    assert found.first in (Bound.INGEST, Bound.SCORING)
    assert found.capacity == pytest.approx(47_500, rel=0.05)
    when = limit(found.limits, Bound.INGEST).when
    assert when is not None
    assert (when.about_ns - NOW) / DAY == pytest.approx(27.5, rel=0.1)
    assert when.latest_ns is not None
    assert when.earliest_ns <= when.about_ns <= when.latest_ns
    assert "add a worker" in found.advice


def test_memory_that_leaks_is_seen() -> None:
    kept = history(lambda _: 100.0, spells=240, seconds=3600, memory=lambda d: 500e6 + 20e6 * d)
    found = headroom(kept, Asked(NOW))
    assert found.first is Bound.MEMORY
    when = limit(found.limits, Bound.MEMORY).when
    assert when is not None
    assert (when.about_ns - NOW) / DAY == pytest.approx(20, rel=0.05)


def test_a_day_and_a_night_are_no_growth() -> None:
    rhythm = history(lambda d: 5000 + 2000 * math.sin(2 * math.pi * d), spells=480, seconds=1800)
    found = headroom(rhythm, Asked(NOW))
    assert found.first is None
    assert found.words.startswith("No limit is in sight, as far as ")
    assert found.rate == pytest.approx(6900, rel=0.1), "the busiest tenth of the time counts"


def test_noise_is_no_growth() -> None:
    rng = np.random.default_rng(1)
    found = headroom(history(lambda _: float(rng.normal(3000, 500)), seconds=3600), Asked(NOW))
    assert found.first is None


def test_a_server_beyond_its_capacity_is_told_now() -> None:
    found = headroom(history(lambda _: 60_000.0), Asked(NOW))
    assert found.first in (Bound.INGEST, Bound.SCORING)
    assert "at its limit now" in found.words


def test_nothing_is_forecast_before_ten_minutes() -> None:
    found = headroom(history(lambda d: 100 + 1e5 * d, spells=9), Asked(NOW))
    assert not found.enough
    assert all(one.when is None for one in found.limits)
    assert "No date can be told before 10 minutes" in found.words
    assert warning(found, False) is None


@pytest.mark.parametrize("kept", [History(), history(lambda _: 0.0)])
def test_where_nothing_came_nothing_is_said(kept: History) -> None:
    found = headroom(kept, Asked(NOW))
    assert (found.first, found.limits, found.enough) == (None, (), False)
    assert found.words == "Nothing came in yet, so nothing can be said."


def test_what_cannot_be_told_is_said_so() -> None:
    blind = replace(STILL, disk_free=0, kept_bytes=0, memory_bytes=0, memory_limit=0)
    found = headroom(history(lambda _: 100.0, like=blind), Asked(NOW))
    assert not limit(found.limits, Bound.DISK).known
    assert not limit(found.limits, Bound.MEMORY).known
    fresh = replace(STILL, sealed_rows=0, sealed_bytes=0)
    disk = limit(headroom(history(lambda _: 100.0, like=fresh), Asked(NOW)).limits, Bound.DISK)
    assert not disk.known
    assert "when more is sealed" in disk.figures


def test_figures_out_of_all_proportion_end_in_words() -> None:
    wild = replace(STILL, sealed_rows=10**15, sealed_bytes=1, disk_free=2**63 - 1, memory_limit=2**62)
    found = headroom(history(lambda _: 1e7, spells=20, like=wild), Asked(NOW, keep_days=36_500))
    assert found.words
    assert found.advice


def test_the_part_of_the_fleet_that_weighs_most_is_named() -> None:
    rows = {"site-a/pump-1": 10, "site-b/pump-1": 40, "site-b/pump-2": 40, "7": 5, "": 5}
    assert heaviest(rows) == ("site-b/pump", 0.8)
    full = headroom(
        history(lambda _: 100.0, seconds=3600, like=replace(STILL, disk_free=GIGA)), Asked(NOW, rows=rows)
    )
    assert "Lower site-b/pump (80% of all readings) to summaries" in full.advice


def test_operators_are_warned_once_and_told_when_it_is_over() -> None:
    near = headroom(history(lambda _: 44_000.0), Asked(NOW))
    told = warning(near, False)
    assert told is not None
    assert (told.kind, told.device, told.alarm) == (Kind.DRIFT, "/server", False)
    assert near.words in told.sentence
    assert near.advice in told.sentence
    assert warning(near, True) is None
    calm = headroom(history(lambda _: 1000.0), Asked(NOW))
    over = warning(calm, True)
    assert over is not None
    assert over.kind is Kind.CLEARED
    assert warning(calm, False) is None


def test_a_date_that_comes_near_is_warned_of() -> None:
    far = history(lambda d: 20_000 + 1000 * d, spells=240, seconds=3600)
    assert warning(headroom(far, Asked(NOW)), False) is None
    soon = history(lambda d: 30_000 + 2000 * d, spells=240, seconds=3600)
    assert warning(headroom(soon, Asked(NOW)), False) is not None


def test_sizes_are_written_as_people_do() -> None:
    assert [size_text(n) for n in (0, 999, 1000, 2.5e6, 3e12, 5e15)] == [
        "0 B",
        "999 B",
        "1 kB",
        "2.5 MB",
        "3 TB",
        "5e+03 TB",
    ]
