"""Feedback: a bank of known patterns set into a detector between its score and its alarm.

    share ─┬─ shape ─── known patterns ──▶ pattern, alike
    levels ┘               │
    score ─────────────────┴─ judged ──▶ score, alarm, drift

The bank has no state: a device's state fits before and after. Its room is part of the program, what is in it
are parameters: the first label makes another program, and so does one that outgrows the room; others do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.card import Card
from bimetal.learn.label import Label, Looked
from bimetal.learn.limit import limited, restored
from bimetal.nouns.device import FLEET
from bimetal.nouns.errors import BadInput, Unsupported
from bimetal.program import letter
from bimetal.program.node import Node
from bimetal.program.operators.alarm_shape import PARTS, AlarmShape
from bimetal.program.operators.known_pattern import EMPTY, KnownPattern
from bimetal.program.operators.moving_moments import KINDS
from bimetal.program.program import Draft, Program
from bimetal.program.rewrite import mapped
from bimetal.program.verify import check

Values = dict[str, Any]

LEAST_ROOM, MOST_ROOM = 4, 128
BANK = "known_"
_UNIT = f"{BANK}unit"


@dataclass(frozen=True, slots=True)
class Grafted:
    """A detector with a bank, what it was before, and the nodes of its raw score and the alarm's shape."""

    program: Program
    raw: Node
    shape: Node

    @property
    def looking(self) -> Program:
        """The same program, which puts out the `raw` score and the `shape` (4, s) and nothing else."""
        return replace(self.program, outputs=(("raw", self.raw), ("shape", self.shape)))


def room_of(program: Program) -> int:
    """Return for how many patterns a program has room; 0 without a bank."""
    return next((p.shape[0] for p in program.params if p.name == f"{BANK}reach"), 0)


def grafted(program: Program, room: int) -> Grafted:
    """Return a detector with a bank of this room, whatever it had; raises Unsupported for other models."""
    outputs = dict(program.outputs)
    off = _off(program)
    if off is None or not {"score", "share", "alarm"} <= set(outputs) or outputs["score"].shape != ():
        raise Unsupported(
            "feedback needs a model that bimetal train has made",
            hint="Train one: bimetal train DATA -o MODEL",
        )
    before = outputs["score"]
    raw = before.args[2] if room_of(program) else before
    draft = Draft(program.title)
    unit = draft.param(_UNIT, np.ones((3, off.shape[0])), low=0, high=1e9)
    shape = AlarmShape().trace(draft, outputs["share"], letter.mul(_deviations(off), unit))
    judged, pattern, alike = KnownPattern(room).trace(draft, raw, shape)
    made = mapped(program, lambda node: judged if node is before else node)
    told = {name: node for name, node in made.outputs if name not in ("pattern", "alike")}
    told |= {"pattern": pattern, "alike": alike}
    others = tuple(p for p in program.params if not p.name.startswith(BANK))
    whole = replace(made, params=(*others, *draft.finish().params), outputs=tuple(told.items()))
    check(whole)
    return Grafted(whole, raw, shape)


def units_of(values: Mapping[str, Any]) -> Values:
    """Return what else the bank needs to know of a detector: one over the usual variation of its levels."""
    whiten = np.asarray(values["own_whiten"], np.float64)
    covariance = np.linalg.inv(np.swapaxes(whiten, 1, 2) @ whiten)
    spread = np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 1e-12))
    return {_UNIT: (1 / spread[:, _columns(whiten.shape[1])]).T}


def bank_of(labels: Sequence[Label], device: str, room: int, signals: int) -> Values:
    """Return a device's bank as parameters: the patterns of the labels that hold for it, in their order."""
    patterns = [p for label in labels if label.holds_for(device) for p in label.patterns]
    shapes = np.zeros((room, PARTS * signals), np.float32)
    reach, most, gain = np.full(room, EMPTY), np.zeros(room), np.zeros(room)
    for k, pattern in enumerate(patterns):
        shapes[k], reach[k], most[k], gain[k] = pattern.shape, pattern.reach, pattern.most, pattern.gain
    return {
        f"{BANK}shape": shapes.reshape(room, PARTS, signals),
        f"{BANK}reach": reach,
        f"{BANK}most": most,
        f"{BANK}gain": gain,
    }


def names_of(labels: Sequence[Label], device: str) -> list[Label]:
    """Return the label of every pattern in a device's bank, in its order."""
    return [label for label in labels if label.holds_for(device) for _ in label.patterns]


def needed_room(labels: Sequence[Label], devices: Sequence[str], there: int) -> int:
    """Return how much room a bank must have, at least what is there; raises BadInput beyond MOST_ROOM."""
    most = max((len(names_of(labels, d)) for d in (*devices, *(x.device for x in labels))), default=0)
    if most > MOST_ROOM:
        raise BadInput(
            f"{most} patterns are more than a model can know ({MOST_ROOM})",
            hint="Take a label back: bimetal feedback MODEL --undo NUMBER; or train anew on recent readings",
        )
    return max(there, LEAST_ROOM, 1 << (most - 1).bit_length() if most else 0)


@dataclass(frozen=True, slots=True)
class Known:
    """A detector that knows patterns: program, every device's values, card, and whether it was rebuilt."""

    program: Program
    values: Mapping[str, Values]
    card: Card
    rebuilt: bool


def knowing(program: Program, values: Mapping[str, Values], card: Card, labels: Sequence[Label]) -> Known:
    """Return a detector that knows exactly what labels say; `values` are those of every device.

    A device that a label is about gets values of its own, where it had those of the fleet.
    """
    before = restored(values, card.labels)
    own = {label.device: before.get(label.device, before[FLEET]) for label in labels}
    there = room_of(program)
    # What is said of sensors alone needs no bank.
    alone = bool(labels) and all(x.sensors for x in labels)
    room = 0 if alone and not there else needed_room(labels, list(values), there)
    rebuilt = room != there
    made = grafted(program, room).program if rebuilt else program
    known: dict[str, Values] = {}
    for device, mine in (before | own).items():
        plain = {name: value for name, value in mine.items() if not name.startswith(BANK)}
        known[device] = limited(plain, device, labels)
        if room:
            signals = np.shape(plain["own_centre"])[0]
            known[device] |= units_of(plain) | bank_of(labels, device, room, signals)
    return Known(made, known, replace(card, labels=tuple(labels)), rebuilt)


def _off(program: Program) -> Node | None:
    """Find by how much each signal's features (s, f) are off from their own habit, as the score has it.

    That is less what has drifted since, within bounds, and 0 where a signal cannot be used.
    """
    found: list[Node] = []
    for node in program.nodes():
        of_centre = node.op == "sub" and node.args[1].op == "param" and node.args[1].name == "own_centre"
        goes_on = node.op in ("sub", "max", "min", "where") and any(a in found[-1:] for a in node.args)
        if of_centre or goes_on:
            found.append(node)
            if node.op == "where":
                return node
    return None


def _columns(features: int) -> list[int]:
    """Which features are the quick level, the slow level and the spread; see MovingMoments."""
    spans = features // KINDS
    return [0, min(3, spans - 1), 2 * spans + min(1, spans - 1)]


def _deviations(off: Node) -> Node:
    signals = off.shape[0]
    rows = [letter.reshape(letter.slice_(off, k, k + 1, axis=1), (signals,)) for k in _columns(off.shape[1])]
    return letter.stack(rows)


def looked(outputs: NDArray[Any]) -> Looked:
    """Return what a looking program put out."""
    return Looked(outputs["raw"].astype(np.float32), outputs["shape"].astype(np.float32))
