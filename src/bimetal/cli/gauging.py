"""Gauging: how a server stands, looked at every few seconds, kept in its folder, and judged."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from bimetal.keep.disk import in_words, write_whole
from bimetal.keep.place import place_of, reading_catalog
from bimetal.nouns.errors import Error, NotFound
from bimetal.stream.headroom import Headroom, headroom
from bimetal.stream.meter import History, Meter, Spell
from bimetal.stream.outlook import Asked

FILE = "headroom.json"
"""The file of a folder in which the history of its server is."""
LOOK_S = 10.0
KEEP_S = 60.0


class Gauge:
    """Looks at a server's process and folder; the history is where it was left."""

    def __init__(self, folder: Path, meter: Meter, now_ns: int) -> None:
        self._folder = folder
        self._meter = meter
        self._since_ns = now_ns
        self._process_s = time.process_time()
        self._kept_s = time.monotonic()
        self._devices: set[str] = set()
        self._kept = (0, 0)
        try:
            self.history = history_of(folder)
        except Error:
            # One that cannot be read is of no use; the server has more important things to do.
            self.history = History()
        if self.history.spells and self.history.spells[-1].end_ns > now_ns:
            self.history = History()  # the clock was set back since

    def met(self, devices: tuple[str, ...]) -> None:
        """Note that these devices were heard."""
        self._devices.update(devices)

    def forget(self, device: str) -> None:
        """Forget that a device was heard."""
        self._devices.discard(device)

    def look(self, now_ns: int) -> Headroom:
        """End a spell, keep the history now and then, and return the verdict."""
        self.history = self.history.add(self._spell(now_ns))
        if time.monotonic() - self._kept_s > KEEP_S:
            self.save()
        return verdict(self._folder, self.history, Asked(now_ns))

    def save(self) -> None:
        """Keep the history in the folder."""
        self._kept_s = time.monotonic()
        write_whole(self._folder / FILE, self.history.encode())

    def _spell(self, now_ns: int) -> Spell:
        counted = self._meter.cut()
        process_s, before = time.process_time(), self._process_s
        since_ns, self._since_ns, self._process_s = self._since_ns, now_ns, process_s
        with suppress(Error):  # a catalog elsewhere may be out of reach
            self._kept = _sealed(self._folder)
        rows, size = self._kept
        held = resident_bytes()
        return replace(
            counted,
            begin_ns=since_ns,
            end_ns=now_ns,
            process_s=process_s - before,
            devices=len(self._devices),
            sealed_rows=rows,
            sealed_bytes=size,
            kept_bytes=_size_of(self._folder),
            disk_free=shutil.disk_usage(self._folder).free,
            memory_bytes=held,
            memory_limit=memory_limit(held),
        )


def history_of(folder: Path) -> History:
    """Return the history of the server of a folder; raises NotFound where there is none yet, BadInput."""
    path = folder / FILE
    if not path.exists():
        raise NotFound(
            "no server was watched here yet",
            where=str(folder),
            hint="Run bimetal serve --data with this folder for a minute",
        )
    with in_words(path):
        content = path.read_bytes()
    return History.decode(content, str(path))


def verdict(folder: Path, history: History, asked: Asked) -> Headroom:
    """Return the verdict on a server with this history, naming the devices in its folder that weigh most."""
    return headroom(history, replace(asked, rows=_rows_by_device(folder)))


def resident_bytes() -> int:
    """Return how much memory this process holds, 0 where it cannot be told."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return _most_resident()


def memory_limit(held: int) -> int:
    """Return how much memory this process can have, holding so much now; 0 where it cannot be told."""
    found = [_cgroup_limit(), _available(held)]
    return min((limit for limit in found if limit), default=0)


def _most_resident() -> int:
    if sys.platform == "win32":
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _cgroup_limit() -> int:
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            said = int(Path(path).read_text("ascii"))
        except (OSError, ValueError):
            continue
        return said if said < 1 << 60 else 0
    return 0


def _available(held: int) -> int:
    """Return what is free for this process and what it holds already."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        said = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}
        return said["MemAvailable"] + held
    except (OSError, ValueError, IndexError, KeyError):
        return 0


def _sealed(folder: Path) -> tuple[int, int]:
    """Return how many readings segments hold, and their bytes."""
    with reading_catalog(place_of(folder)) as book:
        return book.size()


def _rows_by_device(folder: Path) -> Mapping[str, int]:
    try:
        with reading_catalog(place_of(folder)) as book:
            return book.rows_by_device()
    except Error:
        return {}


def _size_of(folder: Path) -> int:
    """Return the bytes of all files; one that goes away meanwhile counts nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(place, name)).st_size
            except OSError:
                continue
    return total
