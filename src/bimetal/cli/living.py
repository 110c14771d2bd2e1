"""Living: the work of `bimetal demo`, imported when it is called.

machines (a process of their own) ── MQTT ──▶ HotWalk ──▶ what is kept, alarms, the page
          after the first stretch: what was kept ──▶ teach ──▶ HotWalk.adopt
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bimetal.api import Live, Stage, bind, create_app, serving
from bimetal.api.card import model_view
from bimetal.bundle.seal import write
from bimetal.cli.ending import stop_on_signals
from bimetal.cli.home import keys
from bimetal.cli.judging import Judging, shown_on
from bimetal.cli.pace import arrival_ns, quickest
from bimetal.cli.proving import prove
from bimetal.cli.saying import remark
from bimetal.cli.watching import Watching
from bimetal.keep.archive import Archive
from bimetal.learn.calibrate import Budget, parse_budget
from bimetal.learn.dataset import history_of
from bimetal.nouns.device import Device
from bimetal.nouns.errors import GateNotMet
from bimetal.packs.machine import MachinePack
from bimetal.packs.machine.live import DAY_S, LivePlant
from bimetal.packs.pack import Manifest
from bimetal.spine import HotWalk, Lesson, Taught, stream_of, teach
from bimetal.tell.alarm import Alarms
from bimetal.tell.channel import Channel
from bimetal.tell.channels.terminal import Terminal
from bimetal.tell.outbox import Outbox
from bimetal.trust.admit import Admission
from bimetal.wire.codecs.json import JsonCodec
from bimetal.wire.transports.mqtt import MqttListener

LEARN_S = 30.0
LEARN_SHARE = 0.35
"""A short run learns for this part of it."""
THINK_S = 8.0
THINK_SHARE = 0.1
"""No fault begins for so long after the stretch that is learned from: a busy computer needs it to learn."""
TICK_S = 0.5
LAST_WORDS_S = 0.5


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; `seconds` None: until interrupted; `page` None: no page."""

    seconds: float | None
    machines: int
    false_alarms: str
    seed: int
    page: int | None
    mqtt_port: int
    folder: Path | None


def live(wish: Wish, as_json: bool) -> None:
    """Run the demo to its end and report; raises GateNotMet when it had an end and a fault was missed."""
    parse_budget(wish.false_alarms)
    folder = wish.folder or Path(tempfile.mkdtemp(prefix="bimetal-demo-"))
    channels: dict[str, Channel] = {} if as_json else {"terminal": Terminal(sys.stdout)}
    archive, outbox = Archive(folder), Outbox(channels)
    demo = Demo(wish, archive, outbox)
    try:
        interrupted = asyncio.run(demo.run())
        archive.segments.seal()
    finally:
        outbox.close()
        archive.close()
    figures = demo.watching.figures() | {"data": str(folder)}
    click.echo(json.dumps(figures) if as_json else _summary(figures))
    if interrupted and wish.seconds is not None:
        raise KeyboardInterrupt
    if wish.seconds is not None and figures["missed"]:
        raise GateNotMet(
            f"{len(figures['missed'])} of {figures['faults_injected']} faults were not found: "
            f"{', '.join(figures['missed'])}",
            hint=f"What was said is in {folder / 'events'}",
        )


def _summary(figures: dict[str, Any]) -> str:
    first, p99 = figures["seconds_to_first_alarm"], figures["p99_ms"]
    return (
        f"\n{figures['faults_found']} of {figures['faults_injected']} faults found, "
        f"{figures['false_alarms']} false alarms; {figures['readings']:,} readings, "
        f"{figures['scored']:,} of them scored"
        + (f"; first alarm after {first:.0f} s" if first is not None else "")
        + (f"; from sensor to decision {p99:.1f} ms (p99)" if p99 is not None else "")
        + f".\nEverything is in {figures['data']}: remove it when you like."
    )


class Demo:
    """One run: the plant, the walk its messages take, and the page that shows it."""

    def __init__(self, wish: Wish, archive: Archive, outbox: Outbox) -> None:
        self._wish = wish
        self._manifest = MachinePack().manifest()
        self._learn_s = LEARN_S if wish.seconds is None else min(LEARN_S, LEARN_SHARE * wish.seconds)
        self._walk = _walk(self._manifest, archive, outbox)
        self._listener = MqttListener("127.0.0.1", wish.mqtt_port, self._deliver, now_ns=arrival_ns)
        self._stop = asyncio.Event()
        self._page = Live(window_s=120.0)
        self._judging = Judging(self._walk, {})
        self.watching = Watching(self._page, time.monotonic())

    async def run(self) -> bool:
        """Run to the end; returns whether somebody interrupted it."""
        self._judging.changed = shown_on(self._page, asyncio.get_running_loop())
        async with contextlib.AsyncExitStack() as stack:
            if self._wish.page is not None:
                url = await stack.enter_async_context(
                    serving(
                        create_app(self._page, judge=self._judging.judge), sock=bind(port=self._wish.page)
                    )
                )
                remark(f"Open {url}")
            await self._listener.start()
            stack.push_async_callback(self._listener.close)
            plant = self._plant()
            stack.push_async_callback(plant.close)
            stop_on_signals(self._stop)
            remark(f"Everything is kept in {self._walk.archive.folder}")
            self._page.set_plant(
                self._manifest.title,
                [Device(name, kind="pump") for name in plant.devices],
                [s.signal for s in self._manifest.signals],
            )
            await plant.start()
            self.watching.begin(plant.truth)
            await self._until_end(plant)
            interrupted = self._stop.is_set()
            await plant.close()
            await asyncio.sleep(LAST_WORDS_S)
        self.watching.take(self._walk.settle(time.time_ns()), time.time_ns())
        return interrupted

    async def _until_end(self, plant: LivePlant) -> None:
        learning = asyncio.create_task(self._learn(plant))
        try:
            while plant.running and not self._stop.is_set():
                if learning.done():
                    learning.result()
                self.watching.take(self._walk.settle(time.time_ns()), time.time_ns())
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), TICK_S)
        finally:
            learning.cancel()
            await asyncio.gather(learning, return_exceptions=True)

    async def _learn(self, plant: LivePlant) -> None:
        """Wait for the first stretch, learn from what was kept of it, and watch from then on."""
        begin_ns, ends_ns = plant.start_ns, plant.start_ns + round(self._learn_s * 1e9)
        remark(f"Learning what is normal from the first {self._learn_s:.0f} s ...")
        while (left_s := (ends_ns - time.time_ns()) / 1e9) > 0:
            words = f"About {left_s:.0f} s more; alarms begin after that."
            self._page.set_stage(Stage.LEARNING, 1 - left_s / self._learn_s, words)
            await asyncio.sleep(min(left_s, TICK_S))
        began_s = time.monotonic()
        taught = await asyncio.to_thread(self._teach, begin_ns)
        stream = stream_of("plant", taught.bundle, quickest())
        await asyncio.to_thread(self._walk.adopt, stream, begin_ns, time.time_ns())
        self._judging.models["plant"] = (self._model, taught.bundle)
        self._page.set_model(model_view("plant", taught.bundle))
        self._page.set_stage(Stage.WATCHING, 1.0, "Faults begin any moment; each alarm says why.")
        card = taught.learned.card
        remark(f"Learned from {card.rows:,} readings in {time.monotonic() - began_s:.1f} s; watching.")
        agreed = await asyncio.to_thread(prove, self._model)
        self._page.set_model(model_view("plant", taught.bundle, agreed))

    def _teach(self, begin_ns: int) -> Taught:
        kept = self._walk.archive.segments.batch(since_ns=begin_ns)
        budget: Budget = parse_budget(self._wish.false_alarms)
        lesson = Lesson(budget, quickest(), time.time_ns())
        period_s = self._manifest.signals[0].signal.period_s
        taught = teach(history_of([kept]), period_s, ("demo",), lesson, lambda _stage, _part: None)
        write(self._model, taught.bundle, keys().signing_key())
        return taught

    @property
    def _model(self) -> Path:
        return self._walk.archive.folder / "plant.bm"

    async def _deliver(self, messages: list[Any]) -> None:
        heard = await asyncio.to_thread(self._walk.hear, messages, time.time_ns())
        self.watching.take(heard, time.time_ns())

    def _plant(self) -> LivePlant:
        return LivePlant(
            self._listener.port,
            machines=self._wish.machines,
            seconds=self._wish.seconds or DAY_S,
            learn_s=self._learn_s + min(THINK_S, THINK_SHARE * (self._wish.seconds or DAY_S)),
            seed=self._wish.seed,
        )


def _walk(manifest: Manifest, archive: Archive, outbox: Outbox) -> HotWalk:
    signals = {s.signal.name: s.signal for s in manifest.signals}
    admission = Admission({s.signal.name: s.purpose for s in manifest.signals})
    return HotWalk(JsonCodec(), signals, admission, archive, Alarms(), outbox)
