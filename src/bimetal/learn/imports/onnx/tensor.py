"""Tensors and attributes of an ONNX model, from the fields of its messages.

Source: onnx.proto of ONNX 1.x: the numbers of element types and of kinds of attributes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import Unsupported

TYPES = {1: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "?", 10: "<f2", 11: "<f8"}
FIELDS = {
    1: "float_data",
    2: "int32_data",
    3: "int32_data",
    6: "int32_data",
    7: "int64_data",
    11: "double_data",
}
FLOAT, INT, STRING, TENSOR, FLOATS, INTS, STRINGS = 1, 2, 3, 4, 6, 7, 8


def array_of(tensor: Any) -> NDArray[Any]:
    """Return the values of a TensorProto; raises Unsupported for types that hold no plain numbers."""
    kind, shape = int(tensor.data_type), tuple(int(d) for d in tensor.dims)
    if kind not in TYPES or tensor.external_data:
        raise Unsupported(
            f"tensor {tensor.name!a} holds no plain numbers in the file itself", where="ONNX",
            hint="Save it as float32, in one file",
        )  # fmt: skip
    if tensor.raw_data:
        return np.frombuffer(tensor.raw_data, TYPES[kind]).reshape(shape)
    return np.array(list(getattr(tensor, FIELDS.get(kind, "int32_data"))), TYPES[kind]).reshape(shape)


def attributes_of(node: Any) -> dict[str, Any]:
    """Return the attributes of a node by name: numbers, texts, arrays, lists of them."""
    return {a.name: _value(a) for a in node.attribute}


def _value(attribute: Any) -> Any:
    match int(attribute.type):
        case 1:
            return float(attribute.f)
        case 2:
            return int(attribute.i)
        case 3:
            return bytes(attribute.s).decode("utf-8", "replace")
        case 4:
            return array_of(attribute.t)
        case 6:
            return np.array(list(attribute.floats), np.float32)
        case 7:
            return np.array(list(attribute.ints), np.int64)
        case 8:
            return [bytes(s).decode("utf-8", "replace") for s in attribute.strings]
        case _:
            return None
