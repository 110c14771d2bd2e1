"""The shipped detector on real public data, beside simple rivals. Run: python -m bench.detect [--quick].

One configuration for all sets, strictly causal, the threshold as shipped. Judged are the rows that were not
learned from. `deliv/prom` is false alarms (those that begin on a healthy row) for one promised, where one in
2016 readings was: a week at one in five minutes. FAR and MAR count rows; F1 is theirs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from bench.detect.plant import report
from bench.detect.promise import delivered
from bench.detect.rival import rivals
from bench.detect.series import SETS, Series
from bench.detect.shipped import shipped
from bench.detect.tally import HEAD, Tally
from bimetal.learn.calibrate import parse_budget

PROMISE_ROWS = 2016
OURS = "bimetal"
QUICK = 3
"""With --quick, every so many series of a set is taken."""


def data_folder() -> Path:
    """Return where the public data lie."""
    cache = os.environ.get("XDG_CACHE_HOME")
    usual = (Path(cache) if cache else Path.home() / ".cache") / "bimetal-data"
    return Path(os.environ.get("BIMETAL_DATA") or usual)


def measure(series: Iterator[Series], tell: Callable[[str], None]) -> dict[str, Tally]:
    """Return the tallies of every detector on one set; `tell` hears every series' own figures."""
    tallies: dict[str, Tally] = {}
    for one in series:
        said = shipped(one, parse_budget("1/week"), 604_800 / PROMISE_ROWS)
        for who, what in [(OURS, said), *rivals(one, 1 / PROMISE_ROWS)]:
            tallies.setdefault(who, Tally(1 / PROMISE_ROWS)).add(one, what)
        alone = Tally(1 / PROMISE_ROWS)
        alone.add(one, said)
        tell(alone.line(one.name[-20:]))
    return tallies


def main() -> int:
    """Print a table for every set that is there, then mean and worst over the sets, then the plant."""
    asked = argparse.ArgumentParser(prog="python -m bench.detect", description=(__doc__ or "").split("\n")[0])
    asked.add_argument("sets", nargs="*", default=[], help=f"from: {', '.join(SETS)}, plant, promise")
    asked.add_argument("--quick", action="store_true", help=f"every {QUICK}rd series only")
    asked.add_argument("--each", action="store_true", help="print every series")
    asked.add_argument("--seeds", type=int, default=0, help="runs of the plant (5 quick, else 12)")
    given = asked.parse_args()
    folder = data_folder()
    ours: dict[str, Tally] = {}
    for name in given.sets or SETS:
        if name in ("plant", "promise"):
            continue
        if not (folder / name.removesuffix("_all")).exists():
            print(f"{name}: not there (looked in {folder}; set BIMETAL_DATA)")
            continue
        print(f"\n{name}\n{HEAD}", flush=True)
        series = islice(SETS[name](folder), 0, None, QUICK if given.quick else 1)
        tallies = measure(series, print if given.each else lambda _line: None)
        ours[name] = tallies[OURS]
        for who, tally in tallies.items():
            print(tally.line(who), flush=True)
    summary(ours)
    if not given.sets or "plant" in given.sets:
        print()
        for line in report(given.seeds or (5 if given.quick else 12)):
            print(line, flush=True)
    if not given.sets or "promise" in given.sets:
        for line in delivered(100 if given.quick else 1000):
            print(line, flush=True)
    return 0


def summary(ours: dict[str, Tally]) -> None:
    """Print mean and worst over the sets, every set counting once."""
    if not ours:
        return
    print(f"\n{OURS} over {len(ours)} sets")
    vus = {name: float(np.mean(t.vus)) for name, t in ours.items()}
    worst = min(vus, key=lambda name: vus[name])
    print(f"VUS-PR mean {np.mean(list(vus.values())):.3f}, worst {vus[worst]:.3f} ({worst})")
    if {"nab", "smap_msl"} <= ours.keys():
        both = np.mean(ours["nab"].vus + ours["smap_msl"].vus)
        print(f"VUS-PR over the series of nab and smap_msl {both:.3f}")
    kept = {name: t.kept for name, t in ours.items()}
    print("delivered/promised " + ", ".join(f"{name} {value:.2f}" for name, value in kept.items()))


if __name__ == "__main__":
    sys.exit(main())
