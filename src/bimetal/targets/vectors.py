"""Vectors: readings with the answers the law gives, to be checked wherever a program runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput
from bimetal.program.digest import digest
from bimetal.program.layout import Layout, initial_state, layout_of
from bimetal.program.node import DTYPES, Clock
from bimetal.program.program import Input, Program, bounds_of
from bimetal.targets.numpy import NumpyRunning, NumpyTarget
from bimetal.targets.target import Running

FORMAT = 1
LONGEST = 1000
STRIDE = 64
RUNS = 32
AWAKE = 2
"""So many runs go on until the program says something."""
OFTEN = 64
"""Clocks slower than once in so many readings are waited for by the first run alone, and once: vectors are
flash on a device."""
Usual = Mapping[str, tuple[float, float]]
Kind = Callable[[np.random.Generator, NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Vector:
    """One run from a state that has seen nothing: readings, and all that must come of them.

    `rows` and `outputs` are of the program's input and output structs, `fired` says which clocks
    fired at each row, `state` is the state after the last.
    """

    name: str
    rows: NDArray[Any]
    outputs: NDArray[Any]
    fired: NDArray[np.uint32]
    state: bytes


@dataclass(frozen=True, slots=True)
class Vectors:
    """The golden vectors of a program with one parameter block; `made_for` names both."""

    made_for: bytes
    runs: tuple[Vector, ...]

    def encode(self) -> dict[str, Any]:
        """Return them as plain texts, numbers and bytes, as a bundle keeps them."""
        runs = [
            {
                "name": v.name,
                "rows": v.rows.tobytes(),
                "outputs": v.outputs.tobytes(),
                "fired": v.fired.astype("<u4").tobytes(),
                "state": v.state,
            }
            for v in self.runs
        ]
        return {"format": FORMAT, "made_for": self.made_for, "runs": runs}


def make_vectors(
    program: Program, block: bytes, seed: int, rows: int = 16, *, runs: int = RUNS, usual: Usual | None = None
) -> Vectors:
    """Return golden vectors: everyday readings, gaps, and values that machines disagree about first.

    `usual` gives the everyday range of inputs by name. Run k is of kind k modulo the number of kinds,
    and has `rows` rows. Before them the first two have everyday readings until the program is awake:
    every clock has fired twice (a slow one once, in the first), and every float result that ever changes
    within LONGEST readings has changed. Raises BadInput when the block does not fit the program.
    """
    law = NumpyTarget().load(program, block)
    rng = np.random.default_rng(seed)
    everyday = readings(program, rng, LONGEST, _everyday_kind, usual or {})
    awake = max(_first_words(program, law, everyday), *(_fired_twice(c) for c in program.clocks))
    asleep = [min(awake, LONGEST)] * AWAKE
    asleep[0] = min(max(awake, *(c.first + 1 for c in program.clocks)), LONGEST)
    given: list[NDArray[Any]] = []
    for k in range(runs):
        part = readings(program, rng, rows, KINDS[k % len(KINDS)][1], usual or {})
        if k < AWAKE:
            part = layout_of(program).input.conformed(np.concatenate([everyday[: asleep[k]], part]))
        given.append(part)
    found = (
        Vector(f"{KINDS[k % len(KINDS)][0]} {k // len(KINDS) + 1}", given[k], outputs, fired, state)
        for k, (state, outputs, fired) in enumerate(_side_by_side(law, initial_state(program), given))
    )
    return Vectors(maker(program, block), tuple(found))


def _fired_twice(clock: Clock) -> int:
    return clock.first + clock.period + 1 if clock.period <= OFTEN else 0


def _side_by_side(
    law: NumpyRunning, start: bytes, given: Sequence[NDArray[Any]]
) -> Iterator[tuple[bytes, NDArray[Any], NDArray[np.uint32]]]:
    """Run all at once, each for as long as its rows go on: letters cost by the call, not by the device."""
    shape = (len(given), max(map(len, given), default=0))
    states = np.repeat(np.frombuffer(start, np.uint8)[None], len(given), axis=0)
    outputs, fired = np.zeros(shape, law.layouts.output.dtype), np.zeros(shape, np.uint32)
    begin = 0
    for end in sorted({len(rows) for rows in given}):
        on = [k for k, rows in enumerate(given) if len(rows) >= end]
        parts = np.stack([given[k][begin:end] for k in on])
        states[on], outputs[on, begin:end], fired[on, begin:end] = law.run_devices(states[on], parts)
        begin = end
    for k, rows in enumerate(given):
        yield states[k].tobytes(), outputs[k, : len(rows)], fired[k, : len(rows)]


def _first_words(program: Program, law: Running, rows: NDArray[Any]) -> int:
    """Return after how many readings each float result has changed that ever does."""
    floats = [name for name, node in program.outputs if node.dtype == "f32"]
    state, first = initial_state(program), None
    changed: dict[str, int] = {}
    for t in range(0, len(rows), STRIDE):
        state, outputs, _ = law.run(state, rows[t : t + STRIDE])
        first = outputs[:1] if first is None else first
        for name in [n for n in floats if n not in changed]:
            same = outputs[name].view(np.uint32) == first[name].view(np.uint32)
            other = np.flatnonzero(~same.reshape(len(outputs), -1).all(axis=1))
            if other.size:
                changed[name] = t + int(other[0]) + 1
        if len(changed) == len(floats):
            break
    return max(changed.values(), default=0)


def maker(program: Program, block: bytes) -> bytes:
    """Return what names a program together with a parameter block."""
    return hashlib.sha256(digest(program) + block).digest()[:16]


def decode(program: Program, plain: Mapping[str, Any]) -> Vectors:
    """Return vectors from their plain form; raises BadInput when they are not of this program."""
    lay = layout_of(program)
    try:
        if plain["format"] != FORMAT:
            raise BadInput(f"format {plain['format']!r} is not known", where="vectors", hint="Update bimetal")
        made_for, runs = plain["made_for"], plain["runs"]
        found = tuple(_vector(run, lay.input, lay.output, lay.state) for run in runs)
    except (KeyError, TypeError, AttributeError, IndexError) as e:
        raise BadInput(f"the vectors lack {e}", where="vectors") from None
    if not isinstance(made_for, bytes):
        raise BadInput("the vectors do not say what they are for", where="vectors")
    return Vectors(made_for, found)


def _vector(run: Mapping[str, Any], into: Layout, out: Layout, state: Layout) -> Vector:
    name, parts = run["name"], {part: run[part] for part in ("rows", "outputs", "fired", "state")}
    if not isinstance(name, str) or not all(isinstance(p, bytes) for p in parts.values()):
        raise BadInput("a vector is not made of a name and bytes", where="vectors")
    count, rest = divmod(len(parts["fired"]), 4)
    sizes = {"rows": count * into.size, "outputs": count * out.size, "state": state.size}
    if rest or not count or any(len(parts[part]) != size for part, size in sizes.items()):
        raise BadInput(f"the vector {name[:40]!a} is not of this program", where="vectors")
    return Vector(
        name,
        _structs(parts["rows"], into, count),
        _structs(parts["outputs"], out, count),
        np.frombuffer(parts["fired"], "<u4"),
        parts["state"],
    )


def _structs(data: bytes, layout: Layout, count: int) -> NDArray[Any]:
    return np.frombuffer(data, layout.dtype) if layout.size else np.zeros(count, layout.dtype)


def readings(
    program: Program, rng: np.random.Generator, count: int, kind: Kind, usual: Usual
) -> NDArray[Any]:
    """Return rows (count,) of the input struct, of one kind."""
    rows = np.zeros(count, layout_of(program).input.dtype)
    for place in program.inputs:
        everyday = _everyday(place, rng, (count, *place.shape), usual)
        rows[place.name] = kind(rng, everyday)
    return rows


def _everyday(place: Input, rng: np.random.Generator, shape: tuple[int, ...], usual: Usual) -> NDArray[Any]:
    low, high = usual.get(place.name, (-10.0, 10.0))
    if place.dtype == "f32":
        return rng.uniform(low, high, shape).astype(np.float32)
    least, most = bounds_of(place.dtype)
    low, high = max(low, least, place.low), min(high, most, place.high)
    return rng.integers(int(np.floor(low)), int(np.floor(high)) + 1, shape).astype(DTYPES[place.dtype])


def _everyday_kind(rng: np.random.Generator, values: NDArray[Any]) -> NDArray[Any]:
    return values


def _constant(rng: np.random.Generator, values: NDArray[Any]) -> NDArray[Any]:
    return np.broadcast_to(values[:1], values.shape)


def _with(*worst: float, share: float = 0.3) -> Kind:
    """Return a kind of readings some of which are replaced; whole numbers get their type's extremes."""

    def kind(rng: np.random.Generator, values: NDArray[Any]) -> NDArray[Any]:
        if values.dtype == np.float32:
            bad = rng.choice(np.array(worst, np.float32), values.shape)
        else:
            limits = np.iinfo(values.dtype)
            bad = rng.choice(np.array([limits.min, limits.max, 0, 1], values.dtype), values.shape)
        return np.where(rng.random(values.shape) < share, bad, values)

    return kind


def _gaps(rng: np.random.Generator, values: NDArray[Any]) -> NDArray[Any]:
    """Let some readings be missing; whole numbers cannot be."""
    if values.dtype != np.float32:
        return values
    return np.where(rng.random(values.shape) < 0.3, np.float32(np.nan), values)


INFINITY = float("inf")
TINY = 2.0**-149
KINDS: tuple[tuple[str, Kind], ...] = (
    ("everyday", _everyday_kind),
    ("worst of all", _with(np.nan, INFINITY, -INFINITY, -0.0, TINY, -TINY, 3e38, -3e38, share=0.5)),
    ("gaps", _gaps),
    ("everyday again", _everyday_kind),
    ("constant", _constant),
    ("infinite", _with(INFINITY, -INFINITY)),
    ("zeros", _with(0.0, -0.0, share=0.6)),
    ("tiny", _with(TINY, -TINY, 1.1e-38, -1.1e-38, share=0.6)),
    ("huge", _with(3.4028235e38, -3.4028235e38, 1e30)),
    ("all missing", _with(np.nan, share=1.0)),
)
