"""What faults in the history cost that nobody labelled. Run: python -m bench.contamination [--plants 4].

Of each simulated plant (`bimetal sample`, four machines, 40 minutes, five readings a second) the last fifth
is judged. One model learns from the rest with the faulty rows left out, by their label; the other from the
same rows with nothing said, a fifth of them faulty. Told are how well their scores rank (the area under the
ROC curve, by rows), and how many of the faults raise an alarm at the threshold as shipped.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bimetal.cli import door

LABEL = "fault"
JUDGED = 0.22
FAULTY = 0.2
ROUNDING = 1.05
"""A plant whose history cannot be cut so that a fifth is faulty comes as near as this."""


def called(*words: object) -> str:
    """Call a command of ours; return what it said."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        code = door.run([str(word) for word in words])
    if code:
        raise RuntimeError(f"bimetal {words[0]} ended with status {code}")
    return said.getvalue()


def parts_of(path: Path) -> tuple[list[str], list[list[str]], list[list[str]]]:
    """Return a plant's heading, its rows to learn from, a fifth of them faulty, and those to judge."""
    heading, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
    at = heading.index(LABEL)
    rows.sort(key=lambda row: row[0])
    cut = rows[int(len(rows) * (1 - JUDGED))][0]
    early, late = ([r for r in rows if (r[0] < cut) == before] for before in (True, False))
    faulty = sum(row[at] != "0" for row in early)
    first = early[max(0, len(early) - int(faulty / FAULTY * ROUNDING))][0]
    return heading, [row for row in early if row[0] >= first], late


def write(path: Path, heading: list[str], rows: list[list[str]], *, labelled: bool) -> Path:
    """Write a table, with its label or without it."""
    kept = [k for k, name in enumerate(heading) if labelled or name != LABEL]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([[row[k] for k in kept] for row in (heading, *rows)])
    return path


def judged(folder: Path, history: Path, future: Path) -> dict[str, Any]:
    """Learn from one table, judge another; return our figures."""
    model = folder / f"{history.stem}.bm"
    called("train", history, "-o", model)
    return json.loads(called("eval", model, future, "--label", LABEL, "--json"))["detectors"][0]


def main() -> None:
    """Print a line for each plant, and what it costs at most."""
    words = argparse.ArgumentParser(description="What faults in the history cost that nobody labelled.")
    words.add_argument("--plants", type=int, default=4)
    print("| plant | faulty in the history | AUC without them | with them | found without | with |")
    print("|---|---|---|---|---|---|")
    costs: list[float] = []
    for seed in range(words.parse_args().plants):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            plant = folder / "plant.csv"
            called("sample", "-o", plant, "--machines", 4, "--seconds", 2400, "--rate", 5, "--seed", seed)
            heading, early, late = parts_of(plant)
            future = write(folder / "future.csv", heading, late, labelled=True)
            told = write(folder / "told.csv", heading, early, labelled=True)
            silent = write(folder / "silent.csv", heading, early, labelled=False)
            clean, dirty = (judged(folder, history, future) for history in (told, silent))
            share = np.mean([row[heading.index(LABEL)] != "0" for row in early])
        costs.append(clean["auc_roc"] - dirty["auc_roc"])
        print(
            f"| {seed} | {share:.1%} | {clean['auc_roc']:.3f} | {dirty['auc_roc']:.3f} | "
            f"{clean['recall']:.0%} | {dirty['recall']:.0%} |",
            flush=True,
        )
    print(f"\nCosts at most {max(costs):+.3f}, on average {np.mean(costs):+.3f} of the area.")


if __name__ == "__main__":
    main()
