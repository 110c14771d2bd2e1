"""A gated recurrent unit: what it remembers of a sequence so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import elementary, letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class GruCell(Checked):
    """A gated recurrent unit: what it remembers of a sequence so far.

    Takes an f32 vector (d,) and gives (h,), each element within -1..1; a gap is filled with the last
    value. Parameters: `<name>_input` (3 h, d), `<name>_recurrent` (3 h, h), and the biases
    `<name>_input_bias` and `<name>_recurrent_bias` (3 h,), for the reset gate, the update gate and the
    candidate, in this order (as PyTorch has them).
    """

    references: ClassVar[tuple[str, ...]] = (
        "Cho and others, Learning phrase representations using RNN encoder-decoder, EMNLP 2014",
    )

    input: tuple[tuple[float, ...], ...] = ((0.0,), (0.0,), (1.0,))
    recurrent: tuple[tuple[float, ...], ...] = ((0.0,), (0.0,), (0.0,))
    input_bias: tuple[float, ...] = (0.0, 0.0, 0.0)
    recurrent_bias: tuple[float, ...] = (0.0, 0.0, 0.0)
    name: str = "gru"

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """r, z = sigmoid(...); n = tanh(input + r * recurrent); n + z * (before - n)."""
        x = word.hold(draft, one(signals, self))
        size, rest = divmod(len(self.input), 3)
        if rest or {len(self.recurrent), len(self.input_bias), len(self.recurrent_bias)} != {3 * size}:
            raise BadProgram("weights and biases do not have three rows for each element", where="GruCell")
        before = draft.state("memory", np.zeros(size), low=-1.0, high=1.0, clock=x.clock or EVERY)
        given = self._sums(draft, "input", self.input, self.input_bias, x)
        kept = self._sums(draft, "recurrent", self.recurrent, self.recurrent_bias, before)
        reset, update = (elementary.sigmoid(letter.add(given[k], kept[k])) for k in (0, 1))
        candidate = elementary.tanh(letter.add(given[2], letter.mul(reset, kept[2])))
        mixed = letter.add(candidate, letter.mul(update, letter.sub(before, candidate)))
        now = word.clip(mixed, -1.0, 1.0)
        draft.set(before, now)
        return now

    def _sums(
        self,
        draft: Draft,
        what: str,
        weights: tuple[tuple[float, ...], ...],
        bias: tuple[float, ...],
        x: Node,
    ) -> list[Node]:
        """Weights times a vector plus a bias, in three parts."""
        matrix = draft.param(f"{self.name}_{what}", weights, low=-1e6, high=1e6)
        added = draft.param(f"{self.name}_{what}_bias", bias, low=-1e6, high=1e6)
        sums = letter.add(word.matvec(matrix, x), added)
        size = len(weights) // 3
        return [letter.slice_(sums, k * size, (k + 1) * size) for k in range(3)]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Half new and half old with open gates; with its update gate shut to the new it stays at 0."""
        x = np.array([[0.5], [0.5], [np.nan]])
        tanh = float(np.tanh(0.5))
        made = cls()
        shut = cls(input_bias=(0.0, 50.0, 0.0))
        return (
            Example(made, (x,), ([[tanh / 2], [0.75 * tanh], [0.875 * tanh]],), within=1e-6),
            Example(shut, (x,), ([[0], [0], [0]],), within=1e-6),
        )
