"""Bring: a model that another library has trained becomes a program with its parameter values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from bimetal.learn.detector import input_names
from bimetal.learn.imports.foreign import SHARES, Foreign, Trees
from bimetal.learn.imports.importer import importer_of
from bimetal.learn.imports.wire import wire
from bimetal.nouns.errors import BadInput
from bimetal.program import letter
from bimetal.program.operators.octets import Octets
from bimetal.program.program import Draft, Program
from bimetal.program.verify import check


@dataclass(frozen=True, slots=True, eq=False)
class Brought:
    """A model that was brought over: its program, the values of its parameters, and what they mean.

    `labels` names the classes in the order of the output `label`; `bound` says how far scores may be from
    those of the library it came from.
    """

    program: Program
    values: dict[str, NDArray[Any]]
    labels: tuple[str, ...]
    bound: str


def bring(
    model: Any,
    signals: Sequence[str],
    *,
    octets: Octets | None = None,
    gaps: bool = True,
    vector: bool = False,
    votes: bool = False,
) -> Brought:
    """Return a program that answers as a model of scikit-learn, LightGBM, XGBoost, PyTorch or ONNX does.

    `signals` names the model's columns in their order; each becomes an f32 input, NaN where a reading is
    missing, or all become the one input `x` with `vector`. With `octets`, the model was trained on what
    that operator makes of the signals, whole numbers 0..255, and the program does the same before it
    (with `vector` and Octets() as it is made, `x` is u8 and taken as it is). Without `gaps`, trees are told
    that no reading is ever missing, which can make them smaller. With `votes`, the trees of a random forest
    vote for one class each, where scikit-learn adds their shares up.

    Raises Unsupported naming what cannot be brought over and what can, BadInput where the model was not
    fitted or has another number of columns.
    """
    foreign = importer_of(model).read(model)
    if len(signals) != foreign.columns:
        raise BadInput(
            f"it has {foreign.columns} columns, but {len(signals)} signals are named", where=foreign.title
        )
    if votes:
        foreign = _voting(foreign)
    draft = Draft(foreign.title)
    whole = octets == Octets() and vector
    if vector:
        x = draft.input("x", "u8" if whole else "f32", (len(signals),))
    else:
        x = letter.stack([draft.input(name) for name in input_names(signals)])
    if octets is not None and not whole:
        x = octets.trace(draft, x)
    wire(draft, foreign, x, gaps)
    program = draft.finish()
    check(program)
    return Brought(program, dict(draft.values), foreign.labels, foreign.bound)


def _voting(foreign: Foreign) -> Foreign:
    """Return a random forest that counts votes, each tree's for the class with the greatest share."""
    scores = foreign.scores
    if not isinstance(scores, Trees) or foreign.ending != SHARES:
        raise BadInput("its trees cannot vote: they add up", where=foreign.title, hint="Leave out votes=True")
    return replace(foreign, scores=replace(scores, votes=True), bound="the votes themselves")
