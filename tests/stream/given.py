"""A small real program, a stream with faults in it, and an explanation, for the tests of this room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns import Batch, Cause, Event, Kind, Reason, Signal
from bimetal.program.block import pack
from bimetal.program.letter import add, cast, const, div, lt, maximum, mul, neg, reduce, stack, sub, where
from bimetal.program.operators.drift_test import DriftTest
from bimetal.program.program import Draft, Program
from bimetal.stream.edge import Explain
from bimetal.stream.feed import Feed, feed_of
from bimetal.stream.scorer import DeviceState, Scored, Scorer
from bimetal.targets.numpy import NumpyTarget

SIGNALS = (Signal("temperature", "Cel"), Signal("flow rate", "l/min"))
NAMES = tuple(s.name for s in SIGNALS)
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def detector() -> tuple[Program, bytes]:
    """Distance from a slow mean in units of 4; a value beyond 1000 is a sensor fault; blocks of four."""
    draft = Draft("distance")
    x = stack([draft.input("temperature"), draft.input("flow")])
    mean = draft.state("mean", np.zeros(2, np.float32))
    slow = draft.param("slow", np.float32(0.05), low=0.0, high=1.0)
    off = sub(x, mean)
    size = maximum(off, neg(off))
    fault = lt(const(1000.0, "f32"), size)
    good = where(fault, const(0.0, "f32"), size)
    total = reduce(good)
    draft.set(mean, where(fault, mean, add(mean, mul(off, slow))))
    score = div(total, const(4.0, "f32"))
    draft.output("score", score)
    draft.output("alarm", lt(const(1.0, "f32"), score))
    draft.output("share", div(good, maximum(total, const(1e-9, "f32"))))
    draft.output("fault", cast(fault, "i32"))
    draft.output("drift", DriftTest(4, 1.0, 4.0).trace(draft, score))
    program = draft.finish()
    return program, pack(program, draft.values)


PROGRAM, BLOCK = detector()
RUNNING = NumpyTarget().load(PROGRAM, BLOCK)
FEED: Feed = feed_of(PROGRAM, NAMES)


def explain(
    device: str,
    time_ns: int,
    values: NDArray[np.float64],
    score: float,
    share: NDArray[np.float32],
    fault: NDArray[np.int32],
    since_ns: int,
    lasting: NDArray[np.int32] | None = None,
) -> Event:
    """Say every figure that was handed in."""
    reasons = tuple(
        Reason(s.name, float(p), float(v), 0.0, 1.0, s.unit)
        for s, p, v in zip(SIGNALS, share, values, strict=True)
    )
    cause = Cause.SENSOR if fault.any() else Cause.PROCESS
    return Event(Kind.ALARM, device, time_ns, score, True, cause, reasons, f"score {score:.6g}", since_ns)


def scorer(said: Explain | None = explain) -> Scorer:
    """A scorer of the small program, the same parameters for every device."""
    return Scorer(PROGRAM, FEED, lambda _: RUNNING, said)


def stream(rows: int = 240, devices: Sequence[str] = ("a", "b", "c"), seed: int = 3) -> Batch:
    """Devices in turn, one row each a second, with steps, spikes, sensor faults and gaps."""
    random = np.random.default_rng(seed)
    values = random.normal(0, 0.5, (rows, 2))
    at = random.integers(0, rows, (6, rows // 30))
    values[at[0], 0] += 30
    values[at[1], 1] = 5000
    values[at[2], 0] = np.nan
    values[rows // 2 : rows // 2 + rows // 8, 1] += 20
    turn = np.arange(rows)
    return Batch(
        tuple(devices),
        SIGNALS,
        (START + turn // len(devices) * SECOND).astype(np.int64),
        (turn % len(devices)).astype(np.int32),
        values,
    )


def part(batch: Batch, first: int, end: int) -> Batch:
    """Rows first..end of a batch."""
    return Batch(
        batch.devices,
        batch.signals,
        batch.time_ns[first:end],
        batch.device[first:end],
        batch.values[first:end],
    )


def whole(parts: Sequence[Batch]) -> Scored:
    """What a scorer says of batches fed one after the other."""
    states: dict[str, DeviceState] = {}
    said: list[Scored] = []
    one = scorer()
    for batch in parts:
        after, scored = one.advance(states, batch)
        states |= after
        said.append(scored)
    return join(said)


def join(said: Sequence[Scored]) -> Scored:
    """Several answers as one."""
    return Scored(
        np.concatenate([s.outputs for s in said]),
        np.concatenate([s.fired for s in said]),
        np.concatenate([s.score for s in said]),
        np.concatenate([s.alarm for s in said]),
        tuple(e for s in said for e in s.events),
    )


def same(a: Scored, b: Scored) -> bool:
    """Whether two answers are equal, bit for bit."""
    arrays = ((a.outputs, b.outputs), (a.fired, b.fired), (a.score, b.score), (a.alarm, b.alarm))
    return all(x.tobytes() == y.tobytes() for x, y in arrays) and repr(a.events) == repr(b.events)
