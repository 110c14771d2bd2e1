"""Files of ONNX: read with the package onnx, which is an extra; nothing in such a file is run."""

from __future__ import annotations

from typing import Any

from bimetal.nouns.errors import BadInput, Unsupported

MOST_BYTES = 1 << 28
"""Larger than any net for a microcontroller by far."""


def parsed(data: bytes, where: str) -> Any:
    """Return the message of an ONNX file; raises BadInput where it is none, Unsupported without onnx."""
    if len(data) > MOST_BYTES:
        raise BadInput(f"{len(data):,} bytes are no net for a microcontroller", where=where)
    try:
        import onnx
    except ImportError:
        raise Unsupported(
            "reading .onnx needs the package onnx", where=where, hint="pip install bimetal[onnx]"
        ) from None
    try:
        model: Any = onnx.load_model_from_string(data)
    except Exception as error:
        reason = f"it is no ONNX model ({type(error).__name__})"
        raise BadInput(
            reason, where=where, hint="Export it anew, with torch.onnx.export or skl2onnx"
        ) from None
    if not len(model.graph.node):
        raise BadInput("there is no operator in it", where=where, hint="Export it anew")
    return model
