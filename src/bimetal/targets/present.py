"""Present: the targets there are, and the fastest of those that run here."""

from __future__ import annotations

from bimetal.targets.c99_run import C99Target
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.target import Target
from bimetal.targets.toolbox import Toolbox
from bimetal.targets.wasm_node import NodeTarget
from bimetal.targets.wasm_run import WasmTarget


def every_target(tools: Toolbox | None = None) -> tuple[Target, ...]:
    """Return every target, the law first; with `tools`, those that need outside programs can run."""
    return NumpyTarget(), WasmTarget(), NodeTarget(tools), C99Target(tools)


def fastest() -> Target:
    """Return the fastest target that needs nothing installed: wasm, or NumPy where wasmtime is missing."""
    wasm = WasmTarget()
    return NumpyTarget() if wasm.present() else wasm
