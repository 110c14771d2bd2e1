"""Histogram gradient boosting: trees kept in arrays of their own, with a way for missing values."""

from __future__ import annotations

from typing import Any

import numpy as np

from bimetal.learn.imports.foreign import LE_F64, LOGIT, POWER, SOFTMAX, VALUE, Foreign, RawTree, Trees
from bimetal.learn.imports.look import labels_of, learned, name_of, refuse

FIELDS = {"value", "feature_idx", "num_threshold", "missing_go_to_left", "left", "right", "is_leaf"}
LINKS = {"squared_error": VALUE, "absolute_error": VALUE, "quantile": VALUE, "poisson": POWER, "gamma": POWER}


def boosting(model: Any) -> Foreign:
    """Read the arrays of nodes: scikit-learn has no public door to them, so their fields are checked."""
    stages = learned(model, "_predictors")
    arrays = [predictor.nodes for stage in stages for predictor in stage]
    if any(not set(a.dtype.names or ()) >= FIELDS for a in arrays):
        raise refuse(model, "this version keeps its trees in a way not known here", "Use LightGBM")
    if any("is_categorical" in (a.dtype.names or ()) and a["is_categorical"].any() for a in arrays):
        raise refuse(model, "it splits by category", "Fit it without categorical_features, on numbers")
    trees = tuple(_tree(a) for a in arrays)
    bias = np.asarray(learned(model, "_baseline_prediction"), np.float64).reshape(-1)
    outputs = len(stages[0])
    scores = Trees(trees, LE_F64, outputs, 1.0, tuple(bias.tolist()))
    columns = int(learned(model, "n_features_in_"))
    bound = "every tree takes the same way, gaps too; raw scores within 2**-18 of the greatest"
    if hasattr(model, "classes_"):
        ending = LOGIT if outputs == 1 else SOFTMAX
        return Foreign(name_of(model), columns, (), scores, ending, labels_of(model), bound=bound)
    loss = str(learned(model, "loss"))
    if loss not in LINKS:
        raise refuse(model, f"its loss {loss!r} is not known here", f"Use one of {', '.join(LINKS)}")
    return Foreign(name_of(model), columns, (), scores, LINKS[loss], bound=bound)


def _tree(nodes: Any) -> RawTree:
    leaf = np.asarray(nodes["is_leaf"], bool)
    return RawTree(
        np.asarray(nodes["feature_idx"], np.int64),
        np.asarray(nodes["num_threshold"], np.float64),
        np.where(leaf, -1, np.asarray(nodes["left"], np.int64)),
        np.where(leaf, -1, np.asarray(nodes["right"], np.int64)),
        np.asarray(nodes["missing_go_to_left"], bool),
        np.asarray(nodes["value"], np.float64)[:, None],
    )
