"""Net: layers of weights with what bends them, in letters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.imports.foreign import rows_of
from bimetal.nouns.errors import BadInput
from bimetal.program import choice, elementary, letter
from bimetal.program.node import Node
from bimetal.program.operators.linear import Linear
from bimetal.program.program import Draft

Floats = NDArray[np.float64]
BENDS: dict[str, Callable[[Node], Node]] = {
    "identity": lambda x: x,
    "relu": lambda x: letter.maximum(x, 0.0),
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


def net(layers: Sequence[Layer]) -> Callable[[Draft, Node], Node]:
    """Return layers in letters, one after the other; raises BadInput where they do not fit each other."""
    for k, layer in enumerate(layers):
        rows, columns = layer.weights.shape
        if layer.bias.shape != (rows,) or (k and layers[k - 1].weights.shape[0] != columns):
            raise BadInput(
                f"layer {k + 1} of {rows} x {columns} weights does not fit the one before", where="net"
            )

    def spelled(draft: Draft, x: Node) -> Node:
        for k, layer in enumerate(layers):
            made = Linear(rows_of(layer.weights), tuple(layer.bias.tolist()), f"layer_{k + 1}")
            x = BENDS[layer.bend](made.trace(draft, x))
        return x

    return spelled
