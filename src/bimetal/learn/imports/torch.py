"""PyTorch: small nets of linear layers, read by the names of their layers; torch itself is never imported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bimetal.learn.imports.foreign import SOFTMAX, VALUE, Foreign, Formula
from bimetal.learn.imports.look import Floats, name_of, refuse
from bimetal.learn.imports.net import Layer, net
from bimetal.nouns.errors import BadInput

BENDS = {"ReLU": "relu", "Tanh": "tanh", "Sigmoid": "logistic"}
NOTHING = ("Identity", "Dropout", "Flatten")


class Torch:
    """A Sequential of Linear, BatchNorm1d, ReLU, Tanh, Sigmoid, Softmax; Dropout and the like are left out.

    One that ends in Softmax is a classifier; any other gives values.
    """

    def recognises(self, model: Any) -> bool:
        """Say whether an object is a module of PyTorch, or made from one."""
        return any(c.__module__.startswith("torch.nn.") for c in type(model).__mro__)

    def read(self, model: Any) -> Foreign:
        """Return a net in our words; raises Unsupported naming the layer that cannot be brought over."""
        layers: list[Layer] = []
        ending = VALUE
        for part in _parts(model):
            name = name_of(part)
            if ending == SOFTMAX:
                raise refuse(part, "something comes after Softmax", "Let Softmax be the last layer")
            if name == "Linear":
                bias = np.zeros(part.out_features) if part.bias is None else _array(part.bias)
                layers.append(Layer(_array(part.weight), bias))
            elif name == "Softmax":
                ending = SOFTMAX
            elif name == "BatchNorm1d":
                layers.append(_normalised(part))
            elif name in BENDS and layers:
                layers.append(Layer(*_same(layers.pop()), BENDS[name]))
            elif name not in NOTHING:
                known = ", ".join(["Linear", "BatchNorm1d", *BENDS, "Softmax", *NOTHING])
                raise refuse(part, "this layer is not known here", f"Use a Sequential of {known}, or ONNX")
        if not layers:
            raise BadInput("it has no layer with weights", where=name_of(model))
        labels = tuple(str(k) for k in range(len(layers[-1].bias))) if ending == SOFTMAX else ()
        columns = layers[0].weights.shape[1]
        bound = "values within 1e-4 of the greatest"
        return Foreign(
            name_of(model), columns, (), Formula(net(_joined(layers))), ending, labels, bound=bound
        )


def _parts(model: Any) -> Iterator[Any]:
    """Yield the layers of a Sequential in their order, those of Sequentials inside it too."""
    if name_of(model) != "Sequential":
        yield model
        return
    for part in model:
        yield from _parts(part)


def _same(layer: Layer) -> tuple[Floats, Floats]:
    if layer.bend != "identity":
        eye = np.eye(len(layer.bias))
        raise BadInput(f"two bends follow each other after {eye.shape[0]} sums", where="Sequential")
    return layer.weights, layer.bias


def _normalised(part: Any) -> Layer:
    """Return a batch normalisation as a diagonal layer."""
    if part.running_mean is None:
        raise refuse(part, "it takes mean and variance from the batch", "Use track_running_stats=True")
    rate = 1 / np.sqrt(_array(part.running_var) + float(part.eps))
    gain = rate if part.weight is None else _array(part.weight) * rate
    offset = 0.0 if part.bias is None else _array(part.bias)
    return Layer(np.diag(gain), offset - _array(part.running_mean) * gain)


def _joined(layers: list[Layer]) -> list[Layer]:
    """Return layers with every two that nothing bends in between made one."""
    found: list[Layer] = []
    for layer in layers:
        if found and found[-1].bend == "identity":
            before = found.pop()
            layer = Layer(
                layer.weights @ before.weights, layer.weights @ before.bias + layer.bias, layer.bend
            )
        found.append(layer)
    return found


def _array(tensor: Any) -> Floats:
    return np.asarray(tensor.detach().cpu().numpy(), np.float64)


TORCH = Torch()
