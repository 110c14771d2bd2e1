"""Layers of ONNX: operators with constants, over vectors and over pictures.

Source: the operators of ONNX 1.x, opset 7 to 21. A picture there is (channels, height, width), or (channels,
n) along time; here channels come last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.imports.join import scaling
from bimetal.learn.imports.look import Floats, refuse
from bimetal.learn.imports.net import Conv, Flat, Gru, Layer, Part, Pool, Shape, tuples
from bimetal.nouns.errors import BadInput
from bimetal.program.operators.gru_cell import GruCell

BENT = {"Relu": "relu", "Tanh": "tanh", "Sigmoid": "logistic"}
ARITHMETIC = ("Gemm", "MatMul", "Add", "Sub", "Mul", "Div", "BatchNormalization")
POOLS = ("MaxPool", "AveragePool")
WHOLE = {
    "GlobalMaxPool": "greatest",
    "GlobalAveragePool": "mean",
    "ReduceMax": "greatest",
    "ReduceMean": "mean",
}
SLIDING = ("Conv", *POOLS, *WHOLE, "GRU", "Transpose")

Known = Mapping[str, NDArray[Any]]


def arithmetic(node: Any, at: dict[str, Any], known: Known, shape: Shape) -> Part:
    """Return an operator that multiplies or adds constants as a layer."""
    kind, width = node.op_type, shape[-1]
    if kind == "BatchNormalization":
        gain, offset, mean, variance = (finite(known[name], kind) for name in node.input[1:5])
        rate = gain / np.sqrt(variance + float(at.get("epsilon", 1e-5)))
        return _scaled(rate, offset - mean * rate, shape)
    if kind in ("Gemm", "MatMul"):
        if len(shape) > 1:
            raise refuse(kind, f"it meets a picture {list(shape)}", "Put Flatten before it")
        return _gemm(node, at, known) if kind == "Gemm" else _matmul(node, known)
    value = finite(_constant(node, known), kind)
    row = _row(kind, value, shape)
    ones, zeros, first = np.ones(width), np.zeros(width), node.input[0] in known
    match kind:
        case "Add":
            return _scaled(ones, row, shape)
        case "Sub":
            return _scaled(-ones if first else ones, row if first else -row, shape)
        case "Mul":
            return _scaled(row, zeros, shape)
        case _:
            if first:
                raise refuse(kind, "a constant is divided by a value", "Leave that out of the net")
            return _scaled(1 / row, zeros, shape)


def sliding(node: Any, at: dict[str, Any], known: Known, shape: Shape) -> list[Part]:
    """Return an operator over a picture as parts; those that only say a shape anew are none, or a Flat."""
    kind = node.op_type
    if kind == "GRU":
        return [_gru(node, at, known)]
    if kind == "Transpose":
        raise refuse(kind, "it turns axes round", "Export the net with channels first, as PyTorch does")
    if kind == "Conv":
        return [_conv(node, at, known, shape)]
    if kind in POOLS:
        return [_pool(kind, at)]
    if kind in WHOLE:
        _check_axes(node, at, known, shape)
        return [Pool(0, WHOLE[kind]), *([] if at.get("keepdims", 1) else [Flat(channels_first=True)])]
    if kind in ("Flatten", "Reshape"):
        target = known[node.input[1]].tolist() if kind == "Reshape" and node.input[1] in known else [0, -1]
        if len(target) != 2 or int(at.get("axis", 1)) != 1:
            raise refuse(kind, f"it makes another picture {target}", "Use Flatten")
        return [Flat(channels_first=True)]
    return [Flat(channels_first=True)] if kind == "Squeeze" and max(shape[:-1]) == 1 else []


def _check_axes(node: Any, at: dict[str, Any], known: Known, shape: Shape) -> None:
    """Raise Unsupported where something else than all places is folded."""
    if not node.op_type.startswith("Reduce"):
        return
    given = at["axes"] if "axes" in at else next((known[n] for n in node.input[1:2] if n in known), [0])
    axes = {int(a) % (len(shape) + 1) for a in given}
    if axes != set(range(2, len(shape) + 1)):
        raise refuse(
            node.op_type, f"it folds the axes {sorted(axes)}", "Fold all places, or use GlobalAveragePool"
        )


def finite(array: NDArray[Any], kind: str) -> Floats:
    """Return constants as numbers; raises BadInput where one is not finite."""
    found = array.astype(np.float64)
    if not np.isfinite(found).all():
        raise BadInput("a weight is not finite: training went astray", where=kind, hint="Train it anew")
    return found


def _constant(node: Any, known: Known) -> NDArray[Any]:
    """Return the one input of an operator that is known; raises Unsupported where none is."""
    found = [known[name] for name in node.input if name in known]
    if len(found) != 1:
        raise refuse(node.op_type, "it joins two computed values", "Export a net in one line")
    return found[0]


def _row(kind: str, value: Floats, shape: Shape) -> Floats:
    """Return a constant for each channel, or for each value of a vector."""
    if value.size == 1:
        return np.full(shape[-1], value.reshape(-1)[0])
    if value.size != shape[-1] or (len(shape) > 1 and value.shape[-len(shape) :][0] != shape[-1]):
        raise refuse(kind, f"{list(value.shape)} constants meet {list(shape)}", "Use one for each channel")
    return value.reshape(-1)


def _scaled(gain: Floats, offset: Floats, shape: Shape) -> Part:
    return scaling(gain, offset) if len(shape) > 1 else Layer(np.diag(gain), offset)


def _matmul(node: Any, known: Known) -> Layer:
    value = finite(_constant(node, known), "MatMul")
    if node.input[0] in known or value.ndim != 2:
        raise refuse("MatMul", "the weights come first", "Export rows times weights")
    return Layer(value.T, np.zeros(len(value.T)))


def _gemm(node: Any, at: dict[str, Any], known: Known) -> Layer:
    if at.get("transA", 0) or node.input[1] not in known:
        raise refuse("Gemm", "its weights are not constants that come second", "Export rows times weights")
    weights = finite(known[node.input[1]], "Gemm") * float(at.get("alpha", 1.0))
    weights = weights if at.get("transB", 0) else weights.T
    bias = finite(known[node.input[2]], "Gemm") if len(node.input) > 2 else np.zeros(1)
    row = bias.reshape(-1) * float(at.get("beta", 1.0))
    return Layer(weights, np.broadcast_to(row, (len(weights),)))


def _numbers(at: dict[str, Any], name: str, axes: int, usual: int) -> list[int]:
    return [int(v) for v in at.get(name, [usual] * axes)]


def _conv(node: Any, at: dict[str, Any], known: Known, shape: Shape) -> Conv:
    if node.input[1] not in known:
        raise refuse("Conv", "its weights are not constants", "Export it with its weights in it")
    weights = finite(known[node.input[1]], "Conv")
    axes = weights.ndim - 2
    pads, strides = _numbers(at, "pads", 2 * axes, 0), _numbers(at, "strides", axes, 1)
    odd = at.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID") or pads[:axes] != pads[axes:]
    if axes != len(shape) - 1 or odd or len(set(strides)) != 1:
        raise refuse(
            "Conv", "its padding differs by side, or its steps by axis", "Pad alike on both sides, one stride"
        )
    if any(d != 1 for d in _numbers(at, "dilations", axes, 1)):
        raise refuse("Conv", "it dilates", "Use dilation 1")
    groups, outside = int(at.get("group", 1)), len(weights)
    bias = finite(known[node.input[2]], "Conv") if len(node.input) > 2 else np.zeros(outside)
    weights = weights[:, :, None] if axes == 1 else weights
    if groups == 1:
        weights = np.moveaxis(weights, 1, -1)
    elif groups == outside == shape[-1]:
        weights = np.moveaxis(weights[:, 0], 0, -1)
    else:
        raise refuse("Conv", f"{groups} groups of channels", "Use one group, or one for each channel")
    above, beside = (0, *pads[:axes])[-2:]
    return Conv(weights, bias, strides[0], (above, beside))


def _pool(kind: str, at: dict[str, Any]) -> Pool:
    sizes = [int(v) for v in at["kernel_shape"]]
    strides, pads = _numbers(at, "strides", len(sizes), 1), _numbers(at, "pads", 2 * len(sizes), 0)
    if len({*sizes, *strides}) != 1 or any(pads) or at.get("ceil_mode", 0):
        raise refuse(kind, "its blocks overlap, or are not as long as wide", "Use stride = size, no padding")
    return Pool(sizes[0], "greatest" if kind == "MaxPool" else "mean")


def _gru(node: Any, at: dict[str, Any], known: Known) -> Gru:
    """A recurrent cell; ONNX has the update gate first, and keeps the reset gate in or out of the sums."""
    if str(at.get("direction", "forward")) != "forward" or not at.get("linear_before_reset", 0):
        raise refuse("GRU", "it runs backwards, or resets before it sums", "Use linear_before_reset=1")
    weights, recurrent = (finite(known[name], "GRU")[0] for name in node.input[1:3])
    size = recurrent.shape[1]
    held = len(node.input) > 3 and node.input[3] in known
    bias = finite(known[node.input[3]], "GRU")[0] if held else np.zeros(6 * size)

    def turned(rows: Floats) -> Any:
        update, reset, candidate = np.split(rows, 3)
        return tuples(np.concatenate([reset, update, candidate]))

    return Gru(
        GruCell(turned(weights), turned(recurrent), turned(bias[: 3 * size]), turned(bias[3 * size :]))
    )
