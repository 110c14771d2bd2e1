"""Report: what `bimetal train` says at its end, in words for people and in figures for programs."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bimetal.bundle.seal import HEAD_BYTES
from bimetal.cli.promise import promise_lines
from bimetal.program.digest import digest
from bimetal.program.layout import layout_of
from bimetal.spine import Walked
from bimetal.wire.table.hints import Hints
from bimetal.wire.table.shape import counted


@dataclass(frozen=True, slots=True)
class Report:
    """What was asked for, and what came of it."""

    data: tuple[Path, ...]
    hints: Hints
    output: Path
    walked: Walked
    size_bytes: int
    target: str
    seconds: float

    def lines(self) -> list[str]:
        """Say what was found in the data, what was learned, what it promises, and what to do next."""
        walked, card = self.walked, self.walked.taught.learned.card
        place = layout_of(walked.taught.learned.program)
        return [
            *walked.shape.words(),
            *walked.tally.words(),
            *walked.notes,
            "",
            self._learned(),
            *promise_lines(card),
            *(f"note: {limit}" for limit in card.limits if card.promise not in limit),
            f"each device takes {place.state.size:,} bytes of state and {place.params.size:,} of parameters",
            f"{self.output}: {self.size_bytes:,} bytes, signed, with "
            f"{counted(len(walked.taught.bundle.vectors['runs']), 'golden vector')}",
            "",
            f"Next: {self.next_command()}",
        ]

    def _learned(self) -> str:
        """Say from how many rows was learned, and why not from all."""
        card = self.walked.taught.learned.card
        left_out = [
            (card.rows_left_out, "that the label marks"),
            (card.rows_thinned, "from all over it, to keep within memory"),
        ]
        told = "".join(f"; {counted(count, 'row')} left out {why}" for count, why in left_out if count)
        rows, devices = counted(card.rows, "row"), counted(len(card.devices), "device")
        return f"learned from {rows} of {devices} in {self.seconds:.1f} s on {self.target}{told}"

    def next_command(self) -> str:
        """The command to go on with, with the options that made the data understood."""
        hints = self.hints
        options = {"--time": hints.time, "--device": hints.device, "--ignore": ",".join(hints.ignore)}
        words: Sequence[str] = ["bimetal", "run", str(self.output), str(self.data[0])]
        return shlex.join([*words, *(w for name, value in options.items() if value for w in (name, value))])

    def figures(self) -> dict[str, Any]:
        """Return the same for programs."""
        walked = self.walked
        shape, taught = walked.shape, walked.taught
        card, place = taught.learned.card, layout_of(taught.learned.program)
        return {
            "model": str(self.output),
            "bytes": self.size_bytes,
            "head_bytes": HEAD_BYTES,
            "digest": digest(taught.learned.program).hex(),
            "rows": card.rows,
            "rows_left_out": card.rows_left_out,
            "rows_thinned": card.rows_thinned,
            "devices": list(card.devices),
            "signals": [{"name": s.name, "unit": s.unit} for s in card.signals],
            "dropped": [{"name": d.name, "reason": d.reason} for d in shape.dropped],
            "notes": list(shape.notes),
            "time": shape.time,
            "period_s": card.period_s,
            "promise": card.promise,
            "promise_words": card.promise_words,
            "seen_alarms": card.seen_alarms,
            "state_bytes": place.state.size,
            "parameter_bytes": place.params.size,
            "target": self.target,
            "seconds": round(self.seconds, 3),
        }
