"""Room: bytes a reading on real public data, and on the simulated plant."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.detect.series import skab, smd
from bench.store.peer import Duck, Lite
from bimetal.keep.segment import Segments
from bimetal.nouns import Batch, Signal
from bimetal.packs.machine.simulator import simulate
from tests.conftest import data_folder

START_NS = 1_767_225_600_000_000_000
SECOND_NS = 1_000_000_000
Values = NDArray[np.float64]


def measure(quick: bool) -> list[dict[str, Any]]:
    """Bytes a reading of each set that is there, in our segments and with the peers."""
    rows: list[dict[str, Any]] = []
    for name, batches in sets(data_folder(), quick):
        with tempfile.TemporaryDirectory() as folder:
            readings = sum(b.readings for b in batches)
            row = {
                "set": name,
                "readings": readings,
                "bimetal": sealed_bytes(Path(folder), batches) / readings,
            }
            for kind in (Duck, Lite):
                peer = kind(Path(folder))
                for batch in batches:
                    peer.append(batch)
                row[kind.name] = peer.bytes() / readings
            rows.append(row)
    return rows


def sealed_bytes(folder: Path, batches: list[Batch]) -> int:
    """What the segments of these batches take, sealed every million readings and joined."""
    segments = Segments(folder / "kept")
    for batch in batches:
        segments.append(batch)
    segments.seal()
    while segments.tend():
        pass
    segments.close()
    return sum(path.stat().st_size for path in (folder / "kept" / "segments").iterdir())


def sets(data: Path, quick: bool) -> Iterator[tuple[str, list[Batch]]]:
    """Each set with its readings, as devices sent them."""
    many = 1 if quick else 4
    readers: dict[str, Callable[[Path], list[Batch]]] = {
        "smd": lambda d: [_regular(f"server-{k}", s.values, 60) for k, s in enumerate(islice(smd(d), many))],
        "ett": lambda d: [_regular("transformer", _csv(d / "ett/ETTh1.csv", range(1, 8)), 3600)],
        "skab": lambda d: [_regular(f"rig-{k}", s.values, 1) for k, s in enumerate(skab(d))],
        "steel_energy": lambda d: [
            _regular("works", _csv(d / "steel_energy/Steel_industry_data.csv", range(1, 7)), 900)
        ],
        "ulb_motes": _motes,
    }
    for name, reader in readers.items():
        if (data / name).is_dir():
            yield name, reader(data)
    seconds = 600 if quick else 2400
    plant, _ = simulate("faults", 12, seconds, 10, 0, start_ns=START_NS)
    yield "plant, regular", [plant]
    yield "plant, by arrival", [_jittered(plant)]


def _regular(device: str, values: Values, period_s: float) -> Batch:
    signals = tuple(Signal(f"s{k:02}") for k in range(values.shape[1]))
    times = START_NS + (np.arange(len(values)) * period_s * SECOND_NS).astype(np.int64)
    return Batch((device,), signals, times, np.zeros(len(values), np.int32), np.ascontiguousarray(values))


def _csv(path: Path, columns: range) -> Values:
    return np.genfromtxt(path, delimiter=",", skip_header=1, usecols=columns, encoding="utf-8")


def _motes(data: Path) -> list[Batch]:
    """Nineteen motes, by the millisecond at which the server heard them."""
    text = (data / "ulb_motes/readings.txt").read_text(errors="replace").replace(",", ".")
    table = np.array(
        [[float(cell) for cell in row.split()[:7]] for row in text.splitlines() if len(row.split()) > 6]
    )
    batches: list[Batch] = []
    for mote in np.unique(table[:, 1]):
        its = table[table[:, 1] == mote]
        times, first = np.unique(its[:, 0].astype(np.int64) * 1_000_000, return_index=True)
        signals = tuple(Signal(name) for name in ("temperature", "voltage", "humidity", "inside"))
        batches.append(
            Batch((f"mote-{mote:.0f}",), signals, times, np.zeros(len(times), np.int32), its[first, 3:7])
        )
    return batches


def _jittered(batch: Batch) -> Batch:
    """The same rows at the nanosecond at which a gateway would hear them, up to 3 ms late."""
    late = np.random.default_rng(0).integers(0, 3_000_000, len(batch))
    return Batch(batch.devices, batch.signals, batch.time_ns + late, batch.device, batch.values)
