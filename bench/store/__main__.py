"""What keeping costs, beside a DuckDB table and SQLite. Run: python -m bench.store [--quick] [PART ...].

| part | what |
| --- | --- |
| `room` | bytes a reading on disk, sealed and joined, on real public data and the simulated plant |
| `write` | readings a second and how long a commit takes, while sealing goes on beside |
| `read` | 24 hours of one of 2,000 series out of 50 million readings, before and after joining |

`write-peers` and `read-peers` are the same of the others. Each part is a process of its own, so that its
memory is its own. `CPU` is the time of all threads of that process: on a machine that does other work it
says more than the clock does, whose load is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from bench.store import read, room, write

PARTS: dict[str, Callable[[bool], list[dict[str, Any]]]] = {
    "room": room.measure,
    "write": write.measure,
    "write-peers": write.measure_peers,
    "read": read.measure,
    "read-peers": read.measure_peers,
}


def measured(part: str, quick: bool) -> dict[str, Any]:
    """Measure one part in a process of its own."""
    command = [sys.executable, "-m", "bench.store", "--alone", part, *(["--quick"] if quick else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def table(rows: list[dict[str, Any]]) -> str:
    """Rows of the same keys as lines of text."""
    cells = [list(rows[0]), *([_shown(value) for value in row.values()] for row in rows)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(cells[0]))]
    return "\n".join(
        "  ".join(c.rjust(w) if k else c.ljust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in cells
    )


def main() -> None:
    """Measure the parts that are asked for, all by default, and print a table for each."""
    asked = argparse.ArgumentParser(prog="python -m bench.store", description=(__doc__ or "").split("\n")[0])
    asked.add_argument("parts", nargs="*", default=[], help=f"from: {', '.join(PARTS)}")
    asked.add_argument("--quick", action="store_true", help="less of everything")
    asked.add_argument("--json", action="store_true", help="print JSON")
    asked.add_argument("--alone", choices=PARTS, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.alone:
        rows = PARTS[given.alone](given.quick)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"rows": rows, "peak_mb": round(peak), "load": round(os.getloadavg()[0], 1)}))
        return
    found = {part: measured(part, given.quick) for part in given.parts or PARTS}
    if given.json:
        print(json.dumps(found))
        return
    for part, what in found.items():
        print(f"\n{part} (memory of all at its peak {what['peak_mb']} MB, load {what['load']})")
        print(table(what["rows"]))


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    main()
