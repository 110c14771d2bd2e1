"""Decision trees, random forests, extra trees, isolation forests and gradient boosting on decision trees."""

from __future__ import annotations

from typing import Any

import numpy as np

from bimetal.learn.imports.foreign import (
    LE_F32,
    LOGIT,
    OUTLIER,
    SHARES,
    SOFTMAX,
    VALUE,
    Foreign,
    Isolation,
    RawTree,
    Trees,
)
from bimetal.learn.imports.look import Floats, labels_of, learned, name_of, refuse

EULER = 0.5772156649015329


def raw_tree(tree: Any, classifies: bool, columns: Any = None) -> RawTree:
    """Return a fitted tree (`tree_`) in our words; `columns` are those of the model's it was given."""
    low = np.asarray(tree.children_left, np.int64)
    feature = np.asarray(tree.feature, np.int64)
    if columns is not None:
        feature = np.asarray(columns, np.int64)[np.maximum(feature, 0)]
    value = np.asarray(tree.value, np.float64)[:, 0, :]
    if classifies:
        value = value / np.maximum(value.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    gap_low = np.asarray(getattr(tree, "missing_go_to_left", np.zeros(len(low))), bool)
    return RawTree(
        feature,
        np.asarray(tree.threshold, np.float64),
        low,
        np.asarray(tree.children_right, np.int64),
        gap_low,
        value,
    )


def classifier(model: Any) -> Foreign:
    """One tree, or the mean of the shares of many."""
    _single_output(model)
    trees = tuple(raw_tree(t, True) for t in _trees(model))
    count = trees[0].value.shape[1]
    scores = Trees(trees, LE_F32, count, 1 / len(trees), (0.0,) * count)
    bound = f"every tree takes the same way; shares within {2.0**-20:.1e}"
    return Foreign(name_of(model), _columns(model), (), scores, SHARES, labels_of(model), bound=bound)


def regressor(model: Any) -> Foreign:
    """One tree, or the mean of many."""
    _single_output(model)
    trees = tuple(raw_tree(t, False) for t in _trees(model))
    scores = Trees(trees, LE_F32, 1, 1 / len(trees), (0.0,))
    bound = "every tree takes the same way; values within 2**-20 of the greatest leaf"
    return Foreign(name_of(model), _columns(model), (), scores, VALUE, bound=bound)


def boosting(model: Any) -> Foreign:
    """Gradient boosting: the first guess plus the learning rate times what the leaves say."""
    start = learned(model, "init_")
    if start != "zero" and name_of(start) not in ("DummyClassifier", "DummyRegressor"):
        raise refuse(model, f"it starts from a {name_of(start)}", "Fit it without init")
    stages = np.asarray(learned(model, "estimators_"), object)
    trees = tuple(raw_tree(e.tree_, False) for e in stages.reshape(-1))
    outputs, rate = int(stages.shape[1]), float(learned(model, "learning_rate"))
    zero = np.zeros((1, _columns(model)))
    classifies = hasattr(model, "classes_")
    told = np.asarray(model.decision_function(zero) if classifies else model.predict(zero), np.float64)
    bias = told.reshape(-1) - rate * _answers(trees, zero[0], outputs)
    scores = Trees(trees, LE_F32, outputs, rate, tuple(bias.tolist()))
    bound = "every tree takes the same way; raw scores within 2**-18 of the greatest"
    if not classifies:
        return Foreign(name_of(model), _columns(model), (), scores, VALUE, bound=bound)
    ending = LOGIT if outputs == 1 else SOFTMAX
    return Foreign(name_of(model), _columns(model), (), scores, ending, labels_of(model), bound=bound)


def isolation(model: Any) -> Foreign:
    """An isolation forest: a leaf is worth its depth plus the mean way through what it held."""
    found: list[RawTree] = []
    for estimator, columns in zip(
        learned(model, "estimators_"), learned(model, "estimators_features_"), strict=True
    ):
        tree = raw_tree(estimator.tree_, False, columns)
        held = np.asarray(estimator.tree_.n_node_samples, np.float64)
        way = _depths(tree) + usual_way(held)
        found.append(RawTree(tree.feature, tree.threshold, tree.low, tree.high, tree.gap_low, way[:, None]))
    usual = float(usual_way(np.array([float(learned(model, "max_samples_"))]))[0])
    if usual <= 0:
        raise refuse(model, "its trees saw one row each", "Fit it with max_samples of 2 or more")
    limit = -float(learned(model, "offset_"))
    bound = "score is -score_samples within 1e-6; outlier is predict() == -1, but within that of the offset"
    scores = Isolation(tuple(found), LE_F32, usual)
    return Foreign(name_of(model), _columns(model), (), scores, OUTLIER, limit=limit, bound=bound)


def usual_way(rows: Floats) -> Floats:
    """Return the mean way to a leaf in a random tree over so many rows (Liu and others, 2008, equation 1)."""
    many = np.maximum(rows, 3.0)
    way = 2 * (np.log(many - 1) + EULER) - 2 * (many - 1) / many
    return np.where(rows <= 1, 0.0, np.where(rows == 2, 1.0, way))


def _depths(tree: RawTree) -> Floats:
    """Return how many splits lie before every node."""
    depth = np.zeros(len(tree.low))
    todo = [0]
    while todo:
        k = todo.pop()
        if tree.low[k] >= 0:
            for side in (int(tree.low[k]), int(tree.high[k])):
                depth[side] = depth[k] + 1
                todo.append(side)
    return depth


def _answers(trees: tuple[RawTree, ...], row: Floats, outputs: int) -> Floats:
    """Return the sums of what trees say about one row, tree t for output t modulo outputs."""
    sums = np.zeros(outputs)
    for t, tree in enumerate(trees):
        k = 0
        while tree.low[k] >= 0:
            side = tree.low if row[tree.feature[k]] <= tree.threshold[k] else tree.high
            k = int(side[k])
        sums[t % outputs] += tree.value[k, 0]
    return sums


def _trees(model: Any) -> list[Any]:
    if hasattr(model, "tree_"):
        return [model.tree_]
    return [e.tree_ for e in learned(model, "estimators_")]


def _columns(model: Any) -> int:
    return int(learned(model, "n_features_in_"))


def _single_output(model: Any) -> None:
    if int(getattr(model, "n_outputs_", 1)) != 1:
        raise refuse(model, "it answers several questions at once", "Fit one model for each of them")
