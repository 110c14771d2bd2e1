"""What faults in the history cost that nobody labelled. Run: python -m bench.contamination [--plants 4].

Of each simulated plant (`bimetal sample`, four machines, 40 minutes, five readings a second) the last fifth
is judged. One model learns from the rest with the faulty rows left out, by their label; another from the
same rows with nothing said, a fifth of them faulty. Then an operator confirms those of the moments that it
names which were faults, as long as it names them and no more; it learns again without these, and so on until
none that is named was a fault. Told are how well scores rank (the area under the ROC curve, by rows), and how
many of the faults raise an alarm at the threshold as shipped.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bimetal.cli import door

LABEL, DEVICE = "fault", "machine"
JUDGED = 0.22
FAULTY = 0.2
ROUNDING = 1.05
"""A plant whose history cannot be cut so that a fifth is faulty comes as near as this."""
MOST_ROUNDS = 12


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


@dataclass(frozen=True, slots=True)
class Hidden:
    """One fault of the history: whose, and its first and last row's time as numpy has it."""

    device: str
    begin: np.datetime64
    end: np.datetime64

    def met(self, moment: dict[str, Any]) -> bool:
        """Say whether a moment that was named is part of it."""
        begin, end = (_instant(moment[name]) for name in ("begin", "end"))
        return moment["device"] == self.device and begin <= self.end and self.begin <= end


def _instant(text: str) -> np.datetime64:
    return np.datetime64(text.removesuffix("Z").removesuffix("+00:00"), "ns")


def hidden_in(heading: list[str], rows: list[list[str]]) -> list[Hidden]:
    """Return the faults of a history."""
    at, whose = heading.index(LABEL), heading.index(DEVICE)
    found: list[Hidden] = []
    for device in sorted({row[whose] for row in rows}):
        mine = [row for row in rows if row[whose] == device]
        edges = np.flatnonzero(np.diff([row[at] != "0" for row in mine], prepend=False, append=False))
        for first, last in edges.reshape(-1, 2).tolist():
            found.append(Hidden(device, _instant(mine[first][0]), _instant(mine[last - 1][0])))
    return found


def learned(model: Path, history: Path, spans: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Learn from a table without these spans; return the moments that are named."""
    left = [word for span in spans for word in ("--leave-out", span)]
    return json.loads(called("train", history, "-o", model, "--json", *left))["standouts"]


def judged(model: Path, future: Path) -> dict[str, Any]:
    """Return our figures on a table."""
    return json.loads(called("eval", model, future, "--label", LABEL, "--json"))["detectors"][0]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What an operator made of it: rounds, moments named and confirmed, the faults these are part of, and
    what is found after the first round and after the last."""

    rounds: int
    named: int
    confirmed: int
    faults: int
    first: float
    last: dict[str, Any]


def confirmed(folder: Path, history: Path, future: Path, faults: Sequence[Hidden]) -> Confirmed:
    """Learn, confirm what is named and was a fault, and learn again, until nothing such is named."""
    model, spans, named = folder / "confirmed.bm", list[str](), 0
    met, first = set[Hidden](), 0.0
    for rounds in range(MOST_ROUNDS):
        moments = learned(model, history, spans)
        named += len(moments)
        if rounds == 1:
            first = judged(model, future)["recall"]
        true = [m for m in moments if any(f.met(m) for f in faults)]
        met |= {f for f in faults for m in true if f.met(m)}
        if not true:
            break
        spans += [m["leave_out"] for m in true]
    return Confirmed(rounds, named, len(spans), len(met), first, judged(model, future))


def main() -> None:
    """Print a line for each plant, and what it costs at most."""
    words = argparse.ArgumentParser(description="What faults in the history cost that nobody labelled.")
    words.add_argument("--plants", type=int, default=4)
    print("| plant | faulty | AUC without them | with them | confirmed | found without | with ", end="")
    print("| confirmed once | to the end | rounds | faults confirmed | of named |")
    print("|---|" + "---|" * 11)
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
            faults = hidden_in(heading, early)
            for history in (told, silent):
                learned(folder / f"{history.stem}.bm", history)
            clean, dirty = (judged(folder / f"{h.stem}.bm", future) for h in (told, silent))
            after = confirmed(folder, silent, future, faults)
            share = np.mean([row[heading.index(LABEL)] != "0" for row in early])
        costs.append(clean["auc_roc"] - dirty["auc_roc"])
        area, found = ([f[name] for f in (clean, dirty)] for name in ("auc_roc", "recall"))
        cells = [
            f"{seed} | {share:.1%}",
            *(f"{a:.3f}" for a in (*area, after.last["auc_roc"])),
            *(f"{f:.0%}" for f in (*found, after.first, after.last["recall"])),
            f"{after.rounds} | {after.faults} of {len(faults)} | {after.confirmed} of {after.named}",
        ]
        print(f"| {' | '.join(cells)} |", flush=True)
    print(f"\nCosts at most {max(costs):+.3f}, on average {np.mean(costs):+.3f} of the area.")


if __name__ == "__main__":
    main()
