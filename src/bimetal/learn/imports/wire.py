"""Wire: a foreign model in our words becomes a program, its scores outputs with a meaning."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bimetal.learn.imports import foreign as of
from bimetal.learn.imports import plant
from bimetal.learn.imports.fold import folded
from bimetal.learn.imports.foreign import Columns, Foreign, Isolation, RawTree, Trees
from bimetal.program import choice, elementary, letter, word
from bimetal.program.grove import LINKS
from bimetal.program.node import Node
from bimetal.program.operators.forest import Forest
from bimetal.program.operators.isolation_forest import IsolationForest
from bimetal.program.program import Draft

WHOLE = 1e-9
"""How near to 1 shares of two classes must add up."""


@dataclass(frozen=True, slots=True)
class Making:
    """How trees are made: whether readings may be missing, the form they lie in, and the bits of a leaf.

    `whole`: over the places of their thresholds as u8, also where f32 thresholds take less.
    """

    gaps: bool = True
    form: str = LINKS
    leaf_bits: int = 32
    whole: bool = False


def wire(draft: Draft, model: Foreign, x: Node, making: Making) -> float:
    """Add a model to a draft: `x` is the vector of readings, f32, or u8 for trees of whole octets.

    Returns by how much rounding what leaves are worth moves a score, or an isolation forest's sum of ways, at
    most. Outputs by ending: `label` and `score` (classes,) for a classifier, `value` for a regressor, `score`
    and `outlier` for a detector of outliers, `label` and `distance` for centres.
    """
    if isinstance(model.scores, Trees | Isolation):
        x, trees = _prepared(draft, model, model.scores, x)
        if _is_one_share(model, trees):
            return _of_two(draft, model.scores, trees, x, making)
        scores, off = _scores(draft, model.scores, trees, x, making)
    else:
        off = 0.0
        if x.dtype == "u8":
            x = letter.cast(letter.cast(x, "i32"), "f32")
        for k, step in enumerate(model.steps):
            x = step.trace(draft, x, f"step_{k + 1}")
        scores = model.scores.spelled(draft, x)
    end(draft, model, scores)
    return off


def _prepared(draft: Draft, model: Foreign, scores: Trees | Isolation, x: Node) -> tuple[Node, list[RawTree]]:
    """Fold the last steps that treat columns alone into the thresholds; spell those before them."""
    steps = list(model.steps)
    inside: list[Columns] = []
    while steps and isinstance(last := steps[-1], Columns):
        inside.insert(0, last)
        steps.pop()
    for k, step in enumerate(steps):
        x = step.trace(draft, x, f"step_{k + 1}")
    return x, folded(scores.trees, scores.rule, inside, x.size)


def _is_one_share(model: Foreign, trees: list[RawTree]) -> bool:
    """Say whether leaves hold the shares of two classes, so that one says the other."""
    scores = model.scores
    if model.ending != of.SHARES or not isinstance(scores, Trees) or scores.votes or scores.outputs != 2:
        return False
    whole = all(np.abs(t.value[t.low < 0].sum(axis=1) - 1).max() < WHOLE for t in trees)
    return whole and not any(scores.bias) and abs(scores.scale * len(trees) - 1) < WHOLE


def _of_two(draft: Draft, scores: Trees | Isolation, trees: list[RawTree], x: Node, making: Making) -> float:
    """Add up the share of the second class alone; it wins with more than half, counted in whole numbers."""
    second = [replace(t, value=t.value[:, 1:]) for t in trees]
    sums, shift = _sums(draft, replace(scores, trees=tuple(second), outputs=1), second, x, making)
    most = len(trees) * 2.0**shift
    one = letter.reshape(sums, ())
    half = draft.param("half", int(most // 2), "i32", low=0)
    share = letter.mul(letter.cast(one, "f32"), draft.param("scale", 1 / most))
    draft.output("label", letter.cast(letter.lt(half, one), "i32"))
    draft.output("score", letter.stack([letter.sub(1.0, share), share]))
    return plant.moved(second, shift) / len(trees)


def _scores(
    draft: Draft, scores: Trees | Isolation, trees: list[RawTree], x: Node, making: Making
) -> tuple[Node, float]:
    """Return scores in f32, votes and isolation as they come; and how far rounding moves them at most."""
    sums, shift = _sums(draft, scores, trees, x, making)
    if isinstance(scores, Isolation):
        return sums, plant.moved(trees, shift)
    if scores.votes:
        return sums, 0.0
    scale = draft.param("scale", scores.scale * 2.0**-shift)
    said = letter.add(letter.mul(letter.cast(sums, "f32"), scale), draft.param("bias", scores.bias))
    return said, abs(scores.scale) * plant.moved(trees, shift)


def _sums(
    draft: Draft, scores: Trees | Isolation, trees: list[RawTree], x: Node, making: Making
) -> tuple[Node, int]:
    """Return what the trees say together, and by how many binary digits it is shifted up."""
    form = making.form
    bins, whole = plant.soils_of(trees, making.gaps and x.dtype == "f32")
    kind = (
        "octets"
        if x.dtype == "u8"
        else "bins"
        if making.whole or plant.prefers_bins(trees, bins)
        else "floats"
    )
    soil = bins if kind == "bins" else whole
    if kind != "octets":
        x = plant.binned(draft, soil, x) if kind == "bins" else plant.floating(draft, soil, x)
    if isinstance(scores, Trees) and scores.votes:
        codes = plant.voting(trees)
        ours = [plant.nested(t, c, soil, kind) for t, c in zip(trees, codes, strict=True)]
        return Forest(tuple(ours), outputs=scores.outputs, form=form).trace(draft, x), 0
    codes, leaves = plant.worth(trees, making.leaf_bits)
    ours = tuple(plant.nested(t, c, soil, kind) for t, c in zip(trees, codes, strict=True))
    if isinstance(scores, Isolation):
        ways = tuple(float(np.ldexp(float(row[0]), -leaves.shift)) for row in leaves.rows)
        shift = max(0, min(24, leaves.shift))
        made = IsolationForest(ours, ways, leaves.start, scores.usual, shift, form=form)
        return made.trace(draft, x), shift
    return Forest(ours, leaves.rows, leaves.start, scores.outputs, form=form).trace(draft, x), leaves.shift


def end(draft: Draft, model: Foreign, scores: Node) -> None:
    """Say what the scores mean."""
    match model.ending:
        case of.SHARES | of.LOGIT | of.SOFTMAX | of.EACH:
            _classify(draft, model.ending, scores)
        case of.CLUSTER:
            draft.output("label", choice.place_of_greatest(letter.neg(scores)))
            draft.output("distance", letter.sqrt(scores))
        case of.OUTLIER:
            score = letter.reshape(scores, ())
            limit = draft.param("limit", model.limit)
            draft.output("score", score)
            draft.output("outlier", letter.lt(limit, score))
        case _:
            value = elementary.exp(scores) if model.ending == of.POWER else scores
            draft.output("value", letter.reshape(value, ()) if value.size == 1 else value)


def _classify(draft: Draft, ending: str, scores: Node) -> None:
    if ending == of.LOGIT:
        margin = letter.reshape(scores, ())
        side = letter.cast(letter.lt(0.0, margin), "i32")
        draft.output("label", letter.where(word.known(margin), side, -1))
        share = letter.where(word.known(margin), elementary.sigmoid(margin), margin)
        draft.output("score", letter.stack([letter.sub(1.0, share), share]))
        return
    draft.output("label", choice.place_of_greatest(scores))
    if scores.dtype == "i32":
        total = letter.cast(letter.maximum(letter.const(1, "i32"), letter.reduce(scores)), "f32")
        draft.output("score", letter.div(letter.cast(scores, "f32"), total))
    elif ending == of.SOFTMAX:
        draft.output("score", choice.softmax(scores))
    elif ending == of.EACH:
        parts = elementary.sigmoid(scores)
        draft.output("score", letter.div(parts, word.total(parts)))
    else:
        draft.output("score", scores)
