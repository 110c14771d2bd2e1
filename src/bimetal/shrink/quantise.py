"""Quantise: a float net becomes one of i8, calibrated on rows of the user's.

readings ── steps ── inlet: i8 ── layers: i8 x i8 -> i32 -> i8 ── outlet: f32 ── what scores mean
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bimetal.learn.detector import input_names
from bimetal.learn.imports.bring import Brought, brought_of
from bimetal.learn.imports.foreign import Foreign, Formula
from bimetal.learn.imports.net import BENDS, Conv, Flat, Layer, Net, Part, Pool, Shape, pooled, sized, tuples
from bimetal.learn.imports.wire import end
from bimetal.nouns.errors import BadInput, Unsupported
from bimetal.program import convolution, letter
from bimetal.program.node import Node
from bimetal.program.operators.conv1d_int8 import Conv1dInt8
from bimetal.program.operators.conv2d_int8 import Conv2dInt8
from bimetal.program.operators.dense_int8 import DenseInt8
from bimetal.program.operators.depthwise_int8 import DepthwiseInt8
from bimetal.program.operators.linear_int8 import LinearInt8
from bimetal.program.operators.steps_int8 import StepsInt8
from bimetal.program.operators.table_int8 import TableInt8
from bimetal.program.program import Draft
from bimetal.program.verify import check
from bimetal.shrink.activation import BENT, Floats, activations
from bimetal.shrink.ahead import affine_of, stepped
from bimetal.shrink.loss import Loss, loss_of, parted
from bimetal.shrink.scale import MOST, Whole, ends_of, multipliers, room_for, rows_of, step_of
from bimetal.targets.target import Target

Stage = Callable[[Draft, Node], Node]
MOST_ROWS = 2000
"""More rows are thinned: what is greatest among them hardly grows."""
LEAST_ROWS = 8
FLAT_BEYOND = {"tanh": 4.0, "logistic": 8.0}
"""Where a bend is within a hundredth of its end: what lies beyond needs no steps."""


@dataclass(frozen=True, slots=True, eq=False)
class Int8Net:
    """A net in whole numbers: how readings become i8, the stages after that, and what comes out.

    `shape` is what the first stage takes; `outlet` ends it in f32: the last layer, or what a `step` of the
    last i8 is worth.
    """

    shape: Shape
    inlet: StepsInt8
    stages: tuple[Stage, ...]
    outlet: Stage
    step: float

    def let_in(self, draft: Draft, x: Node) -> Node:
        """Round readings (columns,) to i8, each in its own steps, or in those of its channel."""
        if len(self.inlet.centre) == x.size:
            return letter.reshape(self.inlet.trace(draft, x), self.shape)
        return self.inlet.trace(draft, letter.reshape(x, self.shape))

    def layers_of(self, draft: Draft, x: Node) -> Node:
        """Spell the stages between inlet and outlet, i8 to i8."""
        for stage in self.stages:
            x = stage(draft, x)
        return x


def int8_of(
    foreign: Foreign, rows: Floats, signals: Sequence[str], *, vector: bool = False
) -> tuple[Brought, Int8Net]:
    """Return a foreign net as a program in whole numbers, calibrated on rows (n, columns) of readings.

    Its inputs and outputs are those of the float program. A reading that is missing (NaN) is taken for the
    middle of what was seen. Raises Unsupported naming what cannot be made int8, BadInput for rows that cannot
    be calibrated on.
    """
    made = foreign.scores.spelled if isinstance(foreign.scores, Formula) else None
    if not isinstance(made, Net):
        raise Unsupported(
            "it has no layers of weights to make int8", where=foreign.title,
            hint="Nets can be: MLP, autoencoders, Conv1d, Conv2d, depthwise. Trees are whole numbers already",
        )  # fmt: skip
    known = rows_for(rows, foreign.columns, foreign.title)
    factor, offset, steps = affine_of(foreign.steps, foreign.columns)
    seen = stepped(steps, known)
    if steps:
        factor, offset = np.ones(seen.shape[1]), np.zeros(seen.shape[1])
    draft = Draft(foreign.title)
    if vector:
        x = draft.input("x", "f32", (foreign.columns,))
    else:
        x = letter.stack([draft.input(name) for name in input_names(signals)])
    for k, step in enumerate(steps):
        x = step.trace(draft, x, f"step_{k + 1}")
    whole = net_of(made if made.shape else sized(made, (seen.shape[1],)), seen, factor, offset)
    end(draft, foreign, whole.outlet(draft, whole.layers_of(draft, whole.let_in(draft, x))))
    program = draft.finish()
    check(program)
    bound = "int8: what was lost is told on rows that were held out"
    return Brought(program, dict(draft.values), foreign.labels, bound), whole


def shrunk(
    foreign: Foreign,
    signals: Sequence[str],
    rows: Floats,
    target: Target,
    answers: Sequence[str] | None = None,
    *,
    vector: bool = False,
) -> tuple[Brought, Loss]:
    """Return a foreign net in whole numbers, and what was lost, told on a third of rows (n, columns).

    The others show how large values become. Raises as int8_of does, and GateNotMet where it has collapsed.
    """
    if answers is not None and len(answers) != len(rows):
        raise BadInput(f"{len(rows)} rows have {len(answers)} answers", where=foreign.title)
    held, shown = parted(rows)
    small, _ = int8_of(foreign, shown, signals, vector=vector)
    whole = brought_of(foreign, signals, vector=vector)
    known = None if answers is None else [a for a, out in zip(answers, held, strict=True) if out]
    apart = stepped(foreign.steps, rows[held]) if foreign.steps else None
    return small, loss_of(whole, small, rows[held], target, known, apart)


def rows_for(rows: Floats, columns: int, title: str) -> Floats:
    """Return the rows that are whole, thinned; raises BadInput where there are too few of them."""
    if rows.ndim != 2 or rows.shape[1] != columns:
        raise BadInput(f"it has {columns} columns, but rows are {list(rows.shape[1:])}", where=title)
    known = np.asarray(rows, np.float64)[np.isfinite(rows).all(axis=1)]
    if len(known) < LEAST_ROWS:
        raise BadInput(
            f"{len(known)} rows without gaps are too few to see how large values become", where=title,
            hint=f"Give {LEAST_ROWS} or more, as many as show all that the device will meet",
        )  # fmt: skip
    return known[:: max(1, len(known) // MOST_ROWS)].astype(np.float32).astype(np.float64)


def net_of(made: Net, rows: Floats, factor: Floats, offset: Floats, *, to_the_end: bool = True) -> Int8Net:
    """Return a net in whole numbers for inputs (n, columns), each times a factor plus an offset before it.

    With `to_the_end` the last dense layer gives f32; otherwise it ends in i8 as all others do.
    """
    x = (rows * factor + offset).reshape(len(rows), *made.shape)
    first = next((p for p in made.parts if isinstance(p, Layer | Conv)), None)
    straight = made.parts[0] is first
    centred = straight and (isinstance(first, Layer) or (isinstance(first, Conv) and first.padding == (0, 0)))
    centre, step = ends_of(x, centred=centred, alike=not straight)
    writer = _Writer(made, step, centre, to_the_end)
    for k, (part, (sums, bent)) in enumerate(zip(made.parts, activations(made, x), strict=True)):
        writer.take(k, part, sums, bent)
    inlet = _inlet(made.shape, centre, step, factor, offset)
    return Int8Net(made.shape, inlet, tuple(writer.stages), writer.outlet, float(writer.step.reshape(-1)[0]))


def _inlet(shape: Shape, centre: Floats, step: Floats, factor: Floats, offset: Floats) -> StepsInt8:
    """Return the steps of readings themselves: one for each channel, or each column where they differ."""
    middle = ((np.broadcast_to(centre, shape).reshape(-1) - offset) / factor).reshape(-1, shape[-1])
    worth = (np.broadcast_to(step, shape).reshape(-1) / factor).reshape(-1, shape[-1])
    if (middle == middle[0]).all() and (worth == worth[0]).all():
        middle, worth = middle[:1], worth[:1]
    return StepsInt8(tuple(middle.reshape(-1).tolist()), tuple(worth.reshape(-1).tolist()), "inlet")


class _Writer:
    """Stages so far; `step` is what a step of the last i8 is worth, `zero` what its 0 stands for."""

    def __init__(self, made: Net, step: Floats, zero: Floats, to_the_end: bool) -> None:
        self.last = max((k for k, p in enumerate(made.parts) if isinstance(p, Layer | Conv)), default=-1)
        self.to_the_end = to_the_end
        self.step = step
        self.zero = zero
        self.stages: list[Stage] = []
        self.outlet: Stage = self._given

    def take(self, k: int, part: Part, sums: Floats, bent: Floats) -> None:
        """Add the stages of a part, whose sums and results were seen."""
        match part:
            case Layer() | Conv():
                self._weighted(k, part, sums, bent)
            case Pool():
                self.stages.append(lambda draft, x: pooled(part, draft, x))
            case Flat():
                self.stages.append(lambda _, x: letter.reshape(x, (x.size,)))
            case _:
                raise Unsupported(f"{type(part).__name__} cannot be made int8", where="int8")

    def _weighted(self, k: int, part: Layer | Conv, sums: Floats, bent: Floats) -> None:
        apart = isinstance(part, Conv) and part.apart
        weights = np.moveaxis(part.weights, -1, 0) if apart else part.weights
        own = self.step.reshape(-1, 1, 1) if apart and self.step.size > 1 else self.step
        there = weights * (self.zero.reshape(-1, 1, 1) if apart and self.zero.size > 1 else self.zero)
        bias = part.bias + there.reshape(len(weights), -1).sum(axis=1)
        rows = rows_of(weights * own, bias)
        name = f"layer_{k + 1}"
        self.zero = np.zeros(1)
        if k == self.last and self.to_the_end and isinstance(part, Layer):
            last = LinearInt8(tuples(rows.weights), tuples(rows.bias), tuple(rows.step.tolist()), name)
            self.outlet = lambda draft, x: BENDS[part.bend](last.trace(draft, x))
            return
        self._scaled(part, np.moveaxis(rows.weights, 0, -1) if apart else rows.weights, rows.bias, rows.step,
                     sums, bent, name)  # fmt: skip

    def _scaled(
        self,
        part: Layer | Conv,
        weights: Whole,
        bias: Whole,
        steps: Floats,
        sums: Floats,
        bent: Floats,
        name: str,
    ) -> None:
        """A layer that ends in i8, and the table that bends it where it needs one."""
        curved = part.bend in FLAT_BEYOND
        beyond = FLAT_BEYOND.get(part.bend, np.inf)
        step = room_for(step_of(np.clip(sums, -beyond, beyond) if curved else bent), steps)
        multiplier, shift = multipliers(steps / step)
        positive = int(part.bend in ("relu", "relu6"))
        given = (tuples(bias), multiplier)
        if isinstance(part, Layer):
            made = DenseInt8(tuples(weights), *given, shift, positive, name)
        else:
            made = _slid(part, weights, given, shift, positive, name, sums.ndim)
        self.stages.append(made.trace)
        self.step = np.array([step])
        if curved:
            self._bent(part.bend, step, name)

    def _bent(self, bend: str, step: float, name: str) -> None:
        before: Floats = np.arange(-MOST - 1, MOST + 1, dtype=np.float64) * step
        self.step = np.array([1.0 / MOST])
        entries = np.clip(np.round(BENT[bend](before) * MOST), -MOST, MOST).astype(int)
        self.stages.append(TableInt8(tuple(entries.tolist()), f"{name}_bend").trace)

    def _given(self, draft: Draft, x: Node) -> Node:
        """The last i8, times what a step is worth."""
        worth = draft.param("outlet_step", float(self.step.reshape(-1)[0]), low=0.0, high=1e20)
        return letter.mul(letter.cast(letter.cast(x, "i32"), "f32"), worth)


def _slid(
    part: Conv,
    weights: Whole,
    given: tuple[tuple[int, ...], tuple[int, ...]],
    shift: int,
    positive: int,
    name: str,
    axes: int,
) -> Conv1dInt8 | Conv2dInt8 | DepthwiseInt8 | _Padded:
    above, beside = part.padding
    rest = (part.stride, beside, shift, positive, name)
    if part.apart:
        made = DepthwiseInt8(tuples(weights), *given, *rest)
    elif axes == 3:
        made = Conv1dInt8(tuples(weights[:, 0]), *given, *rest)
    else:
        made = Conv2dInt8(tuples(weights), *given, *rest)
    if axes == 4 and above != beside:
        return _Padded(replace(made, padding=0), above, beside)
    return made


@dataclass(frozen=True, slots=True)
class _Padded:
    """A convolution over a picture with other zeros above and below than beside."""

    inner: Conv1dInt8 | Conv2dInt8 | DepthwiseInt8
    above: int
    beside: int

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """Put the zeros there, then slide."""
        return self.inner.trace(draft, convolution.padded(signals[0], self.above, self.beside))
