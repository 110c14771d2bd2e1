"""The hot walk: what arrives is kept, scored and told, and a stream says what its replay says."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bimetal.keep.archive import Archive
from bimetal.learn.calibrate import Budget
from bimetal.learn.dataset import history_of
from bimetal.nouns.batch import Batch
from bimetal.nouns.errors import Unsupported
from bimetal.nouns.event import Event
from bimetal.packs.machine import MachinePack
from bimetal.packs.machine.simulator import simulate
from bimetal.spine import HotWalk, Lesson, Taught, scorer_of, stream_of, teach
from bimetal.targets.present import fastest
from bimetal.tell.alarm import Alarms, Notice
from bimetal.tell.outbox import Outbox
from bimetal.trust.admit import Admission
from bimetal.wire.codecs.json import JsonCodec
from bimetal.wire.transport import Message

BEGIN_NS = 1_767_225_600_000_000_000
LEARN_NS = BEGIN_NS + 30 * 10**9
MANIFEST = MachinePack().manifest()
SIGNALS = tuple(s.signal for s in MANIFEST.signals)


class Heard:
    """A channel that remembers what it was told."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    def tell(self, notice: Notice) -> None:
        """Remember a notice."""
        self.notices.append(notice)

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture(scope="module")
def readings() -> Batch:
    """Four machines for 80 s; faults after the first 30."""
    return simulate("faults", 4, 80.0, 10, 1, learn_s=30.0, start_ns=BEGIN_NS)[0]


def part(batch: Batch, rows: np.ndarray) -> Batch:
    """Some rows of a batch."""
    return Batch(batch.devices, batch.signals, batch.time_ns[rows], batch.device[rows], batch.values[rows])


@pytest.fixture(scope="module")
def taught(readings: Batch) -> Taught:
    """A model learned from the healthy stretch."""
    lesson = Lesson(Budget(1, "hour"), fastest(), BEGIN_NS)
    history = history_of([part(readings, readings.time_ns < LEARN_NS)])
    return teach(history, 0.1, ("simulated",), lesson, lambda _stage, _part: None)


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[tuple[HotWalk, Heard]]:
    """A walk into a folder of its own, and the channel it tells."""
    archive, channel = Archive(tmp_path / "data"), Heard()
    outbox = Outbox({"heard": channel})
    admission = Admission({s.signal.name: s.purpose for s in MANIFEST.signals})
    yield HotWalk(JsonCodec(), {s.name: s for s in SIGNALS}, admission, archive, Alarms(), outbox), channel
    outbox.close()
    archive.close()


def messages(batch: Batch) -> list[Message]:
    """A batch as its machines would publish it."""
    found: list[Message] = []
    for time_ns, device, values in zip(
        batch.time_ns.tolist(), batch.device.tolist(), batch.values.tolist(), strict=True
    ):
        said = {"ts": time_ns // 10**6, **{s.name: v for s, v in zip(SIGNALS, values, strict=True)}}
        name = batch.devices[device]
        found.append(Message(f"readings/{name}", json.dumps(said).encode(), name, time_ns, 1))
    return found


def hear_all(walk: HotWalk, batch: Batch, step: int) -> list[Event]:
    """Hear a batch in portions; return every event that came of it."""
    events: list[Event] = []
    said = messages(batch)
    for at in range(0, len(said), step):
        some = said[at : at + step]
        heard = walk.hear(some, some[-1].received_ns)
        assert heard.poison == ()
        events += heard.events
    return events + list(walk.settle(batch.time_ns[-1].item() + 10**12).events)


def test_before_a_model_is_adopted_everything_is_kept_and_nothing_said(
    walk: tuple[HotWalk, Heard], readings: Batch
) -> None:
    hot, _ = walk
    early = part(readings, readings.time_ns < LEARN_NS)
    assert hear_all(hot, early, 7) == []
    kept = hot.archive.segments.batch(signals=[s.name for s in SIGNALS])
    order = np.lexsort((early.time_ns, early.device))
    np.testing.assert_array_equal(kept.time_ns, early.time_ns[order])
    np.testing.assert_array_equal(kept.values, early.values[order])


@pytest.mark.parametrize("step", [1, 13, 400])
def test_a_stream_says_what_its_replay_says(
    walk: tuple[HotWalk, Heard], readings: Batch, taught: Taught, step: int
) -> None:
    hot, channel = walk
    hear_all(hot, part(readings, readings.time_ns < LEARN_NS), 50)
    hot.adopt(stream_of("plant", taught.bundle, fastest()), BEGIN_NS, LEARN_NS)
    events = hear_all(hot, part(readings, readings.time_ns >= LEARN_NS), step)
    _, replayed = scorer_of(taught.bundle, fastest()).advance({}, readings)
    expected = [e for e in replayed.events if e.time_ns >= LEARN_NS]
    assert expected
    key = lambda e: (e.time_ns, e.device, e.kind, e.sentence)  # noqa: E731
    assert sorted(events, key=key) == sorted(expected, key=key)
    told = hot.archive.events.read()
    assert [key(e) for e in sorted(told.events, key=key)] == [key(e) for e in sorted(expected, key=key)]
    hot.outbox.close()
    assert channel.notices
    assert {n.event.device for n in channel.notices} <= set(readings.devices)


def test_what_cannot_be_used_is_kept_apart_as_it_came(walk: tuple[HotWalk, Heard]) -> None:
    hot, _ = walk
    sent = [
        Message("readings/pump-01", b'{"ts": 1767225600000, "pressure": 2.0}', "pump-01", BEGIN_NS, 1),
        Message("readings/pump-01", b'{"ts": \xff', "pump-01", BEGIN_NS + 1, 1),
        Message("elsewhere", b"{}", "pump-02", BEGIN_NS + 2, 1),
    ]
    heard = hot.hear(sent, BEGIN_NS)
    assert heard.kept.readings == 1
    kept = {m.refused.topic: m.refused for m in hot.archive.quarantine.read().messages}
    assert {topic: (m.payload, m.client, m.time_ns) for topic, m in kept.items()} == {
        m.topic: (m.payload, m.client_id, m.received_ns) for m in sent[1:]
    }
    assert all(m.reason for m in kept.values())


def test_what_has_no_purpose_is_neither_kept_nor_shown(walk: tuple[HotWalk, Heard]) -> None:
    hot, _ = walk
    content = b'{"ts": 1767225600000, "pressure": 2.0, "faces": 3}'
    heard = hot.hear([Message("readings/pump-01", content, "pump-01", BEGIN_NS, 1)], BEGIN_NS)
    assert [s.name for s in heard.kept.signals] == [s.name for s in SIGNALS]
    assert {h.signal for h in hot.archive.segments.held()} == {"pressure"}


def test_what_cannot_be_kept_is_not_scored_either(
    walk: tuple[HotWalk, Heard], readings: Batch, taught: Taught, monkeypatch: pytest.MonkeyPatch
) -> None:
    hot, _ = walk
    hot.adopt(stream_of("plant", taught.bundle, fastest()), BEGIN_NS, BEGIN_NS)
    some = messages(part(readings, readings.time_ns < BEGIN_NS + 10**9))

    def full(batch: Batch) -> int:
        raise Unsupported("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(type(hot.archive.segments), "append", lambda _self, batch, **_: full(batch))
        with pytest.raises(Unsupported, match="full"):
            hot.hear(some, BEGIN_NS)
    heard = hot.hear(some, BEGIN_NS)
    assert heard.kept.readings == len(some) * len(SIGNALS)
    assert [len(s.late) for s in heard.streamed] == [0]


def test_events_that_could_not_be_kept_are_kept_before_the_next(
    walk: tuple[HotWalk, Heard], readings: Batch, taught: Taught, monkeypatch: pytest.MonkeyPatch
) -> None:
    hot, _ = walk
    hear_all(hot, part(readings, readings.time_ns < LEARN_NS), 400)
    hot.adopt(stream_of("plant", taught.bundle, fastest()), BEGIN_NS, LEARN_NS)
    rest = messages(part(readings, readings.time_ns >= LEARN_NS))

    def full(*_: object) -> None:
        raise Unsupported("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(type(hot.archive.events), "append", full)
        with pytest.raises(Unsupported, match="full"):
            hot.hear(rest, rest[-1].received_ns)
    assert hot.archive.events.read().events == ()
    again = hot.hear(rest, rest[-1].received_ns)
    _, replayed = scorer_of(taught.bundle, fastest()).advance({}, readings)
    expected = [e for e in replayed.events if e.time_ns >= LEARN_NS]
    told = hot.archive.events.read().events
    assert sorted(told, key=repr) == sorted([*expected[: len(told)]], key=repr)
    assert len(told) >= len(expected) - 4
    assert again.events == ()


def test_an_erased_device_is_forgotten_by_its_streams_and_alarms(
    walk: tuple[HotWalk, Heard], readings: Batch, taught: Taught
) -> None:
    hot, _ = walk
    hear_all(hot, part(readings, readings.time_ns < LEARN_NS), 400)
    hot.resume([stream_of("plant", taught.bundle, fastest())], BEGIN_NS, LEARN_NS)
    hear_all(hot, part(readings, readings.time_ns >= LEARN_NS), 400)
    device = hot.alarms.all()[0].event.device
    hot.save()
    asked = hot.archive.erasures.ask(device, secrets.token_bytes, BEGIN_NS)
    assert hot.erase(asked, {"sessions": 1}).found["sessions"] == 1
    assert device not in hot.streams[0].states
    assert device not in hot.streams[0].waiting
    assert device not in {a.event.device for a in hot.alarms.all()}
    files = [p for p in hot.archive.folder.rglob("*") if p.is_file() and p.suffix != ".parquet"]
    assert not [p.name for p in files if device.encode() in p.read_bytes()]
    again = stream_of("plant", taught.bundle, fastest())
    hot.resume([again], BEGIN_NS, LEARN_NS)
    assert set(again.states) == set(readings.devices) - {device}
