"""LiteRT graph: tensors and operators as they are added; the only place that touches a schema of LiteRT.

Written by the classes that the package ai-edge-litert generates from LiteRT's own schema, and flatbuffers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import Unsupported
from bimetal.program.interval import Interval, whole_of
from bimetal.program.node import Node
from bimetal.program.range import Ranges

VERSION = 3
"""Of the file format."""
MOST_OPERATORS = 20_000
MOST_AXES = 4
"""What LiteRT's operators can take."""
SIGNATURE = "serving_default"
KINDS: dict[str, tuple[str, type[np.generic]]] = {
    "f32": ("FLOAT32", np.float32),
    "i64": ("INT64", np.int64),
    "i32": ("INT32", np.int32),
    "i16": ("INT16", np.int16),
    "i8": ("INT8", np.int8),
    "u8": ("UINT8", np.uint8),
    "b1": ("BOOL", np.bool_),
}
OPTIONS = {
    "ADD": "AddOptions",
    "SUB": "SubOptions",
    "MUL": "MulOptions",
    "DIV": "DivOptions",
    "GATHER": "GatherOptions",
    "CONCATENATION": "ConcatenationOptions",
    "STRIDED_SLICE": "StridedSliceOptions",
    "SUM": "ReducerOptions",
    "REDUCE_MAX": "ReducerOptions",
    "REDUCE_MIN": "ReducerOptions",
    "CAST": "CastOptions",
    "RESHAPE": "ReshapeOptions",
}


def schema() -> Any:
    """Return the classes of the schema, imported when something is exported."""
    import ai_edge_litert.schema_py_generated as made  # pyright: ignore[reportMissingTypeStubs, reportMissingImports]

    return made


def packed(model: Any) -> bytes:
    """Return a model as the bytes of a file."""
    import flatbuffers as package  # pyright: ignore[reportMissingTypeStubs, reportMissingImports]

    writer: Any = package
    builder = writer.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


class Graph:
    """A graph being written: `add` appends an operator and returns the number of the tensor it gives."""

    def __init__(self, ranges: Ranges) -> None:
        self.schema = schema()
        self.ranges = ranges
        self.tensors: list[Any] = []
        self.kinds: list[str] = []
        self.shapes: list[tuple[int, ...]] = []
        self.buffers: list[bytes] = [b""]
        self.operators: list[Any] = []
        self.codes: dict[str, int] = {}
        self.constants: dict[tuple[Any, ...], int] = {}

    def known(self, node: Node) -> Interval:
        """Return what was proven about a letter."""
        return self.ranges.nodes.get(node, whole_of(node.dtype))

    def tensor(self, kind: str, shape: Sequence[int], name: str = "", data: bytes = b"") -> int:
        """Declare a tensor; raises Unsupported for one with more axes than LiteRT can take."""
        if len(shape) > MOST_AXES:
            raise Unsupported(f"{len(shape)} axes are more than {MOST_AXES}", where="litert")
        made = self.schema.TensorT()
        made.name = (name or f"t{len(self.tensors)}").encode()
        made.type = getattr(self.schema.TensorType, KINDS[kind][0])
        made.shape = list(shape)
        made.hasRank = True
        made.buffer = len(self.buffers) if data else 0
        if data:
            self.buffers.append(data)
        self.tensors.append(made)
        self.kinds.append(kind)
        self.shapes.append(tuple(shape))
        return len(self.tensors) - 1

    def add(self, op: str, inputs: Sequence[int], kind: str, shape: Sequence[int], **options: Any) -> int:
        """Append an operator with one output; raises Unsupported when there are too many."""
        if len(self.operators) >= MOST_OPERATORS:
            raise Unsupported(f"it takes more than {MOST_OPERATORS} operators", where="litert")
        made = self.schema.OperatorT()
        made.opcodeIndex = self.codes.setdefault(op, len(self.codes))
        made.inputs = list(inputs)
        out = self.tensor(kind, shape)
        made.outputs = [out]
        if op in OPTIONS:
            made.builtinOptionsType = getattr(self.schema.BuiltinOptions, OPTIONS[op])
            made.builtinOptions = getattr(self.schema, f"{OPTIONS[op]}T")()
            for name, value in options.items():
                setattr(made.builtinOptions, name, value)
        self.operators.append(made)
        return out

    def spread(self, op: str, inputs: Sequence[int], kind: str) -> int:
        """Append an operator on elements, whose inputs are broadcast."""
        shape = np.broadcast_shapes(*(self.shapes[i] for i in inputs))
        return self.add(op, inputs, kind, shape)

    def constant(self, values: NDArray[Any]) -> int:
        """Return known values; the same ones are one tensor."""
        key = (values.dtype.str, values.shape, values.tobytes())
        if key not in self.constants:
            kind = next(k for k, (_, form) in KINDS.items() if np.dtype(form) == values.dtype)
            self.constants[key] = self.tensor(kind, values.shape, data=values.tobytes())
        return self.constants[key]

    def number(self, value: float) -> int:
        """Return an f32."""
        return self.constant(np.array(value, np.float32))

    def whole(self, value: int, kind: str = "i32") -> int:
        """Return a whole number."""
        return self.constant(np.array(value, KINDS[kind][1]))

    def cast(self, tensor: int, kind: str) -> int:
        """Change the type."""
        return (
            tensor if self.kinds[tensor] == kind else self.add("CAST", (tensor,), kind, self.shapes[tensor])
        )

    def shaped(self, tensor: int, shape: Sequence[int]) -> int:
        """Change the shape; also what gives a tensor another number."""
        wanted = self.constant(np.array(shape, np.int32))
        return self.add("RESHAPE", (tensor, wanted), self.kinds[tensor], shape, newShape=list(shape))

    def finish(self, inputs: Mapping[str, int], outputs: Mapping[str, int], said: Mapping[str, str]) -> bytes:
        """Return a whole model as bytes, with its inputs and outputs by name, and what is said beside it."""
        s = self.schema
        part = s.SubGraphT()
        part.name = b"main"
        part.tensors, part.operators = self.tensors, self.operators
        part.inputs, part.outputs = list(inputs.values()), list(outputs.values())
        model = s.ModelT()
        model.version, model.description = VERSION, b"bimetal"
        model.subgraphs, model.operatorCodes = [part], [self._code(op) for op in self.codes]
        model.metadata = [self._note(name, text) for name, text in said.items()]
        model.buffers = [self._buffer(data) for data in self.buffers]
        signature = s.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = SIGNATURE.encode(), 0
        signature.inputs = [self._named(name, k) for name, k in inputs.items()]
        signature.outputs = [self._named(name, k) for name, k in outputs.items()]
        model.signatureDefs = [signature]
        return packed(model)

    def _code(self, op: str) -> Any:
        made = self.schema.OperatorCodeT()
        made.builtinCode = getattr(self.schema.BuiltinOperator, op)
        made.deprecatedBuiltinCode = min(made.builtinCode, 127)
        made.version = 1
        return made

    def _buffer(self, data: bytes) -> Any:
        made = self.schema.BufferT()
        made.data = np.frombuffer(data, np.uint8) if data else None
        return made

    def _note(self, name: str, text: str) -> Any:
        made = self.schema.MetadataT()
        made.name, made.buffer = name.encode(), len(self.buffers)
        self.buffers.append(text.encode())
        return made

    def _named(self, name: str, tensor: int) -> Any:
        made = self.schema.TensorMapT()
        made.name, made.tensorIndex = name.encode(), tensor
        return made
