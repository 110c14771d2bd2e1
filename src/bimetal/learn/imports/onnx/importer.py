"""The importer of ONNX: one way from the input to the answer, letter by letter."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.imports.foreign import SOFTMAX, VALUE, Columns, Foreign, Formula, Step
from bimetal.learn.imports.look import Floats, refuse
from bimetal.learn.imports.net import BENDS, Layer, net
from bimetal.learn.imports.onnx.tensor import array_of, attributes_of
from bimetal.learn.imports.onnx.tree import MODELS
from bimetal.nouns.errors import BadInput
from bimetal.program.node import Node
from bimetal.program.operators.standardise import Standardise
from bimetal.program.program import Draft

WHERE = "ONNX"
NOTHING = ("Identity", "Dropout", "Flatten", "Cast", "Reshape", "Squeeze")
BENT = {"Relu": "relu", "Tanh": "tanh", "Sigmoid": "logistic"}
KNOWN = ("Gemm", "MatMul", "Add", "Sub", "Mul", "Div", "BatchNormalization", "Scaler", "Softmax")


class Onnx:
    """A ModelProto, as onnx.load gives it: dense nets, scalers, trees and linear models."""

    def recognises(self, model: Any) -> bool:
        """Say whether an object is the message of an ONNX model."""
        return type(model).__name__ == "ModelProto" and hasattr(model, "graph")

    def read(self, model: Any) -> Foreign:
        """Return a model in our words; raises Unsupported naming the operator that cannot be brought over."""
        graph = model.graph
        columns = _columns(graph)
        walk = _Walk(graph, columns)
        node = walk.on()
        while node is not None:
            if node.op_type in MODELS:
                scores, ending, labels = MODELS[node.op_type](node.op_type, attributes_of(node))
                bound = "as onnxruntime says, within 1e-5 of the greatest score"
                return Foreign(WHERE, columns, walk.steps(), scores, ending, labels, bound=bound)
            walk.take(node)
            node = walk.on()
        labels = tuple(str(k) for k in range(walk.width)) if walk.ending == SOFTMAX else ()
        scores = Formula(net(walk.layers) if walk.layers else _as_it_is)
        bound = "as onnxruntime says, within 1e-4 of the greatest value"
        return Foreign(WHERE, columns, tuple(walk.before), scores, walk.ending, labels, bound=bound)


def _as_it_is(_: Draft, x: Node) -> Node:
    return x


def _columns(graph: Any) -> int:
    """Return how many columns the one input has."""
    held = {t.name for t in graph.initializer}
    given = [i for i in graph.input if i.name not in held]
    if len(given) != 1:
        raise refuse(
            WHERE, f"it has {len(given)} inputs", "Export it with one input, all columns side by side"
        )
    dims = [int(d.dim_value) for d in given[0].type.tensor_type.shape.dim]
    columns = dims[-1] if dims else 0
    if len(dims) != 2 or columns < 1:
        raise refuse(
            WHERE, f"its input has the shape {dims}", "Export it for rows of a known number of columns"
        )
    return columns


class _Walk:
    """The way from the input: scalers and layers so far."""

    def __init__(self, graph: Any, columns: int) -> None:
        self.known: dict[str, NDArray[Any]] = {t.name: array_of(t) for t in graph.initializer}
        self.known |= {n.output[0]: attributes_of(n)["value"] for n in graph.node if n.op_type == "Constant"}
        self.nodes = [n for n in graph.node if n.op_type != "Constant"]
        self.at = next(i.name for i in graph.input if i.name not in self.known)
        self.ends = {o.name for o in graph.output}
        self.width = columns
        self.before: list[Step] = []
        self.layers: list[Layer] = []
        self.ending = VALUE

    def on(self) -> Any:
        """Return the node that takes what was reached, None at the end; refuses where ways part."""
        if self.at in self.ends:
            return None
        found = [n for n in self.nodes if self.at in n.input]
        if self.ending == SOFTMAX and {n.op_type for n in found} & {"ArgMax", "ZipMap"}:
            return None
        if len(found) != 1:
            raise refuse(WHERE, f"{len(found)} operators take {self.at!a}", "Export a net in one line")
        return found[0]

    def steps(self) -> tuple[Step, ...]:
        """Return the steps before trees or a linear model; raises Unsupported where layers are among them."""
        if self.layers:
            raise refuse(WHERE, "layers stand before its trees", "Export the trees with their scaler alone")
        return tuple(self.before)

    def take(self, node: Any) -> None:
        """Go over one operator."""
        kind, at = node.op_type, attributes_of(node)
        if self.ending == SOFTMAX and kind not in NOTHING:
            raise refuse(kind, "something comes after Softmax", "Let Softmax be the last operator")
        if kind == "Scaler" and not self.layers:
            self.before.append(_scaler(at, self.width))
        elif kind in BENT:
            self._bend(BENT[kind])
        elif kind == "Softmax":
            self.ending = SOFTMAX
        elif kind in KNOWN:
            self._layer(_affine(kind, node, at, self))
        elif kind not in NOTHING:
            known = ", ".join([*KNOWN, *BENT, *NOTHING, *MODELS])
            raise refuse(kind, "this operator is not known here", f"Use a net of {known}")
        self.at = node.output[0]

    def constant(self, node: Any) -> NDArray[Any]:
        """Return the one input of an operator that is known; raises Unsupported where none is."""
        found = [self.known[name] for name in node.input if name in self.known]
        if len(found) != 1:
            raise refuse(node.op_type, "it joins two computed values", "Export a net in one line")
        return found[0]

    def _layer(self, layer: Layer) -> None:
        if layer.weights.shape[1] != self.width:
            raise BadInput(f"a layer of {layer.weights.shape} meets {self.width} values", where=WHERE)
        if self.layers and self.layers[-1].bend == "identity":
            last = self.layers.pop()
            layer = Layer(layer.weights @ last.weights, layer.weights @ last.bias + layer.bias)
        self.layers.append(layer)
        self.width = len(layer.bias)

    def _bend(self, bend: str) -> None:
        assert bend in BENDS
        last = self.layers.pop() if self.layers else Layer(np.eye(self.width), np.zeros(self.width))
        if last.bend != "identity":
            self.layers.append(last)
            last = Layer(np.eye(self.width), np.zeros(self.width))
        self.layers.append(Layer(last.weights, last.bias, bend))


def _affine(kind: str, node: Any, at: dict[str, Any], walk: _Walk) -> Layer:
    """Return an operator that multiplies or adds constants as a layer."""
    eye, width = np.eye(walk.width), walk.width
    if kind == "Gemm":
        return _gemm(node, at, walk)
    if kind == "BatchNormalization":
        gain, offset, mean, variance = (walk.known[name].astype(np.float64) for name in node.input[1:5])
        rate = gain / np.sqrt(variance + float(at.get("epsilon", 1e-5)))
        return Layer(np.diag(rate), offset - mean * rate)
    value = walk.constant(node).astype(np.float64)
    if kind == "MatMul":
        if node.input[0] in walk.known or value.ndim != 2:
            raise refuse(kind, "the weights come first", "Export rows times weights")
        return Layer(value.T, np.zeros(len(value.T)))
    row: Floats = np.broadcast_to(value.reshape(-1), (width,))
    first = node.input[0] in walk.known
    match kind:
        case "Add":
            return Layer(eye, row)
        case "Sub":
            return Layer(-eye if first else eye, row if first else -row)
        case "Mul":
            return Layer(np.diag(row), np.zeros(width))
        case _:
            if first:
                raise refuse(kind, "a constant is divided by a value", "Leave that out of the net")
            return Layer(np.diag(1 / row), np.zeros(width))


def _gemm(node: Any, at: dict[str, Any], walk: _Walk) -> Layer:
    if at.get("transA", 0) or node.input[1] not in walk.known:
        raise refuse("Gemm", "its weights are not constants that come second", "Export rows times weights")
    weights = walk.known[node.input[1]].astype(np.float64) * float(at.get("alpha", 1.0))
    weights = weights if at.get("transB", 0) else weights.T
    bias = walk.known[node.input[2]].astype(np.float64) if len(node.input) > 2 else np.zeros(1)
    row = bias.reshape(-1) * float(at.get("beta", 1.0))
    return Layer(weights, np.broadcast_to(row, (len(weights),)))


def _scaler(at: dict[str, Any], width: int) -> Columns:
    """(x - offset) * scale in f32, as the operator says."""
    offset = np.broadcast_to(np.asarray(at["offset"], np.float32), (width,))
    scale = np.broadcast_to(np.asarray(at["scale"], np.float32), (width,))

    def transform(rows: Floats) -> Floats:
        return ((rows.astype(np.float32) - offset) * scale).astype(np.float64)

    def spelled(draft: Draft, x: Node, name: str) -> Node:
        steps = tuple((1 / scale.astype(np.float64)).tolist())
        return Standardise(tuple(offset.tolist()), steps, name).trace(draft, x)

    return Columns(transform, spelled)


ONNX = Onnx()
