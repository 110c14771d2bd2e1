"""Alarms: grouped by device, kind and cause; opened, seen, closed and opened again."""

from __future__ import annotations

import pytest

from bimetal.api.alarm import AlarmList, Life
from bimetal.nouns.errors import NotFound
from bimetal.nouns.event import Cause, Kind
from tests.api.plant import BEGIN, SECOND, event


def test_events_of_one_episode_are_one_alarm() -> None:
    alarms = AlarmList(10)
    (first,) = alarms.take(event(at=10), 1)
    (second,) = alarms.take(event(at=11, sentence="Worse."), 2)
    assert first is second
    assert (second.repeats, second.revision, second.event.sentence) == (1, 2, "Worse.")
    assert len(alarms) == 1


def test_a_new_episode_counts_and_opens_what_was_seen() -> None:
    alarms = AlarmList(10)
    (alarm,) = alarms.take(event(since=5), 1)
    alarms.acknowledge(alarm.id, 2)
    assert alarm.life is Life.SEEN
    alarms.take(event(at=40, since=35), 3)
    assert (alarm.life, alarm.repeats) == (Life.OPEN, 2)
    assert alarm.first_ns == BEGIN + 5 * SECOND


def test_more_of_an_episode_already_seen_stays_seen() -> None:
    alarms = AlarmList(10)
    (alarm,) = alarms.take(event(at=10), 1)
    alarms.acknowledge(alarm.id, 2)
    alarms.take(event(at=12), 3)
    assert alarm.life is Life.SEEN
    assert not alarm.fresh


def test_process_and_sensor_are_apart() -> None:
    alarms = AlarmList(10)
    alarms.take(event(), 1)
    alarms.take(event(cause=Cause.SENSOR), 2)
    alarms.take(event(Kind.CLEARED, at=20), 3)
    assert [a.event.cause for a in alarms.open_of("pump-1")] == [Cause.SENSOR]


def test_clearing_another_cause_closes_what_is_open() -> None:
    alarms = AlarmList(10)
    (alarm,) = alarms.take(event(cause=Cause.SENSOR), 1)
    (closed,) = alarms.take(event(Kind.CLEARED, at=20), 2)
    assert closed is alarm
    assert (alarm.life, alarm.closed_ns) == (Life.CLOSED, BEGIN + 20 * SECOND)
    assert alarm.event.kind is Kind.ALARM


def test_clearing_nothing_changes_nothing() -> None:
    alarms = AlarmList(10)
    assert alarms.take(event(Kind.CLEARED), 1) == ()
    assert list(alarms) == []


def test_the_same_fault_again_opens_the_closed_alarm() -> None:
    alarms = AlarmList(10)
    (alarm,) = alarms.take(event(), 1)
    alarms.take(event(Kind.CLEARED, at=20), 2)
    alarms.take(event(at=30, since=30), 3)
    assert (alarm.life, alarm.repeats, alarm.closed_ns) == (Life.OPEN, 2, None)


def test_acknowledging_what_is_over_leaves_it_over() -> None:
    alarms = AlarmList(10)
    (alarm,) = alarms.take(event(), 1)
    alarms.take(event(Kind.CLEARED, at=20), 2)
    alarms.acknowledge(alarm.id, 3)
    assert (alarm.life, alarm.revision) == (Life.CLOSED, 2)


def test_an_unknown_id_is_said_so() -> None:
    with pytest.raises(NotFound, match="no alarm has the id 7"):
        AlarmList(10).acknowledge(7, 1)


def test_what_is_over_is_forgotten_before_what_is_open() -> None:
    alarms = AlarmList(2)
    alarms.take(event(device="a"), 1)
    alarms.take(event(device="b"), 2)
    alarms.take(event(Kind.CLEARED, device="b", at=20), 3)
    alarms.take(event(device="c"), 4)
    assert [a.event.device for a in alarms] == ["a", "c"]
    alarms.take(event(device="d"), 5)
    assert [a.event.device for a in alarms] == ["c", "d"]


def test_ids_go_on_after_everything_is_forgotten() -> None:
    alarms = AlarmList(2)
    (first,) = alarms.take(event(), 1)
    alarms.forget_all()
    (second,) = alarms.take(event(), 2)
    assert second.id > first.id
