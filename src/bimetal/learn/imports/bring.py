"""Bring: a model that another library has trained becomes a program with its parameter values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.detector import input_names
from bimetal.learn.imports.foreign import SHARES, Foreign, Formula, Trees
from bimetal.learn.imports.importer import importer_of
from bimetal.learn.imports.net import Net, Shape, sized
from bimetal.learn.imports.wire import Making, wire
from bimetal.nouns.errors import BadInput
from bimetal.program import letter
from bimetal.program.grove import LINKS
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
    shape: Sequence[int] = (),
    form: str = LINKS,
    leaf_bits: int = 32,
) -> Brought:
    """Return a program that answers as a model of scikit-learn, LightGBM, XGBoost, PyTorch or ONNX does.

    `signals` names the model's columns in their order; each becomes an f32 input, NaN where a reading is
    missing, or all become the one input `x` with `vector`. With `octets`, the model was trained on what
    that operator makes of the signals, whole numbers 0..255, and the program does the same before it
    (with `vector` and Octets() as it is made, `x` is u8 and taken as it is). Without `gaps`, trees are told
    that no reading is ever missing, which can make them smaller. With `votes`, the trees of a random forest
    vote for one class each, where scikit-learn adds their shares up. With convolutions, the signals are
    places in order, each with its channels: of a net along time the first reading of every channel, then the
    second ones; `shape` says how many, (n, channels) or (height, width, channels), where the net does not.
    `form` is how trees lie in memory, see program/grove.py. With `leaf_bits` of 16 or 8, what leaves are
    worth is rounded to as many bits: fewer bytes, and scores that move by no more than the bound then says.

    Raises Unsupported naming what cannot be brought over and what can, BadInput where the model was not
    fitted or has another number of columns.
    """
    if leaf_bits not in (8, 16, 32):
        raise BadInput(f"leaves cannot have {leaf_bits!r} bits", hint="Use 8, 16 or 32")
    foreign = read(model, len(signals), shape)
    if votes:
        foreign = _voting(foreign)
    making = Making(gaps, form, leaf_bits)
    return brought_of(foreign, signals, octets=octets, vector=vector, making=making)


def brought_of(
    foreign: Foreign,
    signals: Sequence[str],
    *,
    octets: Octets | None = None,
    vector: bool = False,
    making: Making | None = None,
) -> Brought:
    """Return a model in our words as a program; see `bring`."""
    making = making or Making()
    draft = Draft(foreign.title)
    whole = octets == Octets() and vector
    if vector:
        x = draft.input("x", "u8" if whole else "f32", (len(signals),))
    else:
        x = letter.stack([draft.input(name) for name in input_names(signals)])
    if octets is not None and not whole:
        x = octets.trace(draft, x)
    off = wire(draft, foreign, x, making)
    program = draft.finish()
    check(program)
    narrow = f"; leaves of {making.leaf_bits} bits move the sum by {off:.1e} more at most"
    bound = foreign.bound + (narrow if making.leaf_bits < 32 and off else "")
    return Brought(program, dict(draft.values), foreign.labels, bound)


def read(model: Any, columns: int, shape: Sequence[int] = ()) -> Foreign:
    """Return a model in our words, held against the number of its columns, a net fitted to its shape."""
    foreign = importer_of(model).read(model)
    made = foreign.scores.spelled if isinstance(foreign.scores, Formula) else None
    if isinstance(made, Net) and made.rank > 1 and not made.shape:
        fitted = sized(made, _shape_of(made, columns, tuple(shape), foreign.title))
        foreign = replace(foreign, columns=int(np.prod(fitted.shape)), scores=Formula(fitted))
    if columns != foreign.columns:
        raise BadInput(
            f"it has {foreign.columns} columns, but {columns} signals are named", where=foreign.title
        )
    return foreign


def _shape_of(made: Net, columns: int, shape: Shape, title: str) -> Shape:
    """Return the shape a net is fed with: as named, or along time by how many signals there are."""
    if shape:
        return shape
    if made.rank == 2 and made.channels and columns % made.channels == 0:
        return columns // made.channels, made.channels
    if made.rank == 2 and made.channels:
        raise BadInput(f"{columns} signals are no whole number of {made.channels} channels", where=title)
    raise BadInput(
        "how high and how wide its pictures are is not known", where=title,
        hint="Say shape=(height, width, channels)",
    )  # fmt: skip


def _voting(foreign: Foreign) -> Foreign:
    """Return a random forest that counts votes, each tree's for the class with the greatest share."""
    scores = foreign.scores
    if not isinstance(scores, Trees) or foreign.ending != SHARES:
        raise BadInput("its trees cannot vote: they add up", where=foreign.title, hint="Leave out votes=True")
    return replace(foreign, scores=replace(scores, votes=True), bound="the votes themselves")
