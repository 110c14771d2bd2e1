"""Ensembles of trees and linear models of the ai.onnx.ml operators."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.imports.foreign import (
    EACH,
    LE_F32,
    LOGIT,
    LT_F32,
    SHARES,
    SOFTMAX,
    VALUE,
    Formula,
    RawTree,
    Scores,
    Trees,
)
from bimetal.learn.imports.look import Floats, refuse
from bimetal.learn.imports.net import Layer, net

RULES = {
    "BRANCH_LEQ": (LE_F32, False),
    "BRANCH_LT": (LT_F32, False),
    "BRANCH_GT": (LE_F32, True),
    "BRANCH_GTE": (LT_F32, True),
}
"""What a split asks in our words, and whether its sides change places."""
Attributes = dict[str, Any]
Found = tuple[Scores, str, tuple[str, ...]]


def classifier(name: str, at: Attributes) -> Found:
    """Return scores, ending and labels of a TreeEnsembleClassifier."""
    labels = labels_of(at)
    after = str(at.get("post_transform", "NONE"))
    worth = _worth(at, "class", max(len(labels), 1))
    rule, trees = _trees(name, at, worth)
    bias = _bias(at, len(labels))
    single = len(set(np.asarray(at["class_ids"]).tolist())) == 1 and len(labels) == 2
    if single:
        only = int(np.asarray(at["class_ids"])[0])
        trees = [_with(t, t.value[:, only : only + 1]) for t in trees]
        bias = _bias(at, 1)
    if after == "LOGISTIC" and single:
        return Trees(tuple(trees), rule, 1, 1.0, tuple(bias)), LOGIT, labels
    if after == "SOFTMAX" and not single:
        return Trees(tuple(trees), rule, len(labels), 1.0, tuple(bias)), SOFTMAX, labels
    if after != "NONE":
        raise refuse(name, f"its post_transform is {after}", "Export it with NONE, LOGISTIC or SOFTMAX")
    if single:
        share = 1 / len(trees)
        trees = [
            _with(t, np.hstack([np.where(t.low[:, None] < 0, share, 0) - t.value, t.value])) for t in trees
        ]
        bias = np.array([-bias[0], bias[0]])
    return Trees(tuple(trees), rule, len(labels), 1.0, tuple(bias)), SHARES, labels


def regressor(name: str, at: Attributes) -> Found:
    """Return scores and ending of a TreeEnsembleRegressor."""
    outputs = int(at.get("n_targets", 1))
    rule, trees = _trees(name, at, _worth(at, "target", outputs))
    how, after = str(at.get("aggregate_function", "SUM")), str(at.get("post_transform", "NONE"))
    if how not in ("SUM", "AVERAGE") or after != "NONE":
        raise refuse(name, f"it aggregates by {how} and {after}", "Export it with SUM or AVERAGE, and NONE")
    scale = 1 / len(trees) if how == "AVERAGE" else 1.0
    return Trees(tuple(trees), rule, outputs, scale, tuple(_bias(at, outputs))), VALUE, ()


def linear_classifier(name: str, at: Attributes) -> Found:
    """Return scores, ending and labels of a LinearClassifier."""
    labels = labels_of(at)
    bias = np.asarray(at["intercepts"], np.float64)
    weights = np.asarray(at["coefficients"], np.float64).reshape(len(bias), -1)
    after = str(at.get("post_transform", "NONE"))
    if len(bias) == 2 and after == "LOGISTIC" and np.allclose(weights[0], -weights[1]):
        return Formula(net([Layer(weights[1:], bias[1:])])), LOGIT, labels
    endings = {"SOFTMAX": SOFTMAX, "LOGISTIC": EACH, "NONE": SHARES}
    if after not in endings or len(bias) != len(labels):
        raise refuse(name, f"its post_transform is {after}", f"Export it with one of {', '.join(endings)}")
    return Formula(net([Layer(weights, bias)])), endings[after], labels


def linear_regressor(name: str, at: Attributes) -> Found:
    """Return scores and ending of a LinearRegressor."""
    targets = int(at.get("targets", 1))
    weights = np.asarray(at["coefficients"], np.float64).reshape(targets, -1)
    bias = np.asarray(at.get("intercepts", np.zeros(targets)), np.float64)
    return Formula(net([Layer(weights, bias)])), VALUE, ()


MODELS = {
    "TreeEnsembleClassifier": classifier,
    "TreeEnsembleRegressor": regressor,
    "LinearClassifier": linear_classifier,
    "LinearRegressor": linear_regressor,
}


def labels_of(at: Attributes) -> tuple[str, ...]:
    """Return the labels of a classifier, whatever their type."""
    for name in ("classlabels_strings", "classlabels_int64s", "classlabels_ints"):
        if name in at and len(at[name]):
            return tuple(str(v) for v in (at[name] if isinstance(at[name], list) else at[name].tolist()))
    return ()


def _bias(at: Attributes, outputs: int) -> Floats:
    start = np.asarray(at.get("base_values", np.zeros(outputs)), np.float64)
    return start[:outputs] if len(start) >= outputs else np.broadcast_to(start[:1], (outputs,))


def _worth(at: Attributes, kind: str, outputs: int) -> dict[tuple[int, int], Floats]:
    """Return what each leaf (tree, node) is worth."""
    found: dict[tuple[int, int], Floats] = {}
    columns = [np.asarray(at[f"{kind}_{what}"]).tolist() for what in ("treeids", "nodeids", "ids", "weights")]
    for tree, node, output, weight in zip(*columns, strict=True):
        found.setdefault((tree, node), np.zeros(outputs))[output] += weight
    return found


def _trees(name: str, at: Attributes, worth: dict[tuple[int, int], Floats]) -> tuple[str, list[RawTree]]:
    modes = np.array(at["nodes_modes"])
    asked = {str(m) for m in modes if m != "LEAF"} or {"BRANCH_LEQ"}
    if len(asked) > 1 or not asked <= set(RULES):
        raise refuse(name, f"its splits are {', '.join(sorted(asked))}", "Export it with BRANCH_LEQ alone")
    rule, swapped = RULES[asked.pop()]
    tree_of = np.asarray(at["nodes_treeids"], np.int64)
    trees = [
        _tree(at, np.flatnonzero(tree_of == t), worth, int(t), modes, swapped) for t in np.unique(tree_of)
    ]
    return rule, trees


def _tree(
    at: Attributes,
    rows: NDArray[np.intp],
    worth: dict[tuple[int, int], Floats],
    tree: int,
    modes: NDArray[Any],
    swapped: bool,
) -> RawTree:
    ids = np.asarray(at["nodes_nodeids"], np.int64)[rows]
    place = {int(n): k for k, n in enumerate(ids)}
    leaf = modes[rows] == "LEAF"

    def side(which: str) -> NDArray[np.int64]:
        nodes = np.asarray(at[f"nodes_{which}nodeids"], np.int64)[rows]
        return np.array([-1 if end else place[int(n)] for n, end in zip(nodes, leaf, strict=True)], np.int64)

    low, high = side("true"), side("false")
    tracks = np.asarray(at.get("nodes_missing_value_tracks_true", np.zeros(len(modes))), bool)[rows]
    outputs = len(next(iter(worth.values())))
    value = np.array([worth.get((tree, int(n)), np.zeros(outputs)) for n in ids])
    return RawTree(
        np.asarray(at["nodes_featureids"], np.int64)[rows],
        np.asarray(at["nodes_values"], np.float64)[rows],
        high if swapped else low,
        low if swapped else high,
        tracks != swapped,
        value,
    )


def _with(tree: RawTree, value: Floats) -> RawTree:
    return RawTree(tree.feature, tree.threshold, tree.low, tree.high, tree.gap_low, value)
