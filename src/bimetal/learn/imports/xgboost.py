"""XGBoost: boosters read from their JSON; XGBoost itself is never imported."""

from __future__ import annotations

import json
import math
from typing import Any, cast

import numpy as np

from bimetal.learn.imports.foreign import (
    LOGIT,
    LT_F32,
    POWER,
    SHARES,
    SOFTMAX,
    VALUE,
    Foreign,
    RawTree,
    Trees,
)
from bimetal.learn.imports.look import labels_of, refuse
from bimetal.learn.imports.ubjson import decode
from bimetal.nouns.errors import BadInput

ENDINGS = {
    "binary:logistic": LOGIT,
    "binary:logitraw": LOGIT,
    "reg:logistic": LOGIT,
    "multi:softprob": SOFTMAX,
    "multi:softmax": SOFTMAX,
    "count:poisson": POWER,
    "reg:gamma": POWER,
    "reg:tweedie": POWER,
    "reg:squarederror": VALUE,
    "reg:pseudohubererror": VALUE,
    "reg:absoluteerror": VALUE,
    "reg:quantileerror": VALUE,
    "rank:ndcg": VALUE,
    "rank:pairwise": VALUE,
    "rank:map": VALUE,
}
WHERE = "XGBoost"


class XgBoost:
    """A Booster, one of the estimators around it, or a saved model: JSON or UBJSON, as bytes or parsed."""

    def recognises(self, model: Any) -> bool:
        """Say whether an object is XGBoost's, or the contents of such a model."""
        if isinstance(model, bytes | bytearray):
            return b"learner" in model[:64] and b"gradient_booster" in model
        if isinstance(model, dict):
            return "learner" in model
        return type(model).__module__.split(".")[0] == "xgboost"

    def read(self, model: Any) -> Foreign:
        """Return a booster in our words; raises Unsupported for splits by category and linear boosters."""
        learner = _parsed(model)["learner"]
        objective = str(learner["objective"]["name"])
        if objective not in ENDINGS:
            known = f"Train with one of {', '.join(ENDINGS)}"
            raise refuse(WHERE, f"its objective {objective!r} is not known here", known)
        outputs = max(1, int(learner["learner_model_param"]["num_class"]))
        trees = _trees(learner["gradient_booster"], outputs, _rounds(model))
        columns = int(learner["learner_model_param"]["num_feature"])
        ending = ENDINGS[objective]
        bias = _bias(learner, outputs, ending if objective != "binary:logitraw" else VALUE)
        scores = Trees(trees, LT_F32, outputs, 1.0, bias)
        labels = labels_of(model) if hasattr(model, "classes_") else ()
        if not labels and ending in (LOGIT, SOFTMAX, SHARES):
            labels = tuple(str(k) for k in range(max(2, outputs)))
        bound = "every tree takes the same way, gaps too; raw scores within 2**-16 of the greatest sum"
        return Foreign(WHERE, columns, (), scores, ending, labels, bound=bound)


def _parsed(model: Any) -> dict[str, Any]:
    if isinstance(model, dict):
        return cast("dict[str, Any]", model)
    if hasattr(model, "get_booster"):
        model = model.get_booster()
    data = bytes(model if isinstance(model, bytes | bytearray) else model.save_raw("json"))
    try:
        return json.loads(data) if data[:2] in (b'{"', b"{\n", b"{ ") else decode(data)
    except ValueError as fault:
        raise BadInput(f"the bytes are neither JSON nor UBJSON: {fault}", where=WHERE) from None


def _rounds(model: Any) -> int:
    """Return how many rounds count: an estimator that stopped early uses those up to the best."""
    best = getattr(model, "best_iteration", None) if hasattr(model, "get_booster") else None
    return 2**31 if best is None else int(best) + 1


def _trees(booster: dict[str, Any], outputs: int, rounds: int) -> tuple[RawTree, ...]:
    """Return trees so that tree t counts for output t modulo outputs, those that stand in parallel too."""
    name = str(booster.get("name", "gbtree"))
    if name not in ("gbtree", "dart"):
        raise refuse(
            WHERE, f"its booster is {name}", "Train with booster='gbtree', or use scikit-learn's Ridge"
        )
    model = (booster["gbtree"] if name == "dart" else booster)["model"]
    weights = booster["weight_drop"] if name == "dart" else [1.0] * len(model["trees"])
    trees = [_tree(t, float(w)) for t, w in zip(model["trees"], weights, strict=True)]
    groups = [int(k) for k in model["tree_info"]]
    of = [[t for t, g in zip(trees, groups, strict=True) if g == k] for k in range(outputs)]
    kept = min(len(of[0]), rounds * int(model["gbtree_model_param"].get("num_parallel_tree", 1)))
    if any(len(o) != len(of[0]) for o in of) or not kept:
        raise BadInput("its classes have not equally many trees", where=WHERE, hint="Train it anew")
    return tuple(t for together in zip(*(o[:kept] for o in of), strict=True) for t in together)


def _tree(tree: dict[str, Any], weight: float) -> RawTree:
    low = np.asarray(tree["left_children"], np.int64)
    if any(tree.get("categories_nodes", [])) or any(tree.get("split_type", [])):
        raise refuse(WHERE, "it splits by category", "Train it on numbers, without enable_categorical")
    conditions = np.asarray(tree["split_conditions"], np.float32).astype(np.float64)
    if len(tree.get("base_weights", [])) > len(low):
        raise refuse(
            WHERE, "its leaves answer several questions", "Train with multi_strategy='one_output_per_tree'"
        )
    return RawTree(
        np.asarray(tree["split_indices"], np.int64),
        conditions,
        low,
        np.asarray(tree["right_children"], np.int64),
        np.asarray(tree["default_left"], bool),
        np.where(low < 0, conditions * weight, 0.0)[:, None],
    )


def _bias(learner: dict[str, Any], outputs: int, ending: str) -> tuple[float, ...]:
    """Return where scores start: the base score, which is kept as what the model predicts with no tree."""
    text = str(learner["learner_model_param"]["base_score"]).strip("[]")
    starts = [float(np.float32(float(v))) for v in text.split(",")]
    starts = starts * outputs if len(starts) == 1 else starts
    if ending == LOGIT:
        starts = [-math.log(1 / p - 1) for p in starts]
    elif ending == POWER:
        starts = [math.log(p) for p in starts]
    return tuple(starts)


XGBOOST = XgBoost()
