"""Present: the targets there are, and the fastest of those that run here."""

from __future__ import annotations

from bimetal.targets.c99_run import C99Target
from bimetal.targets.native import NativeTarget
from bimetal.targets.native_build import Shelf
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.target import Target
from bimetal.targets.toolbox import Toolbox
from bimetal.targets.wasm_node import NodeTarget
from bimetal.targets.wasm_run import WasmTarget


def every_target(tools: Toolbox | None = None, shelf: Shelf | None = None) -> tuple[Target, ...]:
    """Return every target, the law first.

    With `tools`, those that need outside programs can run; native code needs a `shelf` too.
    """
    return NumpyTarget(), WasmTarget(), NativeTarget(tools, shelf), NodeTarget(tools), C99Target(tools)


def fastest(tools: Toolbox | None = None, shelf: Shelf | None = None) -> Target:
    """Return the fastest target: native code where that is allowed and there is a compiler, else wasm.

    Allowed is what is handed in: without tools and a shelf nothing is compiled. Where wasmtime is
    missing it is NumPy, which is always there.
    """
    native, wasm = NativeTarget(tools, shelf), WasmTarget()
    if not native.present():
        return native
    return NumpyTarget() if wasm.present() else wasm
