"""Series: the public data sets as labelled series, each with the stretch to learn from."""

from __future__ import annotations

import ast
import csv
import io
import json
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.metric.blame import Blame

Values = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Series:
    """Readings (n, s) with labels (n,); the first `learn` rows are learned from, the rest is judged.

    `blame` says, where a set tells, which signals were at fault: first row, last row, signals.
    """

    name: str
    values: Values
    labels: Labels
    learn: int
    period_s: float
    blame: tuple[Blame, ...] = ()


def nab(folder: Path) -> Iterator[Series]:
    """NAB: 58 univariate files; its probation, the first 15 % or 750 rows, is learned from."""
    windows = json.loads((folder / "nab/labels/combined_windows.json").read_text())
    for name, spans in windows.items():
        with (folder / "nab/data" / name).open() as file:
            rows = list(csv.reader(file))[1:]
        times = [datetime.fromisoformat(row[0]) for row in rows]
        values = np.array([[float(row[1])] for row in rows])
        labels = np.zeros(len(rows), np.int64)
        for first, last in spans:
            a, b = datetime.fromisoformat(first), datetime.fromisoformat(last)
            labels[[a <= t <= b for t in times]] = 1
        step = float(np.median([(b - a).total_seconds() for a, b in pairwise(times)]))
        yield Series(f"nab/{name}", values, labels, min(int(0.15 * len(rows)), 750), step)


def skab(folder: Path) -> Iterator[Series]:
    """SKAB: 34 runs of a water rig; the first 400 rows of each are learned from."""
    for file in sorted((folder / "skab").glob("*/[0-9]*.csv")):
        table = np.loadtxt(file, delimiter=";", skiprows=1, usecols=range(1, 10))
        yield Series(
            f"skab/{file.parent.name}/{file.name}", table[:, :8], table[:, 8].astype(np.int64), 400, 1.0
        )


def smd(folder: Path) -> Iterator[Series]:
    """SMD: servers with 38 signals each; the training file is learned from."""
    for file in sorted((folder / "smd").glob("*_train.pkl")):
        name = file.name.removesuffix("_train.pkl")
        train, test, labels = (
            _array(file.with_name(f"{name}_{part}.pkl")) for part in ("train", "test", "test_label")
        )
        yield Series(
            f"smd/{name}",
            np.vstack([train, test]).astype(np.float64),
            np.concatenate([np.zeros(len(train)), labels]).astype(np.int64),
            len(train),
            60.0,
            tuple(_blame(file.with_name("interpretation_label") / f"{name}.txt", len(train))),
        )


def smap_msl(folder: Path) -> Iterator[Series]:
    """SMAP and MSL, the telemetry signal alone; the training file is learned from."""
    for series in smap_msl_all(folder):
        yield Series(series.name, series.values[:, :1], series.labels, series.learn, series.period_s)


def smap_msl_all(folder: Path) -> Iterator[Series]:
    """SMAP and MSL with their one-hot commands, 25 or 55 signals."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    with (folder / "smap_msl/labeled_anomalies.csv").open() as file:
        for row in csv.DictReader(file):
            ranges.setdefault(row["chan_id"], []).extend(ast.literal_eval(row["anomaly_sequences"]))
    for file in sorted((folder / "smap_msl").glob("*/test/*.npy")):
        train, test = np.load(file.parents[1] / "train" / file.name), np.load(file)
        labels = np.zeros(len(train) + len(test), np.int64)
        for first, last in ranges.get(file.stem, []):
            labels[len(train) + first : len(train) + last + 1] = 1
        yield Series(
            f"{file.parents[1].name}/{file.stem}",
            np.vstack([train, test]).astype(np.float64),
            labels,
            len(train),
            60.0,
        )


def tep(folder: Path) -> Iterator[Series]:
    """Tennessee Eastman: 52 signals; the normal run is learned from, the fault begins at row 160."""
    normal = np.loadtxt(folder / "tep/d00_te.dat")
    for file in sorted((folder / "tep").glob("d[0-9]*_te.dat")):
        run = np.loadtxt(file)
        labels = np.zeros(len(normal) + len(run), np.int64)
        labels[len(normal) + 160 :] = 1
        if file.name != "d00_te.dat":
            yield Series(f"tep/{file.name}", np.vstack([normal, run]), labels, len(normal), 180.0)


def tsb_ad(folder: Path) -> Iterator[Series]:
    """The few series of TSB-AD that are there; the file's name says what may be learned from."""
    for file in sorted((folder / "tsb_ad").glob("TSB-AD-[UM]/*.csv")):
        table = np.loadtxt(file, delimiter=",", skiprows=1)
        learn = int(file.stem.split("_tr_")[1].split("_")[0])
        yield Series(f"tsb_ad/{file.stem}", table[:, :-1], table[:, -1].astype(np.int64), learn, 60.0)


def mitbih(folder: Path) -> Iterator[Series]:
    """MIT-BIH at 90 Hz: hearts whose ventricular beats are rare; the first 100 s are learned from."""
    for file in sorted((folder / "mitbih").glob("*.hea")):
        signal = _first_lead(file.with_suffix(".dat").read_bytes())[: 4 * 30_000]
        values = signal.reshape(-1, 4).mean(axis=1)[:, None]
        labels = np.zeros(len(values), np.int64)
        for beat, kind in _annotations(file.with_suffix(".atr").read_bytes()):
            if kind in VENTRICULAR:
                labels[max(beat // 4 - 20, 0) : beat // 4 + 30] = 1
        if 0.001 < labels[9000:].mean() < 0.2:
            yield Series(f"mitbih/{file.stem}", values, labels, 9000, 1 / 90)


VENTRICULAR = (5, 6, 7, 9, 10)
"""The codes of premature, fusion and escape beats of the ventricles in WFDB annotations."""

SETS: dict[str, Callable[[Path], Iterator[Series]]] = {
    "nab": nab,
    "skab": skab,
    "smd": smd,
    "smap_msl": smap_msl,
    "smap_msl_all": smap_msl_all,
    "tep": tep,
    "tsb_ad": tsb_ad,
    "mitbih": mitbih,
}


class _OnlyArrays(pickle.Unpickler):
    """Reads pickled arrays and nothing else."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Refuse everything but NumPy's own way of making arrays."""
        wanted = {"_reconstruct", "ndarray", "dtype", "_frombuffer"}
        if module_name.split(".")[0] != "numpy" or global_name not in wanted:
            raise pickle.UnpicklingError(f"{module_name}.{global_name} is no array")
        return super().find_class(module_name, global_name)


def _array(file: Path) -> NDArray[Any]:
    return np.asarray(_OnlyArrays(io.BytesIO(file.read_bytes())).load())


def _blame(file: Path, shift: int) -> Iterator[Blame]:
    """Read `first-last:1,2,3`: rows of the test file, signals counted from one."""
    for line in file.read_text().split():
        rows, signals = line.split(":")
        first, last = (int(row) + shift for row in rows.split("-"))
        yield Blame(first, last, tuple(int(k) - 1 for k in signals.split(",")))


def _first_lead(packed: bytes) -> Values:
    """Unpack WFDB format 212: two leads of twelve bits in three bytes."""
    triple = np.frombuffer(packed, np.uint8)[: len(packed) // 3 * 3].reshape(-1, 3).astype(np.int64)
    raw = triple[:, 0] | (triple[:, 1] & 15) << 8
    return np.where(raw > 2047, raw - 4096, raw).astype(np.float64)


def _annotations(packed: bytes) -> Iterator[tuple[int, int]]:
    """Yield row and code of every beat in a WFDB annotation file."""
    words = np.frombuffer(packed, "<u2").tolist()
    at, row = 0, 0
    while at < len(words) and words[at]:
        code, gap = words[at] >> 10, words[at] & 1023
        at += 1
        if code == 59:
            row += words[at] << 16 | words[at + 1]
            at += 2
        elif code == 63:
            at += (gap + 1) // 2
        elif code not in (60, 61, 62):
            row += gap
            yield row, code
