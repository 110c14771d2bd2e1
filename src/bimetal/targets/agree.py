"""Agree: the same program on several targets, compared bit for bit, outputs and state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput, Error
from bimetal.program.layout import Layout, initial_state, layout_of
from bimetal.program.program import Program
from bimetal.targets.target import Running, Target
from bimetal.targets.vectors import Vector, Vectors, maker


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many vectors a target answers with the same bits; `first_difference` is empty when all."""

    target: str
    vectors: int
    equal: int
    first_difference: str = ""


def agree(program: Program, block: bytes, vectors: Vectors, targets: Iterable[Target]) -> list[Agreement]:
    """Run vectors on every target that is present, and count those that are equal in every bit.

    Compared are all outputs of all rows, which clocks fired, and the state at the end. A target that
    refuses the program agrees with nothing, and says why. Raises BadInput when the vectors are for
    another program or block.
    """
    if vectors.made_for != maker(program, block):
        raise BadInput("the vectors are for another program or other parameters", where="vectors")
    return [_agreement(program, block, vectors, t) for t in targets if not t.present()]


def _agreement(program: Program, block: bytes, vectors: Vectors, target: Target) -> Agreement:
    count = len(vectors.runs)
    try:
        running = target.load(program, block)
        found = [_difference(program, running, v) for v in vectors.runs]
    except Error as e:
        return Agreement(target.name, count, 0, e.sentence())
    different = [text for text in found if text]
    return Agreement(target.name, count, count - len(different), different[0] if different else "")


def _difference(program: Program, running: Running, vector: Vector) -> str:
    """Return in words where a run first differs, or ""."""
    state, outputs, fired = running.run(initial_state(program), vector.rows)
    lay = layout_of(program)
    row, text = len(vector.rows), ""
    if (fired != vector.fired).any():
        row = int(np.flatnonzero(fired != vector.fired)[0])
        text = f"fired {fired[row]:b}, not {vector.fired[row]:b}"
    at, found = difference(lay.output, outputs, vector.outputs)
    if found and at < row:
        row, text = at, found
    if not text and state != vector.state:
        _, text = difference(lay.state, _struct(state, lay.state), _struct(vector.state, lay.state))
        return f"run {vector.name!r}, state at the end: {text or 'bytes between fields'}"
    return f"run {vector.name!r}, row {row}: {text}" if text else ""


def difference(layout: Layout, found: NDArray[Any], expected: NDArray[Any]) -> tuple[int, str]:
    """Return the first row in which two arrays of a struct differ in a bit, and where; "" for none."""
    first, text = len(found), ""
    for field in layout.fields:
        a, b = (x[field.name].reshape(len(x), -1) for x in (found, expected))
        width = a.dtype.itemsize
        same = (
            np.ascontiguousarray(a).view(f"u{width}") == np.ascontiguousarray(b).view(f"u{width}")
            if a.size
            else np.ones((len(a), 0), bool)
        )
        rows = np.flatnonzero(~same.all(axis=1))
        if rows.size and rows[0] < first:
            first = int(rows[0])
            k = int(np.flatnonzero(~same[first])[0])
            item = f"[{k}]" if field.shape else ""
            text = f"{field.name}{item} is {_spelled(a[first, k])}, not {_spelled(b[first, k])}"
    return first, text


def _struct(data: bytes, layout: Layout) -> NDArray[Any]:
    return np.frombuffer(data, layout.dtype, count=1) if layout.size else np.zeros(1, layout.dtype)


def _spelled(value: NDArray[Any]) -> str:
    text = str(value.item())
    return f"{text} (0x{int.from_bytes(value.tobytes(), 'little'):08x})" if value.dtype.kind == "f" else text
