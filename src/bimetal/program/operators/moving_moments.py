"""How each signal has been of late: its level, power, spread and roughness, over longer and longer spans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import EVERY, Node
from bimetal.program.operator import Checked, Example, knob
from bimetal.program.program import Draft

KINDS = 4
"""Level, power, spread and roughness."""


@dataclass(frozen=True, slots=True)
class MovingMoments(Checked):
    """How each signal has been of late: its level, power, spread and roughness, over longer and longer spans.

    Takes f32 (s,) standardised values within +-`bound` and b1 (s,), which of them can be used; the
    averages of a signal stand still where its value cannot. Averaged exponentially (weight 2 / (span + 1))
    are the value, its square, its squared distance from its first level, and its absolute change; each
    average is that of the one before it, so that longer spans look further back. Until enough values came
    an average is the plain mean. After `forget` readings in a row that could not be used it starts anew.

    Gives f32 (s, 4 * spans) features; f32 (spans, s), the levels; and i32 (s,), how many values of each
    signal were averaged, up to 255, or to 32767 where a span is longer than that.
    """

    references: ClassVar[tuple[str, ...]] = (
        "Roberts, Control chart tests based on geometric moving averages, Technometrics 1, 1959",
        "MacGregor and Harris, The exponentially weighted moving variance, J. Quality Technology 25, 1993",
        "Principe and others, The gamma filter, IEEE Trans. Signal Processing 41, 1993",
    )

    spans: tuple[float, ...] = (8.0, 16.0, 32.0, 64.0, 128.0)
    bound: float = knob(20.0, low=1, high=1000, what="the largest size of a value that is fed in")
    forget: int = knob(32, low=1, high=65536, what="after how many lost readings a signal starts anew")

    def trace(self, draft: Draft, *signals: Node) -> tuple[Node, Node, Node]:
        """Four cascades of averages, each a state (spans, s)."""
        z, usable = self._signals(signals)
        clock = z.clock or EVERY
        most = 255 if max(self.spans) <= 255 else 32_767
        seen, keep = word.small(draft, "seen", z.shape, most, clock)
        more = letter.minimum(letter.const(most, "i32"), letter.add(seen, 1))
        lost = word.counted(draft, letter.invert(usable), self.forget, "lost")
        gone = letter.eq(lost, self.forget)
        count = letter.where(usable, more, letter.where(gone, letter.const(0, "i32"), seen))
        keep(count)
        plain = letter.div(
            letter.const(1.0, "f32"), letter.maximum(letter.const(1.0, "f32"), letter.cast(count, "f32"))
        )
        weights = [letter.maximum(letter.const(2 / (span + 1), "f32"), plain) for span in self.spans]

        def cascade(value: Node, when: Node, low: float, high: float, name: str) -> Node:
            shape = (len(self.spans), *z.shape)
            before = draft.state(name, np.zeros(shape), low=low, high=high, clock=clock)
            rows: list[Node] = []
            for k, weight in enumerate(weights):
                row = letter.gather(before, letter.const(k, "i32"))
                moved = letter.add(row, letter.mul(weight, letter.sub(rows[-1] if rows else value, row)))
                rows.append(letter.where(when, word.clip(moved, low, high), row))
            now = letter.stack(rows)
            draft.set(before, now)
            return now

        change, changed = _change(draft, z, usable)
        levels = cascade(z, usable, -self.bound, self.bound, "level")
        power = cascade(letter.mul(z, z), usable, 0.0, self.bound**2, "power")
        off = letter.sub(z, letter.gather(levels, letter.const(0, "i32")))
        spread = cascade(letter.mul(off, off), usable, 0.0, 4 * self.bound**2, "spread")
        rough = cascade(change, changed, 0.0, 2 * self.bound, "roughness")
        return _by_signal([levels, power, spread, rough]), levels, count

    def _signals(self, signals: tuple[Node, ...]) -> tuple[Node, Node]:
        match signals:
            case (Node(dtype="f32") as z, Node(dtype="b1") as usable) if (
                len(z.shape) == 1 and z.shape == usable.shape
            ):
                return z, usable
            case _:
                raise BadProgram(
                    f"it takes f32 values and b1 flags of one shape (s,), not {list(signals)}",
                    where="MovingMoments",
                )

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """A span of one reading: its level is the value, which is never off it; a gap changes nothing."""
        z = np.array([[1.0], [3.0], [9.0], [2.0]])
        usable = np.array([[True], [True], [False], [True]])
        features = [[[1, 1, 0, 0]], [[3, 9, 0, 2]], [[3, 9, 0, 2]], [[2, 4, 0, 2]]]
        levels = [[[1]], [[3]], [[3]], [[2]]]
        anew = Example(cls((1.0,), forget=1), (z, usable), (features, levels, [[1], [2], [0], [1]]))
        return Example(cls((1.0,)), (z, usable), (features, levels, [[1], [2], [2], [3]])), anew


def _change(draft: Draft, z: Node, usable: Node) -> tuple[Node, Node]:
    """The size of the step from the reading before, and whether both could be used."""
    clock = z.clock or EVERY
    last = draft.state("last_value", np.zeros(z.shape), clock=clock)
    before = draft.state("last_usable", np.zeros(z.shape), "b1", clock=clock)
    draft.set(last, letter.where(usable, z, last))
    draft.set(before, usable)
    return word.absolute(letter.sub(z, last)), letter.both(usable, before)


def _by_signal(parts: list[Node]) -> Node:
    """Turn averages (spans, s) into features (s, averages * spans): each average's spans together."""
    features, signals = len(parts) * parts[0].shape[0], parts[0].shape[1]
    flat = letter.reshape(letter.concat(parts), (features * signals,))
    places = letter.mul(letter.iota(features), signals)
    return letter.each(signals, lambda k: letter.gather(flat, letter.add(places, k)))
