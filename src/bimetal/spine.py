"""Spine: the walks, one page each; the only place where rooms meet. It calls, it never decides.

cold:    history -> learn -> Program -> Bundle (vectors, card; the door signs)
hot:     messages -> codec -> Batch -> admit -> keep -> program (state per device) -> Event -> keep -> tell
replay:  rows -> program (state per device) -> Event + explanation
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from threading import Lock

from bimetal import __version__
from bimetal.bundle.bundle import Bundle
from bimetal.explain.explainer import Explainer
from bimetal.explain.further import Further
from bimetal.keep.archive import Archive
from bimetal.keep.erasure import Erasure
from bimetal.keep.quarantine import Refused
from bimetal.keep.tail import Arrived
from bimetal.learn.calibrate import Budget
from bimetal.learn.card import card_of
from bimetal.learn.dataset import History
from bimetal.learn.feedback import Known, names_of
from bimetal.learn.leave import Leaving, Span
from bimetal.learn.search import Tier
from bimetal.learn.train import Learned, train
from bimetal.nouns.batch import Batch
from bimetal.nouns.event import Event
from bimetal.nouns.signal import Signal
from bimetal.program.block import pack
from bimetal.program.verify import check
from bimetal.stream import resume
from bimetal.stream.checkpoint import key_of
from bimetal.stream.feed import feed_of
from bimetal.stream.late import Reorder
from bimetal.stream.meter import Call, Meter
from bimetal.stream.runs import Runs
from bimetal.stream.scorer import DeviceState, Scored, Scorer
from bimetal.stream.stream import Stream, Streamed
from bimetal.targets.lower import lower
from bimetal.targets.target import Target
from bimetal.targets.vectors import make_vectors
from bimetal.targets.wasm import write_wasm
from bimetal.tell.alarm import Alarms
from bimetal.tell.outbox import Outbox
from bimetal.trust.admit import Admission
from bimetal.wire.codec import Codec
from bimetal.wire.file import open_tables
from bimetal.wire.format import Formats
from bimetal.wire.gather import Poison, gather
from bimetal.wire.table.hints import Hints
from bimetal.wire.table.shape import TableShape, Tally
from bimetal.wire.table.stretch import TableBatch
from bimetal.wire.transport import Message

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Lesson:
    """How to learn: the promise, where to compute, the time, where it is to run, and what is left out."""

    budget: Budget
    target: Target
    now_ns: int
    tier: Tier = Tier.MCU
    leave_out: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Taught:
    """What came of learning: what was learned, and the model, which is still to be signed."""

    learned: Learned
    bundle: Bundle


@dataclass(frozen=True, slots=True)
class Walked:
    """What came of a cold walk: what the files were found to be, and what was learned from them."""

    shape: TableShape
    tally: Tally
    notes: list[str]
    taught: Taught


def cold(data: Sequence[Path], hints: Hints, lesson: Lesson, progress: Progress) -> Walked:
    """Files in, a model out; raises what each room raises."""
    tables = open_tables(data, hints)
    history, leaving = History(tables.shape.signals), Leaving(lesson.leave_out)
    for rows in tables.batches(progress=lambda done, total: progress("reading", done / max(total, 1))):
        history.add(rows.batch, leaving.bad(rows.batch, rows.labels))
    leaving.check()
    notes, shape = tables.label_notes(), tables.shape
    sources = tuple(path.name for path in data)
    taught = teach(history, shape.period_s, sources, lesson, progress, shape.columns)
    return Walked(shape, tables.tally, notes, taught)


def teach(
    history: History,
    period_s: float,
    sources: tuple[str, ...],
    lesson: Lesson,
    progress: Progress,
    columns: tuple[str, ...] = (),
) -> Taught:
    """A history in, a model out; `sources` and their `columns` are named on its card."""
    learned = train(history, lesson.budget, lesson.target, period_s, progress, tier=lesson.tier)
    card = replace(learned.card, sources=sources, columns=columns, left_out=lesson.leave_out)
    learned = replace(learned, card=card)
    return Taught(learned, bundle_of(learned, lesson.now_ns, progress))


def bundle_of(learned: Learned | Known, now_ns: int, progress: Progress) -> Bundle:
    """Pack what was learned with its proof: golden vectors from the law, and the program as wasm."""
    progress("proving", 0.0)
    program, card = learned.program, learned.card
    report = check(program)
    blocks = {device: pack(program, values) for device, values in learned.values.items()}
    usual = {s.input: (u.low, u.high) for s, u in zip(card.signals, card.usual[""], strict=True)}
    vectors = make_vectors(program, blocks[""], seed=0, usual=usual)
    wasm = write_wasm(lower(program, report.ranges)).code
    progress("proving", 1.0)
    return Bundle(program, blocks, card.plain(), vectors.encode(), wasm, now_ns, __version__)


def scorer_of(bundle: Bundle, target: Target) -> Scorer:
    """Return the scorer of a model: each device with its own parameters, every alarm explained."""
    card = card_of(bundle.card)

    # Devices with the same parameters share one program, ready, and are run together.
    @cache
    def load(block: bytes) -> Runs:
        return target.load(bundle.program, block)

    return Scorer(
        bundle.program,
        feed_of(bundle.program, [s.name for s in card.signals]),
        lambda device: load(bundle.block_of(device)),
        Explainer(card.signal_list(), card.usual),
        Further(card.signal_list(), card.usual, lambda device: names_of(card.labels, device)),
    )


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of messages: what was kept, what every stream made of it, and what was no reading."""

    kept: Batch
    streamed: tuple[Streamed, ...]
    poison: tuple[Poison, ...]

    @property
    def events(self) -> tuple[Event, ...]:
        """Everything that was said."""
        return tuple(event for one in self.streamed for event in one.scored.events)


@dataclass(slots=True)
class HotWalk:
    """The hot walk: `hear` returns when what it was given is durable, scored and handed on to be told.

    `signals` are those known by name; others are kept as they come. Threads may share it. What
    streams say is a function of the journal alone, so that a kill changes no event: all that moves
    them is in it first, and events that could not be kept are kept before the next.
    """

    codec: Codec | Formats
    signals: Mapping[str, Signal]
    admission: Admission
    archive: Archive
    alarms: Alarms
    outbox: Outbox
    streams: tuple[Stream, ...] = ()
    meter: Meter = field(default_factory=lambda: Meter(time.thread_time, time.process_time, time.time_ns))
    _turn: Lock = field(default_factory=Lock)
    _saving: Lock = field(default_factory=Lock)
    _unsaid: list[Event] = field(default_factory=list[Event])

    def hear(self, messages: Sequence[Message], now_ns: int) -> Heard:
        """Take messages in, in their order; raises when they cannot be kept, and then says nothing."""
        with self._turn, self.meter.call() as call:
            gathered = gather(messages, self.codec, self.signals)
            kept = self.admission.admit(gathered.batch).batch
            call.decoded([m.received_ns for m in messages], kept.readings)
            self.archive.quarantine.append(refused_of(p) for p in gathered.poison)
            if not len(kept):
                return Heard(kept, (), gathered.poison)
            return replace(self._kept(kept, now_ns, call), poison=gathered.poison)

    def settle(self, now_ns: int) -> Heard:
        """Let time pass: rows that wait for others are scored, and what ended for good is told."""
        with self._turn, self.meter.call() as call:
            for notice in self.alarms.wake(now_ns):
                self.outbox.put(notice)
            nothing = gather((), self.codec, self.signals).batch
            due = any(s.due(now_ns) for s in self.streams)
            return self._kept(nothing, now_ns, call) if due else Heard(nothing, (), ())

    def adopt(self, stream: Stream, since_ns: int, now_ns: int) -> None:
        """Let a stream watch from now on; what was kept since an instant sets its state."""
        with self._turn:
            resume.begin(self.archive, stream, since_ns, now_ns)
            self.streams = (*(s for s in self.streams if s.name != stream.name), stream)

    def resume(self, streams: Sequence[Stream], since_ns: int, now_ns: int) -> tuple[Heard, ...]:
        """Let streams go on where they were saved, or else begin as `adopt` has it; nothing may be heard yet.

        Returns what they make of what came afterwards; events that were kept before are not kept
        again, but told again, for nobody knows whether they were.
        """
        with self._turn:
            begun = [s for s in streams if not resume.load(self.archive, s)]
            for stream in begun:
                resume.begin(self.archive, stream, since_ns, now_ns)
            self.streams = tuple(streams)
            oldest = min((s.sequence for s in streams), default=self.archive.segments.sequence)
            said = self.archive.events.ids_after(oldest)
            heard = tuple(self._moved(a, said) for a in self.archive.segments.replay(oldest))
            self.archive.states.keep_only([s.name for s in streams])
        self.save()
        return heard

    def save(self) -> None:
        """Save what streams remember, so that little has to be gone through again after a kill."""
        with self._saving:
            with self._turn:
                self._say(())
                checkpoints = {s.name: s.checkpoint() for s in self.streams}
                sequence = self.archive.segments.sequence
            resume.save(self.archive, checkpoints, sequence)

    def erase(self, asked: Erasure, elsewhere: Mapping[str, int]) -> Erasure:
        """Remove all that is kept and remembered of a device, and its token; returns the receipt."""
        with self._saving, self._turn:
            for stream in self.streams:
                stream.forget(asked.device)
            self.alarms.erase(asked.device)
            self._unsaid = [event for event in self._unsaid if event.device != asked.device]
            return self.archive.fulfil(asked, elsewhere)

    def tell(self, event: Event) -> None:
        """Tell people of something that no stream said, such as a limit that comes near."""
        with self._turn:
            for notice in self.alarms.take(event):
                self.outbox.put(notice)

    def _kept(self, batch: Batch, now_ns: int, call: Call) -> Heard:
        arrived = Arrived(self.archive.segments.append(batch, arrived_ns=now_ns), now_ns, batch)
        call.kept()
        heard = self._moved(arrived, frozenset())
        call.scored()
        return heard

    def _moved(self, arrived: Arrived, said: frozenset[str]) -> Heard:
        """Let the streams take a batch that is in the journal, and say what was not said of it before."""
        streamed = tuple(s.take(arrived) for s in self.streams if s.sequence < arrived.sequence)
        heard = Heard(arrived.batch, streamed, ())
        self._say([event for event in heard.events if event.id not in said])
        for event in heard.events:
            for notice in self.alarms.take(event):
                self.outbox.put(notice)
        return heard

    def _say(self, events: Sequence[Event]) -> None:
        self._unsaid += events
        self.archive.events.append(self._unsaid)
        self._unsaid.clear()


def refused_of(poison: Poison) -> Refused:
    """Return a message that could not be read as it is put in quarantine."""
    said = poison.message
    return Refused(said.received_ns, said.topic, said.client_id, poison.reason, said.payload)


def stream_of(name: str, bundle: Bundle, target: Target) -> Stream:
    """Return the stream of a model, for all devices, before it has seen any."""
    card = card_of(bundle.card)
    reorder = Reorder(card.signal_list(), period_ns=round(card.period_s * 1e9))
    key = key_of(bundle.program, bundle.blocks, [s.name for s in card.signals])
    return Stream(name, reorder, scorer_of(bundle, target), key=key)


def replay(scorer: Scorer, tables: Iterator[TableBatch]) -> Iterator[tuple[TableBatch, Scored]]:
    """Run rows through a model as they come; each device keeps its state from batch to batch."""
    states: dict[str, DeviceState] = {}
    for rows in tables:
        after, scored = scorer.advance(states, rows.batch)
        states |= after
        yield rows, scored
