"""LightGBM: boosters read from the text they save themselves as; LightGBM itself is never imported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from bimetal.learn.imports.foreign import (
    LE_F64,
    LOGIT,
    POWER,
    SHARES,
    SOFTMAX,
    VALUE,
    Foreign,
    RawTree,
    Trees,
)
from bimetal.learn.imports.look import Floats, labels_of, refuse
from bimetal.nouns.errors import BadInput

CATEGORY, GAP_LOW = 1, 2
NONE, ZERO, NAN = 0, 1, 2
"""Bits of a split's decision type: by category, gaps to the low side; and above them what counts as a gap."""

ENDINGS = {
    "binary": LOGIT,
    "cross_entropy": LOGIT,
    "multiclass": SOFTMAX,
    "poisson": POWER,
    "gamma": POWER,
    "tweedie": POWER,
    "regression": VALUE,
    "regression_l1": VALUE,
    "huber": VALUE,
    "fair": VALUE,
    "quantile": VALUE,
    "mape": VALUE,
    "lambdarank": VALUE,
    "rank_xendcg": VALUE,
}
WHERE = "LightGBM"
Fields = Mapping[str, str]


class LightGbm:
    """A Booster, one of the estimators around it, or the text of a saved model."""

    def recognises(self, model: Any) -> bool:
        """Say whether an object is LightGBM's, or the text of such a model."""
        if isinstance(model, str):
            return model.startswith("tree\nversion=")
        return type(model).__module__.split(".")[0] == "lightgbm"

    def read(self, model: Any) -> Foreign:
        """Return a booster in our words; raises Unsupported for splits by category and linear leaves."""
        booster = getattr(model, "booster_", model)
        text = booster if isinstance(booster, str) else str(booster.model_to_string())
        head, *parts = re.split(r"^Tree=\d+$", text.split("end of trees")[0], flags=re.MULTILINE)
        fields = _fields(head)
        objective, *options = fields.get("objective", "regression").split()
        if objective not in ENDINGS or "sqrt" in options:
            known = f"Train with one of {', '.join(ENDINGS)}"
            raise refuse(WHERE, f"its objective {' '.join([objective, *options])!r} is not known here", known)
        trees = tuple(_tree(_fields(part)) for part in parts)
        if not trees:
            raise BadInput("the model has no tree", where=WHERE, hint="Train it first")
        outputs, columns = int(fields["num_tree_per_iteration"]), int(fields["max_feature_idx"]) + 1
        rounds = len(trees) // outputs if "average_output" in head.split("\n") else 1
        slope = dict(o.split(":", 1) for o in options if ":" in o).get("sigmoid", "1")
        scores = Trees(trees, LE_F64, outputs, float(slope) / rounds, (0.0,) * outputs)
        labels = labels_of(model) if hasattr(model, "classes_") else ()
        if not labels and ENDINGS[objective] in (LOGIT, SOFTMAX, SHARES):
            labels = tuple(str(k) for k in range(max(2, outputs)))
        bound = "every tree takes the same way, gaps too; raw scores within 2**-18 of the greatest"
        return Foreign(WHERE, columns, (), scores, ENDINGS[objective], labels, bound=bound)


def _fields(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.split("\n") if "=" in line)


def _tree(fields: Fields) -> RawTree:
    """Return a tree: LightGBM numbers splits from 0 and leaves from -1 downwards; here leaves come last."""
    if fields.get("is_linear", "0") not in ("0", ""):
        raise refuse(WHERE, "its leaves are linear models", "Train it without linear_tree")
    worth = _numbers(fields, "leaf_value")
    splits = int(fields["num_leaves"]) - 1
    if splits == 0:
        none = np.full(1, -1)
        return RawTree(np.zeros(1, np.int64), np.zeros(1), none, none, np.zeros(1, bool), worth[:1, None])
    kind = _numbers(fields, "decision_type").astype(np.int64)
    missing = (kind >> 2) & 3
    if (kind & CATEGORY).any():
        raise refuse(WHERE, "it splits by category", "Train it on numbers, without categorical_feature")
    if (missing == ZERO).any():
        raise refuse(WHERE, "zero counts as missing in it", "Train it without zero_as_missing")
    threshold = _numbers(fields, "threshold")
    gap_low = np.where(missing == NAN, (kind & GAP_LOW) != 0, threshold >= 0)
    sides = [_numbers(fields, side).astype(np.int64) for side in ("left_child", "right_child")]
    low, high = (np.where(s < 0, splits - 1 - s, s) for s in sides)
    leaves = np.full(len(worth), -1)
    nothing = np.zeros(len(worth))
    return RawTree(
        np.concatenate([_numbers(fields, "split_feature").astype(np.int64), leaves]),
        np.concatenate([threshold, nothing]),
        np.concatenate([low, leaves]),
        np.concatenate([high, leaves]),
        np.concatenate([gap_low, nothing > 0]),
        np.concatenate([np.zeros(splits), worth])[:, None],
    )


def _numbers(fields: Fields, name: str) -> Floats:
    return np.array([float(v) for v in fields[name].split()])


LIGHTGBM = LightGbm()
