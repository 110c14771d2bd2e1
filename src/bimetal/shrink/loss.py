"""Loss: what int8 costs, told on rows that were held out, and whether a net has collapsed.

Every third row is held out: the others show how large values become.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.imports.bring import Brought
from bimetal.nouns.errors import BadInput, GateNotMet
from bimetal.program.block import HEAD, pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.targets.target import Target

Floats = NDArray[np.float64]
HELD_OUT = 3
"""One row in so many is held out."""
RARE = 0.02
"""A class that the float net gives more rarely than this may be lost without a word."""
SPREAD = 1e-6
ENOUGH = 5000
"""More rows than that are not run to tell the loss."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What a net lost: a figure of the float net and of the int8 one, on `rows` that were held out.

    `what` says which: "accuracy" and "AUC" where answers were known, "error" (root mean square, as a part
    of the spread of what is told) where values were; "agreement" where nothing was known. `agreement` is
    the share of rows with the same class, or 1 less the relative error of the values.
    """

    what: str
    float_figure: float
    int8_figure: float
    agreement: float
    rows: int
    float_bytes: int
    int8_bytes: int

    @property
    def lost(self) -> float:
        """How much worse it has become, 0 at least; without known answers, how often it disagrees."""
        if self.what == "agreement":
            return 1 - self.agreement
        worse = self.float_figure - self.int8_figure
        return max(0.0, -worse if self.what == "error" else worse)

    def words(self) -> str:
        """Return it in a sentence."""
        size = f"{self.int8_bytes:,} bytes learned instead of {self.float_bytes:,}"
        if self.what == "agreement":
            figure = f"on {self.rows:,} rows held out"
        else:
            figure = f"{self.what} {self.int8_figure:.4f} instead of {self.float_figure:.4f} "
            figure += f"on {self.rows:,} rows held out;"
        return f"int8: {size}; {figure} it agrees to {self.agreement:.2%} with the float net"

    def plain(self) -> dict[str, Any]:
        """Return it as texts and numbers."""
        return asdict(self)


def parted(rows: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Return which rows (n, columns) are held out, and those that are not."""
    held = np.arange(len(rows)) % HELD_OUT == HELD_OUT - 1
    return held, rows[~held]


def loss_of(
    whole: Brought,
    small: Brought,
    rows: Floats,
    target: Target,
    answers: Sequence[str] | None = None,
    fed: Floats | None = None,
) -> Loss:
    """Run both nets on rows (n, columns) that were held out, and tell what was lost.

    `answers` are the known classes, or values, of the rows; for a net that tells its own columns anew, 0 and
    1 (1: strange): what it is fed with is `fed`, if that is something else than the rows. Raises GateNotMet
    where the int8 net answers alike for all rows and the float one did not, BadInput where there are no rows,
    or another number of answers.
    """
    if not len(rows) or (answers is not None and len(answers) != len(rows)):
        raise BadInput(f"{len(rows)} rows are held out, with {len(answers or ())} answers", where="int8")
    few = slice(None, None, max(1, len(rows) // ENOUGH))
    fed = (rows if fed is None else fed)[few]
    rows, answers = rows[few], answers[few] if answers is not None else None
    one, other = told(whole, rows, target), told(small, rows, target)
    check_alive(one, other, whole.program.title)
    sizes = [len(pack(b.program, b.values)) - HEAD.size for b in (whole, small)]
    agreement = _agreement(one, other)
    what, figures = "agreement", (1.0, agreement)
    if answers is not None:
        what, figures = _figures(one, other, fed, answers, whole.labels)
    return Loss(what, *figures, agreement, len(rows), sizes[0], sizes[1])


def told(brought: Brought, rows: Floats, target: Target) -> dict[str, NDArray[Any]]:
    """Return the outputs of a program for rows (n, columns), each of a device that has seen nothing yet."""
    program = brought.program
    running = target.load(program, pack(program, brought.values))
    given = np.zeros(len(rows), layout_of(program).input.dtype)
    for k, place in enumerate(program.inputs):
        given[place.name] = rows if place.shape else rows[:, k]
    _, outputs, _ = running.run(initial_state(program), given)
    return {name: outputs[name] for name, _ in program.outputs}


def check_alive(one: dict[str, NDArray[Any]], other: dict[str, NDArray[Any]], title: str) -> None:
    """Raise GateNotMet where a net has collapsed: it tells rows apart no more that the float net did."""
    name = "label" if "label" in one else next(iter(one))
    seen, now = (t[name].reshape(len(t[name]), -1).astype(np.float64) for t in (one, other))
    if "label" in one:
        kinds, counts = np.unique(seen, return_counts=True)
        lost = set(kinds[counts > RARE * len(seen)].tolist()) - set(np.unique(now).tolist())
        dead = f"it never gives {len(lost)} of {len(kinds)} classes" if lost and len(kinds) > 1 else ""
    else:
        moving = seen.std(axis=0) > SPREAD * np.maximum(1.0, np.abs(seen).max(axis=0))
        still = moving & (now.std(axis=0) == 0)
        parts = (
            f"{int(still.sum())} of {moving.size} values never move" if moving.size > 1 else "it never moves"
        )
        dead = parts if still.any() and still.sum() * 2 >= moving.sum() else ""
    if dead:
        raise GateNotMet(
            f"the int8 net has collapsed: {dead}, which the float net tells apart", where=title,
            hint="Calibrate on rows like those the device meets, scale the inputs, or keep it in floats",
        )  # fmt: skip


def _agreement(one: dict[str, NDArray[Any]], other: dict[str, NDArray[Any]]) -> float:
    if "label" in one:
        return float((one["label"] == other["label"]).mean())
    name = next(iter(one))
    a, b = (np.asarray(t[name], np.float64) for t in (one, other))
    known = np.isfinite(a) & np.isfinite(b)
    spread = float(a[known].std()) or 1.0
    return 1.0 - float(np.sqrt(np.square(a - b)[known].mean())) / spread


def _figures(
    one: dict[str, NDArray[Any]],
    other: dict[str, NDArray[Any]],
    fed: Floats,
    answers: Sequence[str],
    labels: Sequence[str],
) -> tuple[str, tuple[float, float]]:
    if "label" in one:
        names = np.array([*labels, ""])
        truth = np.array([_name(a, labels) for a in answers])
        right = [float((names[t["label"]] == truth).mean()) for t in (one, other)]
        return "accuracy", (right[0], right[1])
    value = [np.asarray(t["value"], np.float64) for t in (one, other)]
    known = _numbers(answers)
    if value[0].ndim == 2 and value[0].shape[1] == fed.shape[1] > 1 and set(known.tolist()) <= {0.0, 1.0}:
        known_rows = np.nan_to_num(fed)
        strange = [np.square(v - known_rows).mean(axis=1) for v in value]
        return "AUC", (auc(strange[0], known), auc(strange[1], known))
    if value[0].ndim == 1:
        spread = float(known.std()) or 1.0
        off = [float(np.sqrt(np.square(v - known).mean())) / spread for v in value]
        return "error", (off[0], off[1])
    raise BadInput(
        "the answers given are no classes, no values, and no strangeness of this net's rows", where="int8",
        hint="Leave them out: it is then told how far int8 agrees with the float net",
    )  # fmt: skip


def _name(answer: str, labels: Sequence[str]) -> str:
    """Return an answer as classes are named: 1.0 and 1 are the same."""
    if answer in labels:
        return answer
    try:
        return str(int(float(answer)))
    except (ValueError, OverflowError):
        return answer


def _numbers(answers: Sequence[str]) -> Floats:
    try:
        return np.array([float(a) for a in answers])
    except ValueError:
        raise BadInput("the answers are no numbers", where="int8") from None


def auc(score: Floats, truth: Floats) -> float:
    """Return the area under the ROC curve: how often a strange row scores above a usual one; ties count half.

    Reference: Hanley and McNeil, The meaning and use of the area under a ROC curve, Radiology 143, 1982.
    """
    strange = truth > 0
    many, few = int((~strange).sum()), int(strange.sum())
    if not many or not few:
        raise BadInput("all rows held out are of one kind", where="int8", hint="Give rows of both")
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place.reshape(-1)]
    return float((rank[strange].sum() - few * (few + 1) / 2) / (few * many))
