"""PyTorch: small nets, read by the names of their layers; torch itself is never imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bimetal.learn.imports.foreign import SOFTMAX, VALUE, Foreign, Formula
from bimetal.learn.imports.join import bent, joined, normalised
from bimetal.learn.imports.look import Floats, name_of, refuse
from bimetal.learn.imports.net import Conv, Flat, Gru, Layer, Part, Pool, net, tuples
from bimetal.nouns.errors import BadInput
from bimetal.program.operators.gru_cell import GruCell

BENDS = {"ReLU": "relu", "ReLU6": "relu6", "Tanh": "tanh", "Sigmoid": "logistic"}
NOTHING = ("Identity", "Dropout", "Dropout1d", "Dropout2d")
INSTEAD = {
    "LSTM": "Use GRU: it remembers one vector instead of two",
    "GELU": "Use ReLU, Tanh or Sigmoid",
    "LeakyReLU": "Use ReLU",
    "ConvTranspose1d": "Use Linear layers behind Flatten to grow again",
    "ConvTranspose2d": "Use Linear layers behind Flatten to grow again",
}


class Torch:
    """A Sequential of layers, or one layer; Dropout and the like are left out.

    One that ends in Softmax is a classifier; any other gives values.
    """

    def recognises(self, model: Any) -> bool:
        """Say whether an object is a module of PyTorch, or made from one."""
        return any(c.__module__.startswith("torch.nn.") for c in type(model).__mro__)

    def read(self, model: Any) -> Foreign:
        """Return a net in our words; raises Unsupported naming the layer that cannot be brought over."""
        parts: list[Part] = []
        ending = VALUE
        for module in _parts(model):
            name = name_of(module)
            if ending == SOFTMAX and name not in NOTHING:
                raise refuse(module, "something comes after Softmax", "Let Softmax be the last layer")
            if name == "Softmax":
                ending = SOFTMAX
            elif name in BENDS and parts:
                parts = bent(parts, BENDS[name], _width(parts))
            elif name.startswith("BatchNorm"):
                parts = normalised(parts, *_normalising(module))
            elif name in LAYERS:
                parts.append(LAYERS[name](module))
            elif name not in NOTHING:
                known = ", ".join([*LAYERS, "BatchNorm1d", "BatchNorm2d", *BENDS, "Softmax", *NOTHING])
                instead = INSTEAD.get(name, f"Use a Sequential of {known}, or ONNX")
                raise refuse(module, "this layer is not known here", f"{instead}. Known: {known}")
        if not any(isinstance(p, Layer | Conv | Gru) for p in parts):
            raise BadInput("it has no layer with weights", where=name_of(model))
        made = net(joined(parts))
        labels = tuple(str(k) for k in range(_width(parts))) if ending == SOFTMAX else ()
        columns = made.channels if made.rank == 1 else 0
        bound = "values within 1e-4 of the greatest"
        return Foreign(name_of(model), columns, (), Formula(made), ending, labels, bound=bound)


def _parts(model: Any) -> Iterator[Any]:
    """Yield the layers of a Sequential in their order, those of Sequentials inside it too."""
    if name_of(model) != "Sequential":
        yield model
        return
    for part in model:
        yield from _parts(part)


def _width(parts: list[Part]) -> int:
    """Return how many values or channels the last part with weights gives."""
    last = next((p for p in reversed(parts) if isinstance(p, Layer | Conv | Gru)), None)
    if isinstance(last, Gru):
        return len(last.cell.input) // 3
    return last.outputs if last else 0


def _linear(module: Any) -> Part:
    return Layer(_array(module.weight, module), _bias(module, int(module.out_features)))


def _conv(module: Any) -> Part:
    """A convolution, of all channels or of each alone."""
    groups, inside, outside = (int(getattr(module, k)) for k in ("groups", "in_channels", "out_channels"))
    if module.padding_mode != "zeros" or any(d != 1 for d in module.dilation):
        raise refuse(module, "it dilates, or pads with something else than zeros", "Use dilation=1, zeros")
    if len(set(module.stride)) != 1 or isinstance(module.padding, str):
        raise refuse(module, "its steps differ by axis, or its padding is a word", "Give numbers, one stride")
    weights = _array(module.weight, module)
    weights = weights[:, :, None] if weights.ndim == 3 else weights
    if groups == 1:
        weights = np.moveaxis(weights, 1, -1)
    elif groups == inside == outside:
        weights = np.moveaxis(weights[:, 0], 0, -1)
    else:
        raise refuse(module, f"{groups} groups of channels", "Use groups=1, or one for each channel")
    padding = (0, *map(int, module.padding))[-2:]
    return Conv(weights, _bias(module, outside), int(module.stride[0]), (padding[0], padding[1]))


def _pool(module: Any) -> Part:
    """A pool of blocks that do not overlap."""
    size, stride, padding = (_one(getattr(module, k)) for k in ("kernel_size", "stride", "padding"))
    if size is None or stride != size or padding != 0 or getattr(module, "ceil_mode", False):
        raise refuse(
            module, "its blocks overlap, or are not as long as wide", "Use stride = kernel size, no padding"
        )
    return Pool(size, "greatest" if name_of(module).startswith("Max") else "mean")


def _whole_pool(module: Any) -> Part:
    if _one(module.output_size) != 1:
        raise refuse(module, "it does not give one place", "Use output size 1")
    return Pool(0, "greatest" if "Max" in name_of(module) else "mean")


def _one(value: Any) -> int | None:
    """Return a number that counts for all axes, None where they differ."""
    found: set[Any] = set(value) if hasattr(value, "__len__") else {value}
    return int(found.pop()) if len(found) == 1 else None


def _flat(module: Any) -> Part:
    if int(module.start_dim) != 1 or int(module.end_dim) != -1:
        raise refuse(module, "it leaves axes as they are", "Use Flatten() as it is made")
    return Flat(channels_first=True)


def _gru(module: Any) -> Part:
    """One layer of a GRU in one direction: it takes one reading after the other."""
    if int(module.num_layers) != 1 or module.bidirectional:
        raise refuse(module, "it has several layers, or two directions", "Use one layer, one direction")
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    zeros = np.zeros(3 * int(module.hidden_size))
    found = [_array(getattr(module, n), module) if hasattr(module, n) else zeros for n in names]
    return Gru(GruCell(*map(tuples, found)))


LAYERS: dict[str, Callable[[Any], Part]] = {
    "Linear": _linear,
    "Conv1d": _conv,
    "Conv2d": _conv,
    "MaxPool1d": _pool,
    "MaxPool2d": _pool,
    "AvgPool1d": _pool,
    "AvgPool2d": _pool,
    "AdaptiveAvgPool1d": _whole_pool,
    "AdaptiveAvgPool2d": _whole_pool,
    "AdaptiveMaxPool1d": _whole_pool,
    "AdaptiveMaxPool2d": _whole_pool,
    "Flatten": _flat,
    "GRU": _gru,
}


def _normalising(module: Any) -> tuple[Floats, Floats]:
    """Return a batch normalisation as a factor and an offset."""
    if module.running_mean is None:
        raise refuse(module, "it takes mean and variance from the batch", "Use track_running_stats=True")
    rate = 1 / np.sqrt(_array(module.running_var, module) + float(module.eps))
    gain = rate if module.weight is None else _array(module.weight, module) * rate
    offset = 0.0 if module.bias is None else _array(module.bias, module)
    return gain, offset - _array(module.running_mean, module) * gain


def _bias(module: Any, count: int) -> Floats:
    return np.zeros(count) if module.bias is None else _array(module.bias, module)


def _array(tensor: Any, module: Any) -> Floats:
    """Return a tensor's numbers; raises BadInput where one is not finite."""
    found = np.asarray(tensor.detach().cpu().numpy(), np.float64)
    if not np.isfinite(found).all():
        raise BadInput(
            "a weight is not finite: training went astray",
            where=name_of(module),
            hint="Train it anew, more slowly",
        )
    return found


TORCH = Torch()
