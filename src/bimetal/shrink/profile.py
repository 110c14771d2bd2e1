"""Profile: whole numbers where they lose no more than is allowed, else floats, and why in words.

A model is in one profile wherever it runs. It is chosen where rows are at hand that can tell the loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bimetal.learn.imports.bring import Brought, brought_of
from bimetal.learn.imports.foreign import Foreign, Isolation, Trees
from bimetal.learn.imports.wire import Making
from bimetal.nouns.errors import GateNotMet, Unsupported
from bimetal.shrink.activation import Floats
from bimetal.shrink.budget import Need
from bimetal.shrink.grove import done_groves
from bimetal.shrink.kind import done_kinds
from bimetal.shrink.loss import Loss, parted
from bimetal.shrink.quantise import LEAST_ROWS, shrunk
from bimetal.targets.kernels.forest import places_of
from bimetal.targets.target import Target

INTEGER, FLOATS = "integer", "f32"
MOST_LOST = 0.02
"""So much of accuracy or AUC, or so much more error, may be lost where answers are known."""
MOST_OTHER = 0.05
"""Where they are not: in so many rows may the class be another, most often of rows in between."""
MOST_APART = 0.1
"""So far may values be apart, as a part of their spread: a hundredth of their variance."""
NO_WORK = ("number", "choose", "canon", "bit")


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """A model in a profile: the loss where weights were rounded, and why it is in floats, if it is."""

    brought: Brought
    profile: str
    loss: Loss | None = None
    why: str = ""

    def words(self) -> str:
        """Return in a sentence which profile it is in."""
        told = self.loss.words() if self.loss else self.why or "nothing was rounded"
        return f"profile {self.profile}: {told}"


def in_whole_numbers(
    foreign: Foreign,
    signals: Sequence[str],
    rows: Floats,
    target: Target,
    answers: Sequence[str] | None = None,
    *,
    vector: bool = False,
    most_lost: float | None = None,
) -> Chosen:
    """Return a foreign model in whole numbers: a net as int8, trees over the places of their thresholds.

    Trees lose nothing. What a net loses is told on rows (n, columns) that were held out. Raises as
    `shrunk` does, and GateNotMet where more is lost than `most_lost`.
    """
    if isinstance(foreign.scores, Trees | Isolation):
        return Chosen(brought_of(foreign, signals, vector=vector, making=Making(whole=True)), INTEGER)
    small, loss = shrunk(foreign, signals, rows, target, answers, vector=vector)
    allowed = most_lost or _usually_allowed(small, loss)
    if loss.lost > allowed:
        raise GateNotMet(
            f"int8 loses {loss.lost:.4f}, more than {allowed:g}: {loss.words()}", where=foreign.title,
            hint="Give rows that show more of what the device meets, allow more by --most-loss, or keep f32",
        )  # fmt: skip
    return Chosen(small, INTEGER, loss)


def _usually_allowed(small: Brought, loss: Loss) -> float:
    if loss.what != "agreement":
        return MOST_LOST
    return MOST_OTHER if any(name == "label" for name, _ in small.program.outputs) else MOST_APART


def in_floats(foreign: Foreign, signals: Sequence[str], *, vector: bool = False, why: str = "") -> Chosen:
    """Return a foreign model in f32; its trees over places of thresholds where that takes less."""
    made = brought_of(foreign, signals, vector=vector)
    places = list(places_of(made.program))
    if places and all(place.kernel.dtype == "u8" for place in places):
        return Chosen(made, INTEGER)
    return Chosen(made, FLOATS, None, why)


def chosen(
    foreign: Foreign,
    signals: Sequence[str],
    rows: Floats,
    target: Target,
    answers: Sequence[str] | None = None,
    *,
    vector: bool = False,
    most_lost: float | None = None,
) -> Chosen:
    """Return a foreign model in whole numbers, or in f32 and why, where that cannot be or loses too much.

    Trees stay over f32 thresholds where places would take more bytes or time. Raises BadInput for answers
    that say nothing of such a model.
    """
    if isinstance(foreign.scores, Trees | Isolation):
        why = "as places its thresholds would take more bytes or time; the answers are the same"
        return in_floats(foreign, signals, vector=vector, why=why)
    known = int(np.isfinite(parted(rows)[1]).all(axis=1).sum())
    if known < LEAST_ROWS:
        why = f"{known} rows without gaps are too few to see how large values become"
        return in_floats(foreign, signals, vector=vector, why=why)
    try:
        return in_whole_numbers(foreign, signals, rows, target, answers, vector=vector, most_lost=most_lost)
    except (Unsupported, GateNotMet) as error:
        return replace(in_floats(foreign, signals, vector=vector), why=error.what)


def arithmetic(need: Need) -> str:
    """Return in words how many operations on floats and on whole numbers one reading takes at worst."""
    found = {"f32": 0, "i32": 0}
    for stage in need.lowered.stages:
        for kind, often in done_kinds(stage).items():
            of, _, what = kind.partition(" ")
            if of in found and what not in NO_WORK:
                found[of] += often
            elif kind in ("product", "tap"):
                found["i32"] += often
        for kind, often in done_groves(stage).items():
            found["f32"] += often * (" floats" in kind)
            found["i32"] += often * (" octets" in kind)
    return f"{found['f32']:,} operations on floats and {found['i32']:,} on whole numbers at a reading"
