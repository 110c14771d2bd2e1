"""What is said on the page goes into the model that watches: its file, and the stream as it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bimetal.api import Live
from bimetal.api.feedback import Said
from bimetal.bundle.seal import read
from bimetal.cli.judging import Judging, shown_on
from bimetal.keep.archive import Archive
from bimetal.learn.calibrate import parse_budget
from bimetal.learn.card import card_of
from bimetal.learn.dataset import History
from bimetal.learn.train import train
from bimetal.nouns import Batch, Event, Kind
from bimetal.nouns.errors import BadInput, NotFound
from bimetal.packs.machine.simulator import simulate
from bimetal.program.digest import digest
from bimetal.spine import HotWalk, bundle_of, scorer_of, stream_of
from bimetal.targets.present import fastest
from bimetal.tell.alarm import Alarms
from bimetal.tell.outbox import Outbox
from bimetal.trust.admit import Admission
from bimetal.wire.codecs.json import JsonCodec

BATCH, _ = simulate("overheating", 2, 120.0, 10.0, 1, learn_s=50.0)
NOW_NS = 120 * 10**9


@pytest.fixture
def judging(tmp_path: Path) -> Iterator[Judging]:
    """A walk over two pumps with a model, and their readings kept."""
    early = np.flatnonzero(BATCH.time_ns < 50 * 10**9)
    history = History(BATCH.signals)
    history.add(
        Batch(BATCH.devices, BATCH.signals, BATCH.time_ns[early], BATCH.device[early], BATCH.values[early])
    )
    learned = train(history, parse_budget("1/week"), fastest(), 0.1, lambda _stage, _part: None)
    bundle = bundle_of(learned, 0, lambda _stage, _part: None)
    archive, outbox = Archive(tmp_path / "kept"), Outbox({})
    archive.segments.append(BATCH)
    walk = HotWalk(JsonCodec(), {}, Admission(None), archive, Alarms(), outbox)
    walk.adopt(stream_of("plant", bundle, fastest()), 0, NOW_NS)
    yield Judging(walk, {"plant": (tmp_path / "plant.bm", bundle)})
    outbox.close()
    archive.close()


def alarm_of(judging: Judging) -> Event:
    """The first alarm in the readings, as the stream would number it."""
    events = judging.walk.streams[0].scorer.advance({}, BATCH)[1].events
    first = next(e for e in events if e.kind is Kind.ALARM)
    return replace(first, id=f"1:0:plant:{first.device}")


def test_the_stream_goes_on_with_what_was_said(judging: Judging) -> None:
    alarm, stream = alarm_of(judging), judging.walk.streams[0]
    states, key = stream.states, stream.key
    words = judging.judge(Said(alarm, "not a fault", "hot day", False))
    assert "was not a fault ('hot day')" in words
    assert stream.states is states
    assert stream.key != key
    events = stream.scorer.advance({}, BATCH)[1].events
    assert not [
        e for e in events if e.kind is Kind.ALARM and (e.device, e.time_ns) == (alarm.device, alarm.time_ns)
    ]
    path, bundle = judging.models["plant"]
    assert card_of(read(path).bundle.card) == card_of(bundle.card)
    assert [x.name for x in card_of(bundle.card).labels] == ["hot day"]
    again = scorer_of(read(path).bundle, fastest()).advance({}, BATCH)[1].events
    assert repr(again) == repr(events)


def test_a_sensor_that_was_not_at_fault_is_told_no_more(judging: Judging) -> None:
    """The second pump's pressure stands still: that is told, said to be no fault, and not told again."""
    still = BATCH.values.copy()
    rows = np.flatnonzero((BATCH.device == 1) & (BATCH.time_ns > 60 * 10**9))
    at = [s.name for s in BATCH.signals].index("pressure")
    still[rows[:300], at] = still[rows[0], at]
    batch = replace(BATCH, values=still, time_ns=BATCH.time_ns + NOW_NS)
    judging.walk.archive.segments.append(batch)

    def notices() -> list[Event]:
        events = judging.walk.streams[0].scorer.advance({}, batch)[1].events
        return [e for e in events if e.kind is Kind.QUALITY and "repeated" in e.sentence]

    (notice,) = notices()
    assert notice.device == BATCH.devices[1]
    assert [r.signal for r in notice.reasons if r.share > 0] == ["pressure"]
    words = judging.judge(Said(replace(notice, id="2:0:plant:x"), "not a fault", "valve shut", False))
    assert "the notice about pressure" in words
    assert "1 notice before, 0 now" in words
    assert not notices()


def test_what_is_no_alarm_of_a_model_is_refused_and_changes_nothing(judging: Judging) -> None:
    alarm = alarm_of(judging)
    with pytest.raises(BadInput, match="only an alarm"):
        judging.judge(Said(replace(alarm, kind=Kind.DRIFT), "fault", "", False))
    with pytest.raises(BadInput, match="nothing was said of the sensor"):
        judging.judge(Said(replace(alarm, kind=Kind.QUALITY), "fault", "", False))
    with pytest.raises(BadInput, match="no alarm at that time"):
        judging.judge(Said(replace(alarm, time_ns=20 * 10**9), "not a fault", "", False))
    judging.models["other"] = judging.models["plant"]
    with pytest.raises(NotFound, match="no longer watches"):
        judging.judge(Said(replace(alarm, id="1:0:gone:pump-01"), "fault", "", False))
    assert not judging.models["plant"][0].exists()


def test_the_page_shows_the_model_as_it_is_from_then_on(judging: Judging) -> None:
    page = Live()

    async def say() -> None:
        judging.changed = shown_on(page, asyncio.get_running_loop())
        await asyncio.to_thread(judging.judge, Said(alarm_of(judging), "fault", "", True))
        await asyncio.sleep(0)

    asyncio.run(say())
    assert page.model is not None
    assert page.model.digest == digest(judging.models["plant"][1].program).hex()
