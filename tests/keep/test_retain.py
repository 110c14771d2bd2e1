"""Retention: nothing older than its purpose can be read, and nothing younger goes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimetal.keep.archive import Archive
from bimetal.keep.quarantine import Refused
from bimetal.keep.retain import DAY_NS, retain
from bimetal.keep.segment import Segments
from bimetal.nouns import Purpose
from bimetal.nouns.errors import BadInput
from tests.keep.given import SECOND, START, batch, event

BRIEF = Purpose("comfort", "consent", 10 / 86400)
LONG = Purpose("maintenance", "contract", 400)


def test_each_signal_goes_when_its_purpose_ends(tmp_path: Path) -> None:
    segments = Segments(tmp_path)
    segments.append(batch(10))
    segments.seal()
    segments.append(batch(20, start=10))
    removed = retain(segments, {"temperature": BRIEF, "pressure": LONG}, START + 25 * SECOND)
    assert (removed.readings, removed.segments) == (15, 1)
    times = segments.batch(signals=["temperature"]).time_ns
    assert times.min() == START + 15 * SECOND
    assert sum(h.rows for h in segments.held() if h.signal == "pressure") == 30
    segments.close()


def test_a_file_wholly_out_of_time_is_unlinked(tmp_path: Path) -> None:
    segments = Segments(tmp_path)
    segments.append(batch(10))
    segments.seal()
    removed = retain(segments, {"temperature": BRIEF, "pressure": BRIEF}, START + DAY_NS)
    assert removed.readings == 20
    assert list((tmp_path / "segments").iterdir()) == []
    segments.close()


def test_without_a_purpose_nothing_is_removed(tmp_path: Path) -> None:
    segments = Segments(tmp_path)
    segments.append(batch(10))
    with pytest.raises(BadInput, match="no purpose, 'pressure' first"):
        retain(segments, {"temperature": BRIEF}, START + DAY_NS)
    assert len(segments.batch()) == 10
    segments.close()


@settings(max_examples=15)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=4), st.integers(0, 90), st.integers(0, 3))
def test_whatever_was_sealed_when_only_the_old_goes(
    tmp_path_factory: pytest.TempPathFactory, starts: list[int], now: int, sealed: int
) -> None:
    segments = Segments(tmp_path_factory.mktemp("kept"))
    for k, start in enumerate(starts):
        segments.append(batch(8, start=start))
        if k < sealed:
            segments.seal()
    before = set(segments.batch().time_ns.tolist())
    retain(segments, {"temperature": BRIEF, "pressure": BRIEF}, START + now * SECOND)
    oldest = START + (now - 10) * SECOND
    assert set(segments.batch().time_ns.tolist()) == {t for t in before if t >= oldest}
    segments.close()


def test_events_and_refused_messages_go_with_the_longest_purpose(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.segments.append(batch(2))
    archive.events.append([event(time_ns=START), event(time_ns=START + 500 * DAY_NS)])
    times = (START, START + 500 * DAY_NS)
    archive.quarantine.append([Refused(time_ns, "readings/x", "c", "no JSON", b"") for time_ns in times])
    archive.retain({"temperature": BRIEF, "pressure": LONG}, START + 401 * DAY_NS)
    assert len(archive.events.read().events) == 1
    assert [m.refused.time_ns for m in archive.quarantine.read().messages] == [START + 500 * DAY_NS]
    archive.close()
