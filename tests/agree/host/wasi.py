"""Run a WASI program in wasmtime: `python wasi.py PROGRAM`."""

from __future__ import annotations

import sys

import wasmtime


def main() -> int:
    """Run the program with this one's standard input and output; returns its exit status."""
    engine = wasmtime.Engine()
    store, linker = wasmtime.Store(engine), wasmtime.Linker(engine)
    wasi = wasmtime.WasiConfig()
    wasi.inherit_stdin()
    wasi.inherit_stdout()
    store.set_wasi(wasi)
    linker.define_wasi()
    start = linker.instantiate(store, wasmtime.Module.from_file(engine, sys.argv[1])).exports(store)["_start"]
    assert isinstance(start, wasmtime.Func)
    try:
        start(store)
    except wasmtime.ExitTrap as ended:
        return ended.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
