"""Report: what `bimetal train` says at its end, in words for people and in figures for programs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bimetal.bundle.seal import HEAD_BYTES
from bimetal.cli.promise import promise_lines
from bimetal.cli.standing import span_text, span_to_leave, standout_lines
from bimetal.keep.event_line import time_text
from bimetal.learn.card import Card
from bimetal.program.digest import digest
from bimetal.program.layout import layout_of
from bimetal.spine import Walked
from bimetal.wire.table.hints import Hints
from bimetal.wire.table.shape import counted


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for, as it was written."""

    data: tuple[Path, ...]
    output: Path
    false_alarms: str
    tier: str
    leave_out: tuple[str, ...]
    hints: Hints


@dataclass(frozen=True, slots=True)
class Report:
    """What was asked for, and what came of it."""

    wish: Wish
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
            *standout_lines(card),
            *self._what_to_do(card),
            *(f"note: {limit}" for limit in card.limits if card.promise not in limit),
            f"each device takes {place.state.size:,} bytes of state and {place.params.size:,} of parameters",
            f"{self.wish.output}: {self.size_bytes:,} bytes, signed, with "
            f"{counted(len(walked.taught.bundle.vectors['runs']), 'golden vector')}",
            "",
            f"Next: {self.next_command()}",
        ]

    def _learned(self) -> str:
        """Say from how many rows was learned, and why not from all."""
        card = self.walked.taught.learned.card
        left_out = [
            (card.rows_left_out, self._marked()),
            (card.rows_thinned, "from all over it, to keep within memory"),
        ]
        told = "".join(f"; {counted(count, 'row')} left out {why}" for count, why in left_out if count)
        rows, devices = counted(card.rows, "row"), counted(len(card.devices), "device")
        return f"learned from {rows} of {devices} in {self.seconds:.1f} s on {self.target}{told}"

    def _marked(self) -> str:
        said = ["that the label marks"] * bool(self.walked.shape.label)
        return " or ".join([*said, *["of the times that were faults"] * bool(self.wish.leave_out)])

    def _what_to_do(self, card: Card) -> Iterator[str]:
        """Say how to teach that moments were faults, ready to be called."""
        if card.standouts:
            first = span_text(span_to_leave(card.standouts[0], card))
            yield "  If any of these was a fault, say so, and what is like it will be found; of the first:"
            yield f"  {self._again(first)}"

    def _again(self, fresh: str) -> str:
        """The command that was called, with one more time to leave out."""
        wish, hints = self.wish, self.wish.hints
        options = {
            "--time": hints.time,
            "--signals": ",".join(hints.signals or ()),
            "--ignore": ",".join(hints.ignore),
            "--label": hints.label,
            "--device": hints.device,
            "--false-alarms": wish.false_alarms if wish.false_alarms != "1/week" else "",
            "--tier": wish.tier if wish.tier != "mcu" else "",
        }
        words = ["bimetal", "train", *map(str, wish.data), "-o", str(wish.output)]
        words += [w for name, value in options.items() if value for w in (name, value)]
        return shlex.join([*words, *(w for span in (*wish.leave_out, fresh) for w in ("--leave-out", span))])

    def next_command(self) -> str:
        """The command to go on with, with the options that made the data understood."""
        hints = self.wish.hints
        options = {"--time": hints.time, "--device": hints.device, "--ignore": ",".join(hints.ignore)}
        words: Sequence[str] = ["bimetal", "run", str(self.wish.output), str(self.wish.data[0])]
        return shlex.join([*words, *(w for name, value in options.items() if value for w in (name, value))])

    def figures(self) -> dict[str, Any]:
        """Return the same for programs."""
        walked = self.walked
        shape, taught = walked.shape, walked.taught
        card, place = taught.learned.card, layout_of(taught.learned.program)
        return {
            "model": str(self.wish.output),
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
            "standouts": [
                {
                    "device": m.device,
                    "begin": time_text(m.begin_ns),
                    "end": time_text(m.end_ns),
                    "score": m.score,
                    "rest": m.rest,
                    "signals": [r.signal for r in m.reasons],
                    "leave_out": span_text(span_to_leave(m, card)),
                }
                for m in card.standouts
            ],
            "state_bytes": place.state.size,
            "parameter_bytes": place.params.size,
            "target": self.target,
            "seconds": round(self.seconds, 3),
        }
