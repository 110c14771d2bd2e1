"""The life of an alarm: one trouble is told once, nothing is forgotten, and rules do not depend on luck."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.nouns import Cause, Kind
from bimetal.nouns.errors import BadInput, NotFound
from bimetal.tell.alarm import REGROUP_NS, WEEK_NS, Alarms, Life
from tests.tell.given import SECOND, START, event

REGROUP_S = REGROUP_NS / SECOND


def opened() -> Alarms:
    alarms = Alarms()
    alarms.take(event(0))
    return alarms


def test_a_new_trouble_is_told() -> None:
    alarms = Alarms()
    (notice,) = alarms.take(event(0))
    assert notice.event == event(0)
    assert alarms.all() == (notice.alarm,)
    assert (notice.alarm.life, notice.alarm.repeats, notice.alarm.told) == (Life.OPEN, 1, 1)


def test_the_same_trouble_again_is_counted_and_not_told() -> None:
    alarms = opened()
    assert alarms.take(event(5, score=9.0)) == ()
    assert alarms.take(event(6, score=1.0)) == ()
    (alarm,) = alarms.all()
    assert (alarm.repeats, alarm.event.score, alarm.last_ns) == (3, 9.0, START + 6 * SECOND)


@pytest.mark.parametrize(
    "other", [event(1, device="fan"), event(1, cause=Cause.SENSOR), event(1, kind=Kind.QUALITY)]
)
def test_another_device_kind_or_cause_is_another_trouble(other) -> None:
    alarms = opened()
    assert len(alarms.take(other)) == 1
    assert len(alarms.all()) == 2


def test_an_end_is_told_when_it_is_sure() -> None:
    alarms = opened()
    over = event(10, Kind.CLEARED)
    assert alarms.take(over) == ()
    assert alarms.find(1).life is Life.CLOSED
    assert alarms.wake(over.time_ns + REGROUP_NS) == ()
    (notice,) = alarms.wake(over.time_ns + REGROUP_NS + 1)
    assert notice.event == over
    assert alarms.wake(over.time_ns + 2 * REGROUP_NS) == ()


def test_what_begins_again_soon_is_the_same_alarm_and_nobody_hears_of_it() -> None:
    alarms = opened()
    for k in range(1, 20):
        assert alarms.take(event(20 * k, Kind.CLEARED)) == ()
        assert alarms.take(event(20 * k + 10)) == ()
        assert alarms.wake(START + (20 * k + 11) * SECOND) == ()
    (alarm,) = alarms.all()
    assert (alarm.repeats, alarm.told, alarm.life) == (20, 1, Life.OPEN)


def test_what_begins_again_later_is_a_new_alarm() -> None:
    alarms = opened()
    alarms.take(event(10, Kind.CLEARED))
    assert len(alarms.take(event(11 + REGROUP_S))) == 1
    assert [a.life for a in alarms.all()] == [Life.CLOSED, Life.OPEN]


def test_an_end_closes_only_its_own_cause_and_device() -> None:
    alarms = opened()
    alarms.take(event(1, Kind.QUALITY, Cause.SENSOR))
    alarms.take(event(1, device="fan"))
    alarms.take(event(2, Kind.CLEARED, Cause.SENSOR))
    assert [a.life for a in alarms.all()] == [Life.OPEN, Life.CLOSED, Life.OPEN]


def test_a_person_sees_and_closes() -> None:
    alarms = opened()
    assert (alarms.see(1, "ada").life, alarms.find(1).who) == (Life.SEEN, "ada")
    alarms.take(event(5))
    assert alarms.find(1).life is Life.SEEN
    closed = alarms.close(1, START + 9, "ada")
    assert (closed.life, closed.closed_ns) == (Life.CLOSED, START + 9)
    for move in (lambda: alarms.see(1, "ada"), lambda: alarms.close(1, START, "ada")):
        with pytest.raises(BadInput, match="closed already"):
            move()


def test_a_snoozed_alarm_comes_back_and_is_told_again() -> None:
    alarms = opened()
    alarms.snooze(1, START + 100, START, "ada")
    alarms.take(event(0))
    assert alarms.find(1).life is Life.SNOOZED
    assert alarms.wake(START + 99) == ()
    (notice,) = alarms.wake(START + 100)
    assert (notice.alarm.life, notice.alarm.told) == (Life.OPEN, 2)
    assert alarms.wake(START + 101) == ()


def test_what_ends_while_snoozed_does_not_come_back() -> None:
    alarms = opened()
    alarms.snooze(1, START + 100 * SECOND, START, "ada")
    alarms.take(event(1, Kind.CLEARED))
    assert alarms.wake(START + 100 * SECOND) == ()


def test_snoozing_into_the_past_is_refused() -> None:
    with pytest.raises(BadInput, match="later time"):
        opened().snooze(1, START, START, "ada")


@pytest.mark.parametrize("number", [0, 2, -1])
def test_an_unknown_number_is_not_found(number: int) -> None:
    with pytest.raises(NotFound):
        opened().see(number, "ada")


def test_an_end_of_nothing_changes_nothing() -> None:
    alarms = Alarms()
    assert alarms.take(event(1, Kind.CLEARED)) == ()
    assert alarms.all() == ()


def test_memory_is_bounded_and_closed_ones_go_first() -> None:
    alarms = Alarms(most=3)
    for k in range(3):
        alarms.take(event(k, device=f"d{k}"))
    alarms.take(event(4, Kind.CLEARED, device="d1"))
    alarms.take(event(5, device="d3"))
    assert [a.event.device for a in alarms.all()] == ["d0", "d2", "d3"]
    alarms.take(event(6, device="d4"))
    assert [a.event.device for a in alarms.all()] == ["d2", "d3", "d4"]
    assert alarms.take(event(7, device="d1"))


def test_an_erased_device_has_no_alarms() -> None:
    alarms = opened()
    alarms.take(event(1, device="fan"))
    assert alarms.erase("pump") == 1
    assert [a.event.device for a in alarms.all()] == ["fan"]
    assert len(alarms.take(event(2))) == 1


def test_alarms_go_on_where_they_were() -> None:
    alarms = opened()
    again = Alarms(alarms.all())
    assert again.take(event(3)) == ()
    assert again.take(event(3, device="fan"))[0].alarm.id == 2


def test_the_load_is_held_against_the_promise() -> None:
    alarms = opened()
    alarms.take(event(5))
    alarms.take(event(6, device="fan"))
    alarms.take(event(7, Kind.QUALITY, Cause.SENSOR))
    load = alarms.load(devices=4, since_ns=START, until_ns=START + WEEK_NS, per_device_week=1.0)
    assert (load.told, load.promised, load.ratio) == (2, 4.0, 0.5)
    assert alarms.load(4, START + SECOND, START + 2 * SECOND, 1.0).told == 0
    assert math.isinf(alarms.load(0, START, START + WEEK_NS, 1.0).ratio)
    assert Alarms().load(0, 5, 1, 1.0).ratio == 0.0


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2000),
            st.sampled_from([Kind.ALARM, Kind.CLEARED]),
            st.sampled_from(["a", "b"]),
        ),
        max_size=30,
    )
)
def test_people_hear_of_each_trouble_once_and_of_its_end_once(steps: list[tuple[int, Kind, str]]) -> None:
    alarms = Alarms()
    heard: list[tuple[str, Kind]] = []
    for at_s, kind, device in sorted(steps, key=lambda s: s[0]):
        notices = alarms.wake(START + at_s * SECOND) + alarms.take(event(at_s, kind, device=device))
        heard += [(n.event.device, n.event.kind) for n in notices]
    for device in "ab":
        kinds = [k for d, k in heard if d == device]
        assert kinds == [(Kind.ALARM, Kind.CLEARED)[k % 2] for k in range(len(kinds))]
