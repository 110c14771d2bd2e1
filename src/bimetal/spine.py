"""Spine: the walks, one page each; the only place where rooms meet. It calls, it never decides.

cold:    history -> learn -> Program -> Bundle (sign, vectors, card)
hot:     messages -> codec -> Batch -> admit -> keep -> program (state per device) -> Event -> keep -> tell
replay:  rows -> program (state per device) -> Event + explanation
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

from bimetal import __version__
from bimetal.bundle.bundle import Bundle
from bimetal.bundle.seal import write
from bimetal.explain.explainer import Explainer
from bimetal.keep.archive import Archive
from bimetal.keep.quarantine import Refused
from bimetal.learn.calibrate import Budget
from bimetal.learn.card import card_of
from bimetal.learn.dataset import History
from bimetal.learn.train import Learned, train
from bimetal.nouns.batch import Batch
from bimetal.nouns.event import Event
from bimetal.nouns.signal import Signal
from bimetal.program.block import pack
from bimetal.program.verify import check
from bimetal.stream.feed import feed_of
from bimetal.stream.late import Reorder
from bimetal.stream.scorer import DeviceState, Scored, Scorer
from bimetal.stream.stream import Stream, Streamed
from bimetal.targets.lower import lower
from bimetal.targets.target import Target
from bimetal.targets.vectors import make_vectors
from bimetal.targets.wasm import write_wasm
from bimetal.tell.alarm import Alarms
from bimetal.tell.outbox import Outbox
from bimetal.trust.admit import Admission
from bimetal.trust.key import SigningKey
from bimetal.wire.codec import Codec
from bimetal.wire.file import open_tables
from bimetal.wire.gather import Poison, gather
from bimetal.wire.table.hints import Hints
from bimetal.wire.table.shape import TableShape, Tally
from bimetal.wire.table.stretch import TableBatch
from bimetal.wire.transport import Message

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Lesson:
    """How to learn: the promise, where to compute, who signs, and what time it is."""

    budget: Budget
    target: Target
    key: SigningKey
    now_ns: int


@dataclass(frozen=True, slots=True)
class Taught:
    """What came of learning: what was learned, the model, and its size in bytes."""

    learned: Learned
    bundle: Bundle
    bytes: int


@dataclass(frozen=True, slots=True)
class Walked:
    """What came of a cold walk: what the files were found to be, and what was learned from them."""

    shape: TableShape
    tally: Tally
    taught: Taught


def cold(data: Sequence[Path], hints: Hints, lesson: Lesson, output: Path, progress: Progress) -> Walked:
    """Files in, a signed model out; raises what each room raises."""
    tables = open_tables(data, hints)
    history = History(tables.shape.signals)
    for rows in tables.batches(progress=lambda done, total: progress("reading", done / max(total, 1))):
        history.add(rows.batch, rows.labels)
    sources = tuple(path.name for path in data)
    columns = tables.shape.columns
    taught = teach(history, tables.shape.period_s, sources, lesson, output, progress, columns)
    return Walked(tables.shape, tables.tally, taught)


def teach(
    history: History,
    period_s: float,
    sources: tuple[str, ...],
    lesson: Lesson,
    output: Path,
    progress: Progress,
    columns: tuple[str, ...] = (),
) -> Taught:
    """A history in, a signed model out; `sources` and their `columns` are named on its card."""
    learned = train(history, lesson.budget, lesson.target, period_s, progress)
    learned = replace(learned, card=replace(learned.card, sources=sources, columns=columns))
    bundle = bundle_of(learned, lesson.now_ns, progress)
    return Taught(learned, bundle, write(output, bundle, lesson.key))


def bundle_of(learned: Learned, now_ns: int, progress: Progress) -> Bundle:
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
    return Scorer(
        bundle.program,
        feed_of(bundle.program, [s.name for s in card.signals]),
        lambda device: target.load(bundle.program, bundle.block_of(device)),
        Explainer(card.signal_list(), card.usual),
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

    `signals` are those known by name; others are kept as they come. Threads may share it.
    """

    codec: Codec
    signals: Mapping[str, Signal]
    admission: Admission
    archive: Archive
    alarms: Alarms
    outbox: Outbox
    streams: tuple[Stream, ...] = ()
    _turn: Lock = field(default_factory=Lock)

    def hear(self, messages: Sequence[Message], now_ns: int) -> Heard:
        """Take messages in, in their order; raises when they cannot be kept, and then says nothing."""
        with self._turn:
            gathered = gather(messages, self.codec, self.signals)
            kept = self.admission.admit(gathered.batch).batch
            self.archive.quarantine.append(_refused(p) for p in gathered.poison)
            if len(kept):
                self.archive.segments.append(kept)
            return self._told(kept, tuple(s.push(kept, now_ns) for s in self.streams), gathered.poison)

    def settle(self, now_ns: int) -> Heard:
        """Let time pass: rows that wait for others are scored, and what ended for good is told."""
        with self._turn:
            for notice in self.alarms.wake(now_ns):
                self.outbox.put(notice)
            nothing = gather((), self.codec, self.signals).batch
            return self._told(nothing, tuple(s.settle(now_ns) for s in self.streams), ())

    def adopt(self, stream: Stream, since_ns: int, now_ns: int) -> None:
        """Let a stream watch from now on; what was kept since an instant sets its state."""
        with self._turn:
            names = [s.name for s in stream.reorder.signals]
            stream.catch_up(self.archive.segments.batch(signals=names, since_ns=since_ns), now_ns)
            self.streams = (*(s for s in self.streams if s.name != stream.name), stream)

    def _told(self, kept: Batch, streamed: tuple[Streamed, ...], poison: tuple[Poison, ...]) -> Heard:
        heard = Heard(kept, streamed, poison)
        self.archive.events.append(heard.events)
        for event in heard.events:
            for notice in self.alarms.take(event):
                self.outbox.put(notice)
        return heard


def _refused(poison: Poison) -> Refused:
    said = poison.message
    return Refused(said.received_ns, said.topic, said.client_id, poison.reason, said.payload)


def stream_of(name: str, bundle: Bundle, target: Target) -> Stream:
    """Return the stream of a model, for all devices, before it has seen any."""
    card = card_of(bundle.card)
    reorder = Reorder(card.signal_list(), period_ns=round(card.period_s * 1e9))
    return Stream(name, reorder, scorer_of(bundle, target))


def replay(scorer: Scorer, tables: Iterator[TableBatch]) -> Iterator[tuple[TableBatch, Scored]]:
    """Run rows through a model as they come; each device keeps its state from batch to batch."""
    states: Mapping[str, DeviceState] = {}
    for rows in tables:
        states, scored = scorer.advance(states, rows.batch)
        yield rows, scored
