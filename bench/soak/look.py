"""Look: what a server takes up at an instant, by its processes and its folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one instant; sizes are in bytes, and of all processes together."""

    passed_s: float
    processes: int
    rss: int
    own: int
    files: int
    threads: int
    cpu_s: float
    own_cpu_s: float
    disk: int
    journal: int
    sessions: int
    segments: int
    readings: int
    acknowledged: int
    cut: int
    back: int
    posted: int
    heard: int
    query_s: float
    ack_p50_ms: float
    ack_p99_ms: float
    load: float


def family(pid: int) -> list[int]:
    """A process and those that it started, and so on."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(word) for word in task.read_text().split()]
    return found


def resident(pid: int) -> tuple[int, int]:
    """RSS of a process, and what of it is in no other: that does not change as others come and go."""
    said = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    names = ("Rss", "Private_Clean", "Private_Dirty")
    rss, clean, dirty = (int(said[name].split()[0]) * 1024 for name in names)
    return rss, clean + dirty


def open_files(pid: int) -> int:
    """How many files and sockets a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def threads(pid: int) -> int:
    """How many threads a process has."""
    return sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())


def size_on_disk(folder: Path) -> int:
    """How much room a folder takes on the disk; what is removed meanwhile is not counted."""
    return sum(blocks * 512 for blocks in _blocks(folder))


def _blocks(folder: Path) -> Iterator[int]:
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                yield (Path(place) / name).stat().st_blocks
            except FileNotFoundError:
                continue
