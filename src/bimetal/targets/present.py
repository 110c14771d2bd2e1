"""Present: the targets there are, and the fastest of those that run here."""

from __future__ import annotations

from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.target import Target
from bimetal.targets.wasm_run import WasmTarget


def every_target() -> tuple[Target, ...]:
    """Return every target, the law first."""
    return NumpyTarget(), WasmTarget()


def fastest() -> Target:
    """Return the fastest target that needs nothing installed: wasm, or NumPy where wasmtime is missing."""
    wasm = WasmTarget()
    return NumpyTarget() if wasm.present() else wasm
