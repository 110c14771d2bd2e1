"""Spine: the walks, one page each; the only place where rooms meet. It calls, it never decides.

cold:    history -> learn -> Program -> Bundle (sign, vectors, card)
replay:  rows -> program (state per device) -> Event + explanation
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bimetal import __version__
from bimetal.bundle.bundle import Bundle
from bimetal.bundle.seal import write
from bimetal.explain.explainer import Explainer
from bimetal.learn.calibrate import Budget
from bimetal.learn.card import card_of
from bimetal.learn.dataset import History
from bimetal.learn.train import Learned, train
from bimetal.program.block import pack
from bimetal.program.verify import check
from bimetal.stream.feed import feed_of
from bimetal.stream.scorer import DeviceState, Scored, Scorer
from bimetal.targets.lower import lower
from bimetal.targets.target import Target
from bimetal.targets.vectors import make_vectors
from bimetal.targets.wasm import write_wasm
from bimetal.trust.key import SigningKey
from bimetal.wire.file import open_tables
from bimetal.wire.table.hints import Hints
from bimetal.wire.table.shape import TableShape, Tally
from bimetal.wire.table.stretch import TableBatch

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Taught:
    """What came of a cold walk: what the data were, what was learned, the model and its size."""

    shape: TableShape
    tally: Tally
    learned: Learned
    bundle: Bundle
    bytes: int


def cold(
    data: list[Path],
    hints: Hints,
    budget: Budget,
    output: Path,
    key: SigningKey,
    target: Target,
    now_ns: int,
    progress: Progress,
) -> Taught:
    """History in, a signed model out; raises what each room raises."""
    tables = open_tables(data, hints)
    history = History(tables.shape.signals)
    for rows in tables.batches(progress=lambda done, total: progress("reading", done / max(total, 1))):
        history.add(rows.batch, rows.labels)
    learned = train(history, budget, target, tables.shape.period_s, progress)
    learned = replace(learned, card=replace(learned.card, sources=tuple(str(p.name) for p in data)))
    bundle = bundle_of(learned, now_ns, progress)
    return Taught(tables.shape, tables.tally, learned, bundle, write(output, bundle, key))


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


def replay(scorer: Scorer, tables: Iterator[TableBatch]) -> Iterator[tuple[TableBatch, Scored]]:
    """Run rows through a model as they come; each device keeps its state from batch to batch."""
    states: Mapping[str, DeviceState] = {}
    for rows in tables:
        states, scored = scorer.advance(states, rows.batch)
        yield rows, scored
