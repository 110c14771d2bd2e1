"""Serving: the work of `bimetal serve`, imported when it is called.

MQTT ────┐                                   (with TLS also for other machines)
HTTP ────┼─▶ HotWalk ──▶ kept, scored, told ──▶ the page
brokers ─┘
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import ssl
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bimetal.api import Live, Stage, bind, create_app, serving
from bimetal.api.card import model_view
from bimetal.api.intake import Intake
from bimetal.api.way_in import create_way_in
from bimetal.bundle.bundle import Bundle
from bimetal.cli.brokering import readers
from bimetal.cli.ceiling import open_files
from bimetal.cli.ending import stop_on_signals
from bimetal.cli.entrance import Door, known, plain
from bimetal.cli.gauging import LOOK_S, Gauge
from bimetal.cli.grumbling import Grumbler
from bimetal.cli.judging import Judging, shown_on
from bimetal.cli.pace import arrival_ns, collect_seldom, fast_loop, quickest, rest_s, take_short_turns
from bimetal.cli.saying import remark
from bimetal.cli.stranger import Strangers
from bimetal.keep.archive import Archive
from bimetal.keep.erasure import Erasure
from bimetal.keep.mention import mentions
from bimetal.keep.place import settle
from bimetal.keep.purpose_file import Purposes, read_purposes
from bimetal.nouns.errors import Error, NotAllowed
from bimetal.spine import Heard, HotWalk, stream_of
from bimetal.stream.headroom import warning
from bimetal.tell.alarm import Alarms, Notice
from bimetal.tell.channels.jsonlines import notice_line
from bimetal.tell.channels.terminal import Terminal
from bimetal.tell.outbox import Outbox
from bimetal.trust.admit import Admission
from bimetal.trust.identify import Claim, Identify, Identity
from bimetal.wire.format import Formats
from bimetal.wire.transport import Message, device_of
from bimetal.wire.transports.mqtt import MqttListener

TICK_S = 0.5
TEND_S = 1.0
RETAIN_S = 600.0
SAVE_S = 5.0
"""After a kill, a model goes through what came in so long again."""
SEAL_S = 60.0
"""What others are to see, who share the segments, waits at most so long in this folder."""
AGAIN_S = 10.0
"""What failed is tried again after so long."""
WARM_UP_S = 86_400.0
"""A model that is new looks back at most so far to find out how things stand."""
MOST_SHOWN = 50
"""So many devices are on the live page; all are kept, scored and told of."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for."""

    folder: Path
    models: Sequence[Path]
    door: Door
    http_port: int
    as_json: bool
    shape: Path | None = None
    purposes: Path | None = None
    catalog: str = ""
    segments: str = ""
    brokers: Path | None = None


def serve(wish: Wish) -> None:
    """Serve until interrupted; raises NotAllowed when nobody could ever be let in."""
    wish.door.check()
    identify, tls = wish.door.identify(wish.folder, alone=not wish.brokers), wish.door.context()
    bundles = {path.stem: known(path) for path in wish.models}
    purposes = read_purposes(wish.purposes) if wish.purposes else None
    open_files()
    take_short_turns()
    settle(wish.folder, wish.catalog, wish.segments)
    archive = Archive(wish.folder)
    outbox = Outbox({"terminal": Terminal(sys.stdout, _json if wish.as_json else None)})
    try:
        with asyncio.Runner(loop_factory=fast_loop()) as runner:
            runner.run(Server(wish, archive, outbox, identify, tls, purposes).run(bundles))
        try:
            archive.segments.seal()
        except Error as error:
            remark(f"{error.sentence()} What came in stays in the journal of {wish.folder}.")
    finally:
        outbox.close()
        archive.close()


class Server:
    """The ways in, the walk behind them, and the page."""

    def __init__(
        self,
        wish: Wish,
        archive: Archive,
        outbox: Outbox,
        identify: Identify,
        tls: ssl.SSLContext | None,
        purposes: Purposes | None = None,
    ) -> None:
        self._wish = wish
        self._identify = identify
        self._purposes = purposes
        self._barred: set[str] = set()
        self._grumbler = Grumbler(time.monotonic)
        self._hearing: set[asyncio.Future[Heard]] = set()
        self._walk = HotWalk(Formats(plain(wish.shape)), {}, Admission(None), archive, Alarms(), outbox)
        self._tls = tls
        self._listener = MqttListener(
            wish.door.host,
            wish.door.mqtt_port_or_usual,
            self._deliver,
            now_ns=arrival_ns,
            identify=identify,
            tls=tls,
            store=archive.sessions,
        )
        self._readers = readers(wish.brokers, wish.folder, self._take_over)
        self._page = Live(window_s=300.0)
        self._page.commits = self._walk.meter.commits
        self._judging = Judging(self._walk, {})
        self._intake = Intake(self._hear, self._let_in, arrival_ns, self._walk.meter.turned_away)
        self._gauge = Gauge(wish.folder, self._walk.meter, time.time_ns())
        self._strangers = Strangers()

    async def run(self, bundles: dict[str, Bundle]) -> None:
        """Open every way in, and let time pass until interrupted."""
        stop = asyncio.Event()
        self._watch(bundles)
        self._judging.changed = shown_on(self._page, asyncio.get_running_loop())
        async with contextlib.AsyncExitStack() as stack:
            door = self._wish.door
            app = create_app(
                self._page, intake=None if self._tls else self._intake, judge=self._judging.judge
            )
            page = url = await stack.enter_async_context(serving(app, sock=bind(port=self._wish.http_port)))
            if self._tls:
                sock = bind(door.host, door.https_port, beyond_loopback=True)
                url = await stack.enter_async_context(
                    serving(create_way_in(self._intake), sock=sock, tls=self._tls)
                )
            await self._listener.start()
            stack.push_async_callback(self._listener.close)
            for reader in self._readers:
                await reader.start()
                stack.push_async_callback(reader.close)
            stop_on_signals(stop)
            remark(f"Readings come in over MQTT at {door.host}:{self._listener.port} and HTTP at {url}")
            remark(f"Everything is kept in {self._wish.folder}; the page is at {page}")
            tending = asyncio.create_task(self._tend())
            stack.callback(tending.cancel)
            gauging = asyncio.create_task(self._look())
            stack.callback(gauging.cancel)
            retaining = asyncio.create_task(self._retain())
            stack.callback(retaining.cancel)
            let_in = door.stamp(self._wish.folder)
            collect_seldom()
            while not stop.is_set():
                if let_in != (let_in := door.stamp(self._wish.folder)):
                    self._listener.check_again()
                await self._settle()
                await self._erase()
                self._grumbler.speak()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), TICK_S)
        self._grumbler.speak(at_once=True)
        self._walk.save()
        self._gauge.save()

    def _watch(self, bundles: dict[str, Bundle]) -> None:
        """Let the models watch, from where they were; the page shows what they make of it."""
        now_ns = time.time_ns()
        streams = [stream_of(name, bundle, quickest()) for name, bundle in bundles.items()]
        for heard in self._walk.resume(streams, now_ns - round(WARM_UP_S * 1e9), now_ns):
            self._show(heard)
        for name, bundle in bundles.items():
            self._page.set_model(model_view(name, bundle))
        self._judging.models |= {path.stem: (path, bundles[path.stem]) for path in self._wish.models}
        words = f"Watching with {', '.join(bundles)}." if bundles else "Readings are kept; no model watches."
        self._page.set_stage(Stage.WATCHING if bundles else Stage.LISTENING, 1.0, words)

    async def _settle(self) -> None:
        """Let time pass for the walk; a full disk does not end the server, which may yet be given room."""
        try:
            self._show(await asyncio.to_thread(self._walk.settle, time.time_ns()))
        except Error as error:
            remark(error.sentence())

    async def _tend(self) -> None:
        """Save, and seal and join what was kept, a piece at a time, beside everything else."""
        said, upkeep = "", Upkeep(self._walk, time.monotonic())
        while True:
            try:
                more = await asyncio.to_thread(upkeep.tend)
                if said:
                    remark("What was kept is sealed again.")
                said = ""
                await asyncio.sleep(0 if more else TEND_S)
            except Error as error:
                if said != (said := error.sentence()):
                    remark(f"{said} What came in stays in the journal: {upkeep.waiting}.")
                await asyncio.sleep(AGAIN_S)

    async def _erase(self) -> None:
        """Erase what was asked to be; what cannot be done now is tried again."""
        try:
            for asked in self._walk.archive.erasures.asked():
                await self._forget(asked)
        except Error as error:
            remark(error.sentence())

    async def _forget(self, asked: Erasure) -> None:
        """Forget a device: who speaks for it is cut off first, so that nothing comes from behind."""
        device = asked.device
        self._barred.add(device)
        try:
            told = asdict(await self._listener.erase(device, mentions(device)))
            if self._hearing:
                await asyncio.wait(set(self._hearing))
            naming = [name for name, (_, bundle) in self._judging.models.items() if bundle.names(device)]
            done = await asyncio.to_thread(self._walk.erase, replace(asked, models=tuple(naming)), told)
            self._page.forget(device)  # what was on its way to be shown is shown by now
            self._gauge.forget(device)
        finally:
            self._barred.discard(device)
            self._listener.admit_again(device)
        remark(f"A device was erased, with {done.found['readings']} readings (receipt {done.id}).")

    def _let_in(self, claim: Claim) -> Identity:
        if claim.name in self._barred:
            raise NotAllowed("this device is being erased", hint="Send it again later")
        return self._identify(claim)

    async def _retain(self) -> None:
        """Remove now and then what is no longer covered by its purpose, wherever it is."""
        while self._purposes:
            try:
                now_ns = time.time_ns()
                held = {h.signal for h in await asyncio.to_thread(self._walk.archive.segments.held)}
                purposes = self._purposes.of(held)
                oldest_ns = self._purposes.oldest_ns(now_ns)
                await self._listener.forget_before(oldest_ns)
                self._page.forget_before(oldest_ns)
                await asyncio.to_thread(self._walk.archive.retain, purposes, now_ns)
            except Error as error:
                remark(error.sentence())
            await asyncio.sleep(RETAIN_S)

    async def _look(self) -> None:
        """Look now and then how far the limits are, and tell when one comes near."""
        warned = False
        while True:
            begin_s = time.monotonic()
            try:
                found = await asyncio.to_thread(self._gauge.look, time.time_ns())
                self._page.set_headroom(found)
                if event := warning(found, warned):
                    warned = not warned
                    await asyncio.to_thread(self._walk.tell, event)
            except Error as error:
                remark(error.sentence())
            await asyncio.sleep(rest_s(LOOK_S, time.monotonic() - begin_s))

    async def _deliver(self, messages: list[Message]) -> None:
        await self._hear(messages)

    async def _take_over(self, messages: list[Message]) -> None:
        """Keep what a broker had; what is of a device that is being erased waits until that is done."""
        while any(device_of(message.topic) in self._barred for message in messages if self._barred):
            await asyncio.sleep(TICK_S)
        await self._hear(messages)

    async def _hear(self, messages: list[Message]) -> Heard:
        loop = asyncio.get_running_loop()
        hearing = loop.run_in_executor(None, self._walk.hear, messages, time.time_ns())
        self._hearing.add(hearing)
        hearing.add_done_callback(self._hearing.discard)
        heard = await hearing
        self._walk.meter.waited((time.time_ns() - messages[0].received_ns) / 1e9)
        self._gauge.met(heard.kept.devices)
        # Whoever sent it is answered first.
        loop.call_soon(self._show, heard)
        return heard

    def _show(self, heard: Heard) -> None:
        self._grumbler.hear(heard.poison)
        watched = (stream.scorer.feed.signals for stream in self._walk.streams)
        if words := self._strangers.words((s.name for s in heard.kept.signals), watched):
            remark(words)
        there = {d.id for d in self._page.plant.devices}
        new = [d for d in heard.kept.devices if d not in there][: MOST_SHOWN - len(there)]
        self._page.widen(self._wish.folder.name, new, heard.kept.signals)
        shown = there.union(new)
        self._page.add_batch(heard.kept.of_devices(shown))
        for one in heard.streamed:
            rows = one.ready.rows_among(shown)
            self._page.add_scored(one.ready.of_devices(shown), one.scored.score[rows])
        for event in heard.events:
            if event.device in shown:
                self._page.add_event(event)


class Upkeep:
    """The upkeep of what is kept, a piece at a time."""

    def __init__(self, walk: HotWalk, now_s: float) -> None:
        self._walk = walk
        self._save_at_s = now_s + SAVE_S
        self._seal_at_s = now_s

    @property
    def waiting(self) -> str:
        """What waits to be sealed, in words."""
        return f"{self._walk.archive.segments.unsealed:,} readings wait to be sealed"

    def tend(self) -> bool:
        """Do what is due; returns whether there is more."""
        archive = self._walk.archive
        if (begin_s := time.monotonic()) > self._save_at_s:
            self._walk.save()
            saved_s = time.monotonic()
            self._save_at_s = saved_s + rest_s(SAVE_S, saved_s - begin_s)
            archive.ask_what_is_owed(secrets.token_bytes, time.time_ns())
        if archive.segments.shared and begin_s > self._seal_at_s:
            archive.segments.seal()
            self._seal_at_s = begin_s + SEAL_S
        return archive.tend()


def _json(notice: Notice) -> str:
    return notice_line(notice).decode()
