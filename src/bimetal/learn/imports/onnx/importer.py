"""The importer of ONNX: one way from the input to the answer, letter by letter."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.imports.foreign import SOFTMAX, VALUE, Columns, Foreign, Formula, Step
from bimetal.learn.imports.join import bent, joined
from bimetal.learn.imports.look import Floats, refuse
from bimetal.learn.imports.net import Net, Part, Shape, shape_after, sized
from bimetal.learn.imports.onnx.layer import ARITHMETIC, BENT, SLIDING, arithmetic, sliding
from bimetal.learn.imports.onnx.tensor import array_of, attributes_of
from bimetal.learn.imports.onnx.tree import MODELS
from bimetal.nouns.errors import BadInput
from bimetal.program.node import Node
from bimetal.program.operators.standardise import Standardise
from bimetal.program.program import Draft

WHERE = "ONNX"
NOTHING = ("Identity", "Dropout", "Cast", "Squeeze", "Unsqueeze", "Reshape", "Flatten")
AXES = ("Transpose", "Squeeze", "Unsqueeze", "Reshape", "Gather", "Slice", "Identity")
"""Around a recurrent cell they only say which reading is meant: here there is one at a time."""
INSTEAD = {
    "LSTM": "Use GRU: it remembers one vector instead of two",
    "ConvTranspose": "Use Gemm behind Flatten to grow again",
    "LeakyRelu": "Use Relu",
    "Gelu": "Use Relu, Tanh or Sigmoid",
    "QuantizeLinear": "Export the net in floats: bimetal makes it int8 itself",
    "QLinearConv": "Export the net in floats: bimetal makes it int8 itself",
}


class Onnx:
    """A ModelProto, as onnx.load gives it: nets, scalers, trees and linear models."""

    def recognises(self, model: Any) -> bool:
        """Say whether an object is the message of an ONNX model."""
        return type(model).__name__ == "ModelProto" and hasattr(model, "graph")

    def read(self, model: Any) -> Foreign:
        """Return a model in our words; raises Unsupported naming the operator that cannot be brought over."""
        graph = model.graph
        shape = _shape(graph)
        columns = int(np.prod(shape))
        walk = _Walk(graph, shape)
        node = walk.on()
        while node is not None:
            if node.op_type in MODELS:
                scores, ending, labels = MODELS[node.op_type](node.op_type, attributes_of(node))
                bound = "as onnxruntime says, within 1e-5 of the greatest score"
                return Foreign(WHERE, columns, walk.steps(), scores, ending, labels, bound=bound)
            walk.take(node)
            node = walk.on()
        labels = tuple(str(k) for k in range(walk.shape[-1])) if walk.ending == SOFTMAX else ()
        scores = Formula(sized(Net(tuple(joined(walk.parts))), shape) if walk.parts else _as_it_is)
        bound = "as onnxruntime says, within 1e-4 of the greatest value"
        return Foreign(WHERE, columns, tuple(walk.before), scores, walk.ending, labels, bound=bound)


def _as_it_is(_: Draft, x: Node) -> Node:
    return x


def _shape(graph: Any) -> Shape:
    """Return the shape of the one input, channels last."""
    held = {t.name for t in graph.initializer}
    given = [i for i in graph.input if i.name not in held]
    if len(given) != 1:
        raise refuse(
            WHERE, f"it has {len(given)} inputs", "Export it with one input, all columns side by side"
        )
    recurrent = any(n.op_type == "GRU" for n in graph.node)
    dims = [int(d.dim_value) for d in given[0].type.tensor_type.shape.dim]
    if recurrent and dims and dims[-1] > 0:
        return (dims[-1],)
    if len(dims) not in (2, 3, 4) or min(dims[1:]) < 1:
        raise refuse(
            WHERE, f"its input has the shape {dims}", "Export it for rows of a known number of columns"
        )
    return (*dims[2:], dims[1])


class _Walk:
    """The way from the input: scalers and layers so far, and the shape that was reached."""

    def __init__(self, graph: Any, shape: Shape) -> None:
        self.known: dict[str, NDArray[Any]] = {t.name: array_of(t) for t in graph.initializer}
        self.known |= {n.output[0]: attributes_of(n)["value"] for n in graph.node if n.op_type == "Constant"}
        self.nodes = [n for n in graph.node if n.op_type != "Constant"]
        self.at = next(i.name for i in graph.input if i.name not in self.known)
        self.ends = {o.name for o in graph.output}
        self.shape = shape
        self.before: list[Step] = []
        self.parts: list[Part] = []
        self.ending = VALUE
        self.recurrent = any(n.op_type == "GRU" for n in graph.node)

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
        if self.parts:
            raise refuse(WHERE, "layers stand before its trees", "Export the trees with their scaler alone")
        return tuple(self.before)

    def take(self, node: Any) -> None:
        """Go over one operator."""
        kind, at = node.op_type, attributes_of(node)
        if self.ending == SOFTMAX and kind not in NOTHING:
            raise refuse(kind, "something comes after Softmax", "Let Softmax be the last operator")
        if kind == "Scaler" and not self.parts and len(self.shape) == 1:
            self.before.append(_scaler(at, self.shape[0]))
        elif kind in BENT or kind == "Clip":
            self.parts = bent(self.parts, self._bend(node, kind, at), self.shape[-1])
        elif kind == "Softmax":
            self.ending = SOFTMAX
        elif self.recurrent and kind in AXES:
            pass
        elif kind in SLIDING or (kind in NOTHING and len(self.shape) > 1):
            self._add(sliding(node, at, self.known, self.shape))
        elif kind in ARITHMETIC:
            self._add([arithmetic(node, at, self.known, self.shape)])
        elif kind not in NOTHING:
            known = ", ".join([*ARITHMETIC, *SLIDING, *BENT, "Clip", "Softmax", "Scaler", *NOTHING, *MODELS])
            instead = INSTEAD.get(kind, f"Use a net of {known}")
            raise refuse(kind, "this operator is not known here", instead)
        self.at = self._on_from(node)

    def _on_from(self, node: Any) -> str:
        """Return the name of the result that is used further on."""
        used = {name for n in self.nodes for name in n.input} | self.ends
        return next((name for name in node.output if name in used), node.output[0])

    def _bend(self, node: Any, kind: str, at: dict[str, Any]) -> str:
        """Return how values are bent; a Clip to 0..6 is a bend too."""
        if kind in BENT:
            return BENT[kind]
        ends = [at.get("min"), at.get("max")]
        for k, name in enumerate(node.input[1:3]):
            ends[k] = float(self.known[name].reshape(-1)[0]) if name in self.known else ends[k]
        if ends != [0.0, 6.0]:
            raise refuse(kind, f"values are kept within {ends}", "Use Relu, or a Clip from 0 to 6")
        return "relu6"

    def _add(self, parts: list[Part]) -> None:
        for part in parts:
            try:
                self.shape = shape_after(part, self.shape)
            except BadInput as error:
                raise BadInput(error.what, where=WHERE, hint=error.hint) from None
            self.parts = joined([*self.parts, part])


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
