"""A stream watches its devices, waits for what is late, and starts from what was kept."""

from __future__ import annotations

from itertools import pairwise

import pytest

from bimetal.nouns.event import Event
from bimetal.stream.late import Reorder
from bimetal.stream.stream import Stream
from tests.stream.given import SECOND, SIGNALS, part, scorer, stream, whole

ROWS = stream()
NOW = int(ROWS.time_ns.max()) + SECOND


def fresh(devices: frozenset[str] | None = None) -> Stream:
    """A stream that has seen nothing."""
    return Stream("distance", Reorder(SIGNALS), scorer(), devices)


def said(events: list[Event]) -> list[tuple[int, str, str]]:
    """Events so that they can be compared in any order."""
    return sorted((e.time_ns, e.device, e.sentence) for e in events)


@pytest.mark.parametrize("cuts", [[], [1, 2, 3], [40, 41, 90]])
def test_it_says_what_the_scorer_says_of_rows_in_order(cuts: list[int]) -> None:
    live, events = fresh(), []
    for a, b in pairwise([0, *cuts, len(ROWS)]):
        events += live.push(part(ROWS, a, b), NOW).scored.events
    events += live.settle().scored.events
    assert said(events) == said(list(whole([ROWS]).events))


def test_what_was_kept_sets_its_state_and_is_not_said_again() -> None:
    half = len(ROWS) // 2
    begun, late = fresh(), fresh()
    begun.push(part(ROWS, 0, half), NOW)
    begun.settle()
    late.catch_up(part(ROWS, 0, half), NOW)
    assert late.states == begun.states
    again = late.push(part(ROWS, 0, half), NOW)
    assert again.scored.events == ()
    assert len(again.ready) == 0


def test_it_watches_only_the_devices_it_is_for() -> None:
    one = ROWS.devices[1]
    live = fresh(frozenset({one}))
    done = live.push(ROWS, NOW)
    rest = live.settle()
    assert {done.ready.devices[k] for k in done.ready.device.tolist()} <= {one}
    assert len(done.ready) + len(rest.ready) == len(ROWS.rows_of(1))
    assert set(live.states) == {one}
