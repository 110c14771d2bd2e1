"""What a server takes in is counted once, by whichever thread, and never takes much room."""

from __future__ import annotations

from dataclasses import asdict, replace
from threading import Thread

import msgspec
import pytest

from bimetal.nouns.errors import BadInput
from bimetal.stream.meter import MOST_SPELLS, History, Meter, Spell
from tests.stream.spells import MINUTE, NOW, history


class Clock:
    """Processor time that goes on by a second with every look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def test_a_batch_is_counted_by_station() -> None:
    meter = Meter(Clock(), lambda: 0.0)
    with meter.call() as call:
        call.decoded([0] * 2, 6)
        call.kept()
        call.scored()
    meter.waited(0.5)
    meter.waited(0.2)
    meter.turned_away()
    spell = meter.cut()
    assert (spell.messages, spell.readings, spell.calls, spell.turned_away) == (2, 6, 1, 1)
    assert (spell.decode_s, spell.keep_s, spell.score_s, spell.walk_s) == (1.0, 1.0, 1.0, 3.0)
    assert (spell.squares, spell.products, spell.delay_s) == (36.0, 18.0, 0.5)
    assert meter.cut() == Spell(0, 0)


def test_what_raises_or_holds_nothing_is_not_counted() -> None:
    meter = Meter(Clock(), lambda: 0.0)

    def fails() -> None:
        with meter.call() as call:
            call.decoded([0] * 1, 3)
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011
        fails()
    with meter.call() as call:
        call.decoded([0] * 5, 0)
    assert meter.cut() == Spell(0, 0)


def test_threads_lose_no_batch() -> None:
    meter = Meter(lambda: 0.0, lambda: 0.0)

    def work() -> None:
        for _ in range(2000):
            with meter.call() as call:
                call.decoded([0] * 1, 3)
            meter.turned_away()

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spell = meter.cut()
    assert (spell.calls, spell.readings, spell.turned_away) == (16_000, 48_000, 16_000)


def test_a_long_history_stays_small_and_loses_no_reading() -> None:
    kept, came = History(), 0
    for k in range(10_000):
        kept = kept.add(Spell(k * MINUTE, (k + 1) * MINUTE, readings=k))
        came += k
    assert len(kept.spells) <= MOST_SPELLS
    assert sum(s.readings for s in kept.spells) == came
    assert kept.spells[-1].seconds == 60
    assert kept.spells[0].seconds > 600
    assert [s.end_ns for s in kept.spells[:-1]] == [s.begin_ns for s in kept.spells[1:]]


def test_spells_with_a_stop_between_them_stay_apart() -> None:
    kept = History()
    for k in range(MOST_SPELLS + 1):
        begin = (k + 100 * (k % 2)) * MINUTE + k * 200 * MINUTE
        kept = kept.add(Spell(begin, begin + MINUTE, readings=1))
    assert all(s.seconds == 60 for s in kept.spells)


def test_a_clock_set_back_begins_the_history_anew_and_one_that_stands_adds_nothing() -> None:
    kept = history(lambda _: 100.0)
    assert kept.add(Spell(NOW, NOW)) is kept
    earlier = Spell(NOW - 50 * MINUTE, NOW - 49 * MINUTE, readings=5)
    assert kept.add(earlier).spells == (earlier,)


def test_a_spell_that_reaches_back_is_cut() -> None:
    kept = History().add(Spell(0, MINUTE)).add(Spell(MINUTE // 2, 2 * MINUTE))
    assert kept.spells[-1].begin_ns == MINUTE


def test_a_history_is_read_back() -> None:
    kept = history(lambda _: 100.0)
    assert History.decode(kept.encode(), "x") == kept


SPELL = asdict(history(lambda _: 100.0).spells[0])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff",
        b"[]",
        b'{"spells": 5}',
        b'{"spells": [{"begin_ns": "soon", "end_ns": 5}]}',
        b'{"spells": [{"begin_ns": 9, "end_ns": 5}]}',
        b'{"spells": [{"begin_ns": 1e400, "end_ns": 5}]}',
        msgspec.json.encode({"spells": [SPELL, SPELL]}),
        history(lambda _: 100.0).encode()[:-40],
    ],
)
def test_what_is_no_history_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(BadInput, match="history") as refused:
        History.decode(content, "kept/headroom.json")
    assert "kept/headroom.json" in refused.value.sentence()


@pytest.mark.parametrize("name", ["readings", "disk_free", "memory_bytes", "calls", "sealed_rows"])
def test_a_history_with_less_than_nothing_is_refused(name: str) -> None:
    spell = replace(history(lambda _: 100.0).spells[0], **{name: -1})
    with pytest.raises(BadInput, match="less than nothing"):
        History.decode(History((spell,)).encode(), "x")
