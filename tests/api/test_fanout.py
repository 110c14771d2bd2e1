"""Many tabs, each told once what is new, in step or far behind."""

from __future__ import annotations

import asyncio
import json

import pytest

from bimetal.api.fanout import MOST_TABS, Fanout, Tab
from tests.api.plant import event, rows, small


def kinds(messages: list[bytes]) -> list[str]:
    return [json.loads(m)["type"] for m in messages]


def joined(fanout: Fanout) -> Tab:
    tab = fanout.join()
    assert tab is not None
    return tab


async def beats(fanout: Fanout, count: int) -> None:
    for _ in range(count):
        await fanout.next_pulse()


def test_a_late_tab_gets_everything_and_then_nothing() -> None:
    live = small()
    live.add_batch(rows(range(5), 1.0))
    fanout = Fanout(live)
    tab = joined(fanout)
    told, frame = fanout.take_for(tab)
    assert kinds(told) == ["hello", "counters"]
    assert frame is not None
    assert fanout.take_for(tab) == ([], None)


def test_tabs_in_step_share_one_frame() -> None:
    live = small()
    fanout = Fanout(live)
    tabs = [joined(fanout) for _ in range(3)]
    live.add_batch(rows([0], 1.0))
    frames = [fanout.take_for(tab)[1] for tab in tabs]
    assert frames[0] is not None
    assert all(f is frames[0] for f in frames)


def test_a_tab_that_was_away_gets_what_it_missed_in_one_frame() -> None:
    live = small(rows=8000, window_s=10_000)
    fanout = Fanout(live)
    quick, slow = joined(fanout), joined(fanout)
    fanout.take_for(slow)
    fanout.take_for(quick)
    lengths = []
    for second in range(3000):
        live.add_batch(rows([second], second % 7))
        lengths.append(len(fanout.take_for(quick)[1] or b""))
    live.add_event(event())
    told, frame = fanout.take_for(slow)
    assert kinds(told) == ["event"]
    assert frame is not None
    assert len(frame) < sum(lengths) / 10
    assert fanout.take_for(slow) == ([], None)


def test_there_is_room_for_so_many_tabs() -> None:
    fanout = Fanout(small())
    tabs = [joined(fanout) for _ in range(MOST_TABS)]
    assert fanout.join() is None
    fanout.leave(tabs[0])
    fanout.leave(tabs[0])
    assert fanout.tabs == MOST_TABS - 1
    assert fanout.join() is not None


def test_counters_come_now_and_then() -> None:
    async def play() -> list[int]:
        fanout = Fanout(small(), tick_s=0.001)
        tab = joined(fanout)
        running = asyncio.create_task(fanout.run())
        counted = []
        for _ in range(11):
            counted.append(kinds(fanout.take_for(tab)[0]).count("counters"))
            await beats(fanout, 1)
        running.cancel()
        return counted

    assert asyncio.run(play()) == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]


def test_the_pulse_keeps_its_pace() -> None:
    async def play() -> float:
        fanout = Fanout(small(), tick_s=0.01)
        running = asyncio.create_task(fanout.run())
        clock = asyncio.get_running_loop().time
        start = clock()
        await beats(fanout, 30)
        running.cancel()
        return clock() - start

    # Late wake-ups are made up for, so thirty beats take hardly longer than thirty ticks.
    assert asyncio.run(play()) == pytest.approx(0.3, abs=0.15)


def test_when_it_ends_everybody_wakes_and_nobody_comes_in() -> None:
    async def play() -> Fanout:
        fanout = Fanout(small(), tick_s=60)
        running = asyncio.create_task(fanout.run())
        waiting = asyncio.create_task(fanout.next_pulse())
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait_for(waiting, 2)
        return fanout

    fanout = asyncio.run(play())
    assert fanout.closed
    assert fanout.join() is None
