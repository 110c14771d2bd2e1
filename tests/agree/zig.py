"""Zig: where it is, a C compiler for many processors in one wheel (`pip install ziglang`)."""

from __future__ import annotations

import functools
import importlib.util
import shutil
from pathlib import Path


@functools.cache
def zig() -> str:
    """Return where zig is, from the PATH or from the package ziglang; "" where it is not."""
    spec = importlib.util.find_spec("ziglang")
    inside = [Path(folder) / "zig" for folder in (spec and spec.submodule_search_locations) or ()]
    return shutil.which("zig") or next((str(path) for path in inside if path.is_file()), "")
