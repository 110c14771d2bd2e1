"""The live view: what goes in, what is kept, and what a listener is told."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from bimetal.api import Live, ModelView, Stage
from bimetal.api.live import Mark
from bimetal.nouns.batch import Batch
from bimetal.nouns.errors import BadInput, NotFound
from bimetal.nouns.event import Event, Kind
from bimetal.nouns.signal import Signal
from tests.api.plant import BEGIN, SECOND, SIGNALS, event, rows, small


def blocks(frame: bytes | None) -> int:
    return struct.unpack_from("<I", frame, 4)[0] if frame else 0


@pytest.mark.parametrize("room", [{"window_s": 0}, {"window_s": float("nan")}, {"rows": 0}, {"alarms": 0}])
def test_a_view_needs_room(room: dict[str, float]) -> None:
    with pytest.raises(BadInput, match="needs some room"):
        Live(**room)


def test_readings_are_kept_by_device_and_signal() -> None:
    live = small()
    live.add_batch(rows([0, 1], [[1, 2], [3, np.nan]], "pump-2"))
    (times, values), more = live.readings_after("pump-2", None, 10)
    assert times.tolist() == [BEGIN, BEGIN + SECOND]
    np.testing.assert_equal(values, [[1, 2], [3, np.nan]])
    assert not more
    assert live.counters.readings == 3
    assert len(live.readings_after("pump-1", None, 10)[0][0]) == 0


def test_signals_are_matched_by_name_and_others_are_missing() -> None:
    live = small()
    batch = Batch(("pump-1",), (SIGNALS[1],), np.array([BEGIN]), np.zeros(1, np.int32), np.array([[7.0]]))
    live.add_batch(batch)
    np.testing.assert_equal(live.readings_after("pump-1", None, 1)[0][1], [[np.nan, 7.0]])


def test_a_batch_of_several_devices_is_parted() -> None:
    live = small()
    time_ns = BEGIN + np.arange(4) * SECOND
    live.add_batch(
        Batch(
            ("pump-2", "pump-1"),
            SIGNALS,
            time_ns,
            np.array([0, 1, 0, 1], np.int32),
            np.arange(8.0).reshape(4, 2),
        )
    )
    assert live.readings_after("pump-1", None, 9)[0][1].tolist() == [[2, 3], [6, 7]]
    assert live.readings_after("pump-2", None, 9)[0][1].tolist() == [[0, 1], [4, 5]]


def test_a_batch_with_anything_unknown_changes_nothing() -> None:
    live = small()
    with pytest.raises(NotFound, match="no device 'x'"):
        live.add_batch(
            Batch(("pump-1", "x"), SIGNALS, np.full(2, BEGIN), np.array([0, 1], np.int32), np.zeros((2, 2)))
        )
    with pytest.raises(NotFound, match="no signal 'heat'"):
        live.add_batch(
            Batch(("pump-1",), (Signal("heat"),), np.array([BEGIN]), np.zeros(1, np.int32), np.zeros((1, 1)))
        )
    assert live.counters.readings == 0
    assert live.newest_of("pump-1") == (None, None)


def test_an_unknown_device_without_rows_is_no_matter() -> None:
    live = small()
    live.add_batch(Batch(("x", "pump-1"), SIGNALS, np.array([BEGIN]), np.ones(1, np.int32), np.zeros((1, 2))))
    assert live.newest_of("pump-1")[0] == BEGIN


def test_late_readings_are_counted() -> None:
    live = small()
    live.add_batch(rows([5, 6], 1.0))
    live.add_batch(rows([1, 7], 1.0))
    assert live.counters.late == 1


def test_scores_are_kept_and_time_watched_is_counted_once_watching() -> None:
    live = small()
    live.add_scores("pump-1", BEGIN, 0.4)
    live.add_scores("pump-1", [BEGIN + SECOND], [0.5])
    assert live.counters.watched_device_days == 0
    live.set_stage("watching")
    live.add_scores("pump-1", [BEGIN + 5 * SECOND, BEGIN + 9 * SECOND], np.array([0.6, np.nan]))
    live.add_scores("pump-1", [BEGIN], [9.0])
    assert live.counters.watched_device_days * 86_400 == pytest.approx(8)
    assert live.counters.scored == 5
    assert live.counters.late == 1
    assert np.isnan(live.newest_of("pump-1")[1])


@pytest.mark.parametrize(("times", "scores"), [([1, 2], [1.0]), ([[1]], [[1.0]]), ([], [1.0])])
def test_scores_need_their_times(times: object, scores: object) -> None:
    with pytest.raises(BadInput, match="cannot go with"):
        small().add_scores("pump-1", times, scores)


def test_scores_and_events_of_strangers_are_refused() -> None:
    with pytest.raises(NotFound):
        small().add_scores("pump-9", [1], [1.0])
    with pytest.raises(NotFound):
        small().add_event(event(device="pump-9"))


@pytest.mark.parametrize("stage", list(Stage))
def test_a_stage_is_told_by_its_name(stage: Stage) -> None:
    live = small()
    live.set_stage(stage.value, 1.7, "soon")
    assert (live.stage.stage, live.stage.progress, live.stage.words) == (stage, 1.0, "soon")


def test_an_unknown_stage_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match="listening, learning, watching"):
        small().set_stage("sleeping")


def test_counters_keep_what_is_not_told_again() -> None:
    live = small()
    live.set_counters(faults_injected=3, false_alarms=0)
    live.set_counters(faults_found=2)
    told = live.counters
    assert (told.faults_injected, told.faults_found, told.false_alarms, told.p99_ms) == (3, 2, 0, None)


def test_an_episode_is_one_alarm_however_often_it_is_said() -> None:
    live = small()
    numbers = {live.add_event(event(at=at)) for at in range(10, 15)}
    assert len(numbers) == 1
    assert live.counters.alarms == 1
    assert live.add_event(event(Kind.CLEARED, device="pump-2")) is None
    live.add_event(event(at=30, since=29))
    assert live.counters.alarms == 2


def test_whoever_asked_hears_of_an_acknowledgement() -> None:
    heard: list[Event] = []
    live = Live(acknowledged=heard.append)
    live.set_plant("p", ["pump-1"], SIGNALS)
    number = live.add_event(event())
    assert number is not None
    live.acknowledge(number)
    assert [e.device for e in heard] == ["pump-1"]
    with pytest.raises(NotFound):
        live.acknowledge(99)
    assert len(heard) == 1


def test_a_listener_is_told_everything_once() -> None:
    live = small()
    live.add_batch(rows(range(5), 1.0))
    live.add_scores("pump-2", [BEGIN], [0.5])
    assert blocks(live.frame_after(Mark(), 1)) == 2
    mark = live.mark()
    assert live.frame_after(mark, 2) is None
    live.add_batch(rows([6], 1.0))
    assert blocks(live.frame_after(mark, 3)) == 1


def test_a_new_plant_starts_anew() -> None:
    live = small()
    live.add_batch(rows(range(5), 1.0))
    live.add_event(event())
    mark = live.mark()
    live.set_plant("Other", ["pump-1"], SIGNALS)
    assert len(live.alarms) == 0
    assert live.frame_after(mark, 1) is None
    live.add_batch(rows([0], 1.0))
    assert blocks(live.frame_after(mark, 2)) == 1


def test_only_the_window_is_shown() -> None:
    live = small(window_s=10)
    live.add_batch(rows(range(100), 1.0))
    frame = live.frame_after(Mark(), 0)
    assert frame is not None
    assert struct.unpack_from("<I", frame, 16 + 12)[0] == 11


def test_a_listener_far_behind_gets_the_picture_not_every_point() -> None:
    live = small(window_s=10_000, rows=8000)
    live.add_batch(rows(range(8000), np.sin(np.arange(8000) / 50)))
    frame = live.frame_after(Mark(), 0)
    assert frame is not None
    assert len(frame) < 2 * 5 * 80 * 8 + 1000


def test_detail_is_drawn_finer_and_replaces() -> None:
    live = small(window_s=10_000, rows=8000)
    live.add_batch(rows(range(8000), np.sin(np.arange(8000) / 50)))
    live.add_scores("pump-1", [BEGIN], [0.5])
    coarse, fine = live.detail("pump-1", 100), live.detail("pump-1", 1000)
    assert len(fine) > 4 * len(coarse)
    assert fine[17] == 1
    assert blocks(fine) == 3
    assert len(live.detail("pump-1", 10**9)) == len(live.detail("pump-1", 2000))
    assert blocks(live.detail("pump-2", -5)) == 3
    with pytest.raises(NotFound):
        live.detail("pump-9", 10)


def test_a_model_can_come_and_go() -> None:
    live = small()
    before = live.revision
    live.set_model(ModelView("m", "abc", "a minute"))
    live.set_model(None)
    assert live.model is None
    assert live.model_revision == before + 2


def test_an_empty_plant_says_nothing() -> None:
    live = Live()
    assert live.frame_after(Mark(), 0) is None
    live.set_plant("Nothing", [], [])
    assert live.mark().readings == ()


def test_a_device_that_is_forgotten_leaves_the_others_as_they_were() -> None:
    live = small()
    live.add_batch(rows([0, 1], [[1, 2], [3, 4]], "pump-1"))
    live.add_batch(rows([0], [[5, 6]], "pump-2"))
    live.add_event(event(device="pump-1"))
    before = live.plant_revision
    live.forget("pump-1")
    live.forget("nobody")
    assert [d.id for d in live.plant.devices] == ["pump-2"]
    assert live.plant_revision > before, "every tab is told anew which there are"
    assert len(live.alarms) == 0
    assert live.readings_after("pump-2", None, 9)[0][1].tolist() == [[5, 6]]
    with pytest.raises(NotFound):
        live.readings_after("pump-1", None, 9)
    live.add_batch(rows([2], [[7, 8]], "pump-2"))
    assert live.newest_of("pump-2")[0] == BEGIN + 2 * SECOND


def test_what_is_older_than_its_purpose_is_shown_no_longer() -> None:
    live = small()
    live.add_batch(rows([0], [[1, 2]], "pump-1"))
    live.add_batch(rows([9], [[5, 6]], "pump-2"))
    live.add_event(event(device="pump-2"))
    live.forget_before(BEGIN + 5 * SECOND)
    assert len(live.alarms) == 1
    assert [d.id for d in live.plant.devices] == ["pump-2"]
    live.forget_before(BEGIN + 10**6 * SECOND)
    assert live.plant.devices == ()
    assert len(live.alarms) == 0
