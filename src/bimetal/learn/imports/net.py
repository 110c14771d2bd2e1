"""Net: layers of weights with what bends them, in letters.

A net takes a vector (columns,), or a picture: (n, channels) along time, (height, width, channels). A shape
is often known only from the signals it is fed with: `sized` fits a net to it, and says what does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput
from bimetal.program import choice, convolution, elementary, letter
from bimetal.program.node import Node
from bimetal.program.operators.gru_cell import GruCell
from bimetal.program.operators.linear import Linear
from bimetal.program.operators.pool import Pool as PoolOperator
from bimetal.program.program import Draft

Floats = NDArray[np.float64]
BENDS: dict[str, Callable[[Node], Node]] = {
    "identity": lambda x: x,
    "relu": lambda x: letter.maximum(x, 0.0),
    "relu6": lambda x: letter.minimum(letter.maximum(x, 0.0), 6.0),
    "logistic": elementary.sigmoid,
    "tanh": elementary.tanh,
    "softmax": choice.softmax,
}
"""What a layer's sums are bent by. A gap in what relu is given stays one; the others take it for small."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Weights (rows, columns), a bias (rows,), and what bends the sums."""

    weights: Floats
    bias: Floats
    bend: str = "identity"

    @property
    def outputs(self) -> int:
        """How many sums there are."""
        return len(self.bias)


@dataclass(frozen=True, slots=True, eq=False)
class Conv:
    """A convolution: weights (filters, rows, columns, channels), or (rows, columns, channels) where it keeps
    channels `apart`; a bias for each; `padding` is rows and columns of zeros around a picture.

    Along time it has one row.
    """

    weights: Floats
    bias: Floats
    stride: int = 1
    padding: tuple[int, int] = (0, 0)
    bend: str = "identity"

    @property
    def apart(self) -> bool:
        """Whether every channel has a sum of its own."""
        return self.weights.ndim == 3

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the kernel."""
        rows, columns = self.weights.shape[-3:-1]
        return rows, columns

    @property
    def outputs(self) -> int:
        """How many channels come out."""
        return len(self.bias)


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The "greatest" or the "mean" of blocks of `size` places along each axis; 0 for all places there are."""

    size: int
    how: str


@dataclass(frozen=True, slots=True, eq=False)
class Flat:
    """A picture becomes a vector: its places in order, each with its channels.

    `channels_first` says that the layer after it has learned another order: all places of the first channel,
    then those of the next. Its weights are put in our order when the net is fitted to a shape.
    """

    channels_first: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Gru:
    """A recurrent cell, as the operator GruCell has it: one reading in, what is remembered out."""

    cell: GruCell


Part = Layer | Conv | Pool | Flat | Gru
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    """Parts one after the other, for inputs of a shape, () while that is not known."""

    parts: tuple[Part, ...]
    shape: Shape = ()

    def __call__(self, draft: Draft, x: Node) -> Node:
        """Spell it in letters for an f32 vector."""
        made = self if self.shape else sized(self, x.shape)
        x = letter.reshape(x, made.shape)
        for k, part in enumerate(made.parts):
            x = _spelled(part, draft, x, f"layer_{k + 1}")
        return x

    @property
    def rank(self) -> int:
        """How many axes its input has: 1 for a vector, 2 along time, 3 for a picture."""
        sliding = [p for p in self.parts if isinstance(p, Conv | Pool)]
        if not sliding:
            return 1
        deep = [p for p in sliding if isinstance(p, Conv) and (p.size[0] > 1 or p.padding[0])]
        return 3 if deep or len(self.shape) == 3 else 2

    @property
    def channels(self) -> int:
        """How many channels its input has, 0 where its first part takes any number."""
        first = next((p for p in self.parts if not isinstance(p, Pool | Flat)), None)
        match first:
            case Layer():
                return first.weights.shape[1]
            case Conv():
                return first.weights.shape[-1]
            case Gru():
                return len(first.cell.input[0])
            case _:
                return 0


def net(layers: Sequence[Part]) -> Net:
    """Return layers one after the other; raises BadInput where they do not fit each other."""
    made = Net(tuple(layers))
    first = layers[0] if layers else None
    if isinstance(first, Layer) and all(isinstance(p, Layer) for p in layers):
        return sized(made, (first.weights.shape[1],))
    return made


def sized(made: Net, shape: Shape) -> Net:
    """Return a net for inputs of a shape; raises BadInput naming the part that does not fit it."""
    found: list[Part] = []
    at = shape
    turned: Shape = ()
    for k, part in enumerate(made.parts):
        try:
            if isinstance(part, Layer) and turned:
                part, turned = _turned(part, turned), ()
            elif isinstance(part, Flat) and part.channels_first and len(at) > 1:
                turned = at
            at = shape_after(part, at)
        except BadInput as error:
            raise BadInput(
                f"layer {k + 1} does not fit: {error.what}", where="net", hint=error.hint
            ) from None
        found.append(part)
    return Net(tuple(found), shape)


def shape_after(part: Part, shape: Shape) -> Shape:
    """Return the shape of what a part gives; raises BadInput where it cannot take this one."""
    match part:
        case Layer():
            _check(
                part.bias.shape == part.weights.shape[:1], f"{part.bias.size} biases, {part.weights.shape}"
            )
            _check(shape == part.weights.shape[1:], f"{part.weights.shape} weights meet {list(shape)}")
            return (part.outputs,)
        case Gru():
            _check(
                shape == (len(part.cell.input[0]),),
                f"a cell of {len(part.cell.input[0])} meets {list(shape)}",
            )
            return (len(part.cell.input) // 3,)
        case Flat():
            return (int(np.prod(shape)),)
        case Pool():
            _check(len(shape) > 1, f"a pool meets a vector {list(shape)}")
            _check(min(shape[:-1]) >= part.size, f"blocks of {part.size} are cut from {list(shape)}")
            return (*(n // part.size if part.size else 1 for n in shape[:-1]), shape[-1])
        case Conv():
            return _slid(part, shape)


def _slid(part: Conv, shape: Shape) -> Shape:
    _check(len(shape) in (2, 3), f"a convolution meets {list(shape)}")
    _check(part.weights.shape[-1] == shape[-1], f"a kernel {part.weights.shape} meets {list(shape)}")
    _check(len(part.bias) == part.weights.shape[-1 if part.apart else 0], f"{len(part.bias)} biases")
    places = (1, *shape[:-1]) if len(shape) == 2 else shape[:-1]
    _check(len(shape) == 3 or part.size[0] == 1, f"a kernel of {part.size[0]} rows meets {list(shape)}")
    wide = [n + 2 * pad for n, pad in zip(places, part.padding, strict=True)]
    _check(
        all(s <= n for s, n in zip(part.size, wide, strict=True)), f"a kernel {part.size} meets {list(shape)}"
    )
    after = tuple((n - s) // part.stride + 1 for s, n in zip(part.size, wide, strict=True))
    return (*after[3 - len(shape) :], part.outputs)


def _turned(part: Layer, shape: Shape) -> Layer:
    """Return a layer whose columns follow our order of a picture, where channels came first."""
    _check(part.weights.shape[1] == int(np.prod(shape)), f"{part.weights.shape} weights meet {list(shape)}")
    first = part.weights.reshape(-1, shape[-1], *shape[:-1])
    return replace(part, weights=np.moveaxis(first, 1, -1).reshape(part.weights.shape))


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise BadInput(what, hint="Check the shape it is fed with, and the sizes of its layers")


def tuples(array: NDArray[Any]) -> Any:
    """Return an array as operators take it: tuples of tuples of numbers."""
    return tuple(map(tuples, array)) if array.ndim else array.item()


# Letters


def _spelled(part: Part, draft: Draft, x: Node, name: str) -> Node:
    match part:
        case Layer():
            return BENDS[part.bend](Linear(tuples(part.weights), tuples(part.bias), name).trace(draft, x))
        case Conv():
            return BENDS[part.bend](_conv(part, draft, x, name))
        case Pool():
            return pooled(part, draft, x)
        case Flat():
            return letter.reshape(x, (x.size,))
        case Gru():
            return replace(part.cell, name=name).trace(draft, x)


def pooled(part: Pool, draft: Draft, x: Node) -> Node:
    """Spell a pool, over all places where it has no size."""
    if part.size:
        return PoolOperator(part.size, part.how).trace(draft, x)
    count = int(np.prod(x.shape[:-1]))
    made = PoolOperator(count, part.how).trace(draft, letter.reshape(x, (count, x.shape[-1])))
    return letter.reshape(made, (*(1 for _ in x.shape[:-1]), x.shape[-1]))


def _conv(part: Conv, draft: Draft, x: Node, name: str) -> Node:
    weights = draft.param(f"{name}_weights", part.weights)
    bias = draft.param(f"{name}_bias", part.bias)
    flat = len(x.shape) == 2
    picture = convolution.padded(letter.reshape(x, (1, *x.shape)) if flat else x, *part.padding)

    def end(sums: Node) -> Node:
        return letter.add(sums, bias)

    if part.apart:
        made = convolution.depthwise(picture, weights, part.stride, end)
    else:
        rows = letter.reshape(weights, (part.outputs, weights.size // part.outputs))
        made = convolution.dense(picture, rows, part.size, part.stride, end)
    return letter.reshape(made, made.shape[1:]) if flat else made
