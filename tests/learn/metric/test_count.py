"""Counting: events found, alarms without cause, rows; and how counts add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.learn.metric.count import Count, count, runs_of

FLAGS = st.lists(st.booleans(), min_size=1, max_size=60)


def said(labels: str, alarm: str) -> Count:
    """Count rows drawn as text, # for a faulty row or an alarm."""
    return count(np.array([c == "#" for c in labels], np.int64), np.array([c == "#" for c in alarm]))


def test_runs_have_their_first_and_last_row() -> None:
    assert runs_of(np.array([1, 0, 1, 1, 0, 1], bool)) == [(0, 0), (2, 3), (5, 5)]
    assert runs_of(np.zeros(0, bool)) == []


def test_a_found_event_has_a_delay() -> None:
    assert said("..####..##", "....#.....") == Count(2, 1, 0, 4, 1, 0, 5, (2,))


def test_an_alarm_that_began_before_the_event_is_false_and_still_finds_it() -> None:
    told = said("...###", "..##..")
    assert (told.false_alarms, told.found, told.delays) == (1, 1, (0,))


def test_one_long_alarm_is_one_false_alarm_and_many_false_rows() -> None:
    told = said("........", ".####.##")
    assert (told.false_alarms, told.false, told.far) == (2, 6, 0.75)


def test_one_row_found_is_not_the_whole_event() -> None:
    told = said(".##########", ".#.........")
    assert told.mar == pytest.approx(0.9)
    assert told.f1 == pytest.approx(2 / 11)


def test_always_in_alarm_has_no_misses_and_every_false_row() -> None:
    told = said("..##", "####")
    assert (told.mar, told.far) == (0, 1)


@given(FLAGS, st.integers(0, 2**60 - 1))
def test_rows_are_all_counted_once(flags: list[bool], bits: int) -> None:
    labels = np.array(flags, np.int64)
    alarm = np.array([bits >> k & 1 for k in range(len(flags))], bool)
    told = count(labels, alarm)
    assert told.hit + told.missed == labels.sum()
    assert told.healthy_rows == len(flags) - labels.sum()
    assert told.found == len(told.delays) <= told.events
    assert 0 <= told.f1 <= 1


def test_counts_add_up_over_series() -> None:
    a, b = said("..##..", "..#..#"), said("##....", ".#....")
    both = a + b
    assert (both.events, both.found, both.delays) == (2, 2, (0, 1))
    assert both.false_alarms == a.false_alarms + b.false_alarms == 1


def test_nothing_counted_divides_by_nothing() -> None:
    assert (Count().f1, Count().far, Count().mar) == (0, 0, 0)
