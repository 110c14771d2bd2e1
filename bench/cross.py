"""Bits on other processors. Run: python bench/cross.py [METAL...], from the root.

Emits the detectors and an example of every operator as C with ten golden vectors each, builds them for every
processor zig knows and qemu runs here, lets them test themselves there, and prints how many vectors are
equal in every bit of results and state. Needs zig (pip install ziglang) and qemu-user.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.agree.crossed import METALS, equal_vectors, table, undeclared, zig


def main() -> int:
    """Print a line for each metal as it is done; the exit status is 1 where a vector differs."""
    if not zig():
        print("zig is missing; pip install ziglang")
        return 2
    chosen = [m for m in METALS if not sys.argv[1:] or any(word in m.name for word in sys.argv[1:])]
    wrong = 0
    print(table([]))
    for metal in chosen:
        if metal.emulator and shutil.which(metal.emulator[0]) is None:
            print(f"{metal.name:<20}{metal.emulator[0]} is not installed")
            continue
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = equal_vectors(metal, few=False, folder=Path(folder))
            except AssertionError as error:
                print(f"{metal.name:<20}{str(error)[:300]}")
                wrong += 1
                continue
        differ = {name: pair for name, pair in found.items() if pair[0] != pair[1]}
        wrong += len(undeclared(metal, found))
        line = table([(metal, found)]).splitlines()[1]
        print(f"{line}   {time.monotonic() - begin:.0f} s {differ or ''}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
