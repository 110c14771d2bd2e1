"""ONNX graph: nodes and constants as they are added; the only place that touches the package onnx."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.program.interval import Interval, whole_of
from bimetal.program.node import Node
from bimetal.program.range import Ranges

OPSET = 18
"""The first with operators on bits of whole numbers."""
IR_VERSION = 9
KINDS: dict[str, type[np.generic]] = {
    "f32": np.float32,
    "i64": np.int64,
    "i32": np.int32,
    "i16": np.int16,
    "i8": np.int8,
    "u8": np.uint8,
    "b1": np.bool_,
}


def package() -> Any:
    """Return the package onnx, imported when something is exported."""
    import onnx

    return onnx


@dataclass(slots=True)
class Shared:
    """What a graph and the bodies of its loops have together: names given, and constants."""

    ranges: Ranges
    count: int = 0
    constants: dict[tuple[Any, ...], str] = field(default_factory=dict[tuple[Any, ...], str])
    initializers: list[Any] = field(default_factory=list[Any])


class Graph:
    """A graph being written: `add` appends a node and returns the name of what it gives."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.nodes: list[Any] = []

    def inside(self) -> Graph:
        """Return an empty graph for the body of a loop of this one."""
        return Graph(self.shared)

    def fresh(self, hint: str = "t") -> str:
        """Return a name that was not given before, and that nothing in a program can have."""
        self.shared.count += 1
        return f"{hint}.{self.shared.count}"

    def add(self, op: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Append a node with one output."""
        (name,) = self.add_many(op, inputs, 1, **attributes)
        return name

    def add_many(self, op: str, inputs: Sequence[str], count: int, **attributes: Any) -> list[str]:
        """Append a node with several outputs."""
        make = package().helper
        names = [self.fresh(op.lower()) for _ in range(count)]
        self.nodes.append(make.make_node(op, list(inputs), names, **attributes))
        return names

    def add_as(self, op: str, given: str, name: str, kind: str) -> None:
        """Append a node that gives its input another name, and another type where it is a `Cast`."""
        make = package().helper
        attributes = {"to": element_type(kind)} if op == "Cast" else {}
        self.nodes.append(make.make_node(op, [given], [name], **attributes))

    def constant(self, values: NDArray[Any]) -> str:
        """Return the name of known values; the same ones have one name."""
        make = package().numpy_helper
        key = (values.dtype.str, values.shape, values.tobytes())
        if key not in self.shared.constants:
            chosen = self.fresh("c")
            self.shared.constants[key] = chosen
            self.shared.initializers.append(make.from_array(np.array(values, order="C"), chosen))
        return self.shared.constants[key]

    def number(self, value: float) -> str:
        """Return an f32."""
        return self.constant(np.array(value, np.float32))

    def whole(self, value: int, kind: str = "i32") -> str:
        """Return a whole number."""
        return self.constant(np.array(value, KINDS[kind]))

    def cast(self, name: str, kind: str) -> str:
        """Change the type."""
        return self.add("Cast", (name,), to=element_type(kind))

    def known(self, node: Node) -> Interval:
        """Return what was proven about a letter."""
        return self.shared.ranges.nodes.get(node, whole_of(node.dtype))


def element_type(kind: str) -> int:
    """Return the number ONNX has for an element type."""
    make = package().helper
    return make.np_dtype_to_tensor_dtype(np.dtype(KINDS[kind]))


def value(name: str, kind: str, shape: Sequence[int]) -> Any:
    """Return the declaration of a tensor."""
    make = package().helper
    return make.make_tensor_value_info(name, element_type(kind), list(shape))


def body_of(graph: Graph, name: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
    """Return the body of a loop."""
    make = package().helper
    return make.make_graph(graph.nodes, name, list(inputs), list(outputs))


def model_of(
    graph: Graph, name: str, inputs: Sequence[Any], outputs: Sequence[Any], said: Mapping[str, str]
) -> bytes:
    """Return a whole model as bytes, checked by onnx's own checker."""
    onnx = package()
    make = onnx.helper
    whole = make.make_graph(graph.nodes, name, list(inputs), list(outputs), graph.shared.initializers)
    opset = make.make_opsetid("", OPSET)
    model = make.make_model(whole, opset_imports=[opset], ir_version=IR_VERSION, producer_name="bimetal")
    make.set_model_props(model, dict(said))
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()
