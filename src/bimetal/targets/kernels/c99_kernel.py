"""C99 kernel: the statement and the functions of every kernel that emitted C has."""

from __future__ import annotations

from collections.abc import Iterable

from bimetal.targets.c99_scalar import MEMBERS, OWNERS
from bimetal.targets.kernels import c99_forest, c99_layer
from bimetal.targets.kernels.layer import LayerKernel
from bimetal.targets.loops import Buf, Call, Stmt
from bimetal.targets.name import spelled


def call_of(call: Call) -> str:
    """Return the statement that runs a kernel."""
    if not isinstance(call.kernel, LayerKernel):
        return c99_forest.call_of(call)
    (x,) = call.reads
    return c99_layer.call_of(call, _pointer(x, 0), _pointer(call.buf, call.start))


def functions_of(body: Iterable[Stmt], name: str) -> list[str]:
    """Return the functions that the kernels among statements need; `name` is the program's."""
    calls = [s for s in body if isinstance(s, Call)]
    layers = {s.kernel: None for s in calls if isinstance(s.kernel, LayerKernel)}
    others = [s for s in calls if s.kernel not in layers]
    return c99_layer.functions_of(layers, name) + c99_forest.functions_of(others, name)


def _pointer(buf: Buf, start: int) -> str:
    """Return the address of an element; a struct holds one element as it is, not as an array."""
    offset = f" + {start}" if start else ""
    if buf.space == "scratch":
        return f"scratch.{MEMBERS[buf.dtype]} + {spelled(buf.name)}{offset}"
    owned = f"{OWNERS[buf.space]}{spelled(buf.name)}"
    return f"&{owned}" if buf.size == 1 else f"{owned}{offset}"
