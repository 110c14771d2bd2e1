"""Linear models, nets, naive Bayes, centres, neighbours and the elliptic envelope."""

from __future__ import annotations

from typing import Any

import numpy as np

from bimetal.learn.imports.foreign import (
    CLUSTER,
    EACH,
    LOGIT,
    OUTLIER,
    POWER,
    SHARES,
    SOFTMAX,
    VALUE,
    Foreign,
    Formula,
    Spelled,
    rows_of,
)
from bimetal.learn.imports.look import Floats, floats, labels_of, learned, name_of, refuse
from bimetal.learn.imports.net import Layer, net
from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operators.gaussian_nb import GaussianNb
from bimetal.program.operators.nearest import Nearest
from bimetal.program.operators.neighbours import Neighbours
from bimetal.program.operators.pca import Pca
from bimetal.program.program import Draft

LINEAR = "2**-23 * (columns + 3) * the sum of |weight * x|"


def linear_classifier(model: Any) -> Foreign:
    """Logistic regression: the logit of the second class, or one score for each."""
    weights, bias = _plane(model)
    ending = LOGIT if len(weights) == 1 else SOFTMAX
    if len(weights) > 1 and getattr(model, "solver", "") == "liblinear":
        ending = EACH
    return _made(model, net([Layer(weights, bias)]), ending, labels_of(model), f"scores within {LINEAR}")


def linear_regressor(model: Any) -> Foreign:
    """Weights and a bias, however they were found."""
    weights, bias = _plane(model)
    return _made(model, net([Layer(weights, bias)]), VALUE, (), f"values within {LINEAR}")


def neural_net(model: Any) -> Foreign:
    """A multilayer perceptron."""
    weights = [np.asarray(w, np.float64).T for w in learned(model, "coefs_")]
    biases = [np.asarray(b, np.float64) for b in learned(model, "intercepts_")]
    hidden = str(learned(model, "activation"))
    kinds = [*[hidden] * (len(weights) - 1), "identity"]
    layers = [Layer(w, b, k) for w, b, k in zip(weights, biases, kinds, strict=True)]
    bound = "scores within 1e-4 of the greatest"
    out = str(learned(model, "out_activation_"))
    if not hasattr(model, "classes_"):
        return _made(model, net(layers), POWER if out == "exp" else VALUE, (), bound)
    if out == "logistic" and len(weights[-1]) > 1:
        raise refuse(model, "it answers several questions at once", "Fit one model for each of them")
    return _made(model, net(layers), LOGIT if out == "logistic" else SOFTMAX, labels_of(model), bound)


def bayes(model: Any) -> Foreign:
    """Gaussian naive Bayes."""
    mean, variance, prior = floats(model, "theta_"), floats(model, "var_"), floats(model, "class_prior_")
    bias = np.log(prior) - 0.5 * np.log(2 * np.pi * variance).sum(axis=1)
    made = GaussianNb(rows_of(mean), rows_of(1 / np.sqrt(2 * variance)), tuple(bias.tolist()))
    bound = "joint log likelihoods within 2**-20 of the greatest"
    return _made(model, made.trace, SOFTMAX, labels_of(model), bound)


def centres(model: Any) -> Foreign:
    """K-means: the nearest centre, and how far all are."""
    made = Nearest(rows_of(floats(model, "cluster_centers_")), "centres")
    labels = tuple(str(k) for k in range(len(made.centres)))

    def spelled(draft: Draft, x: Node) -> Node:
        return made.trace(draft, x)[1]

    return _made(model, spelled, CLUSTER, labels, "distances within 2**-20 of the greatest")


def neighbours(model: Any) -> Foreign:
    """K nearest neighbours: one vote each."""
    if str(learned(model, "effective_metric_")) not in ("euclidean", "l2") or model.weights != "uniform":
        raise refuse(
            model, "it measures or weighs in another way", "Use metric='euclidean', weights='uniform'"
        )
    points, classes = floats(model, "_fit_X"), np.asarray(learned(model, "_y"), np.int64)
    try:
        made = Neighbours(
            rows_of(points),
            tuple(classes.tolist()),
            len(labels_of(model)),
            int(learned(model, "n_neighbors")),
        )
    except BadProgram as fault:
        raise refuse(model, fault.what, "Ask fewer neighbours") from None
    return _made(model, made.trace, SHARES, labels_of(model), "the votes themselves")


def envelope(model: Any) -> Foreign:
    """An elliptic envelope: the squared distance in the metric of the precision, as a sum of squares."""
    precision, location = floats(model, "precision_"), floats(model, "location_")
    root = np.asarray(np.linalg.cholesky((precision + precision.T) / 2).T, np.float64)
    made = Pca(tuple(location.tolist()), rows_of(root), "envelope")

    def spelled(draft: Draft, x: Node) -> Node:
        along = made.trace(draft, x)
        return word.total(letter.mul(along, along))

    bound = "score is mahalanobis() within 1e-4; outlier is predict() == -1, but within that of the offset"
    limit = -float(learned(model, "offset_"))
    return Foreign(name_of(model), _columns(model), (), Formula(spelled), OUTLIER, limit=limit, bound=bound)


def _plane(model: Any) -> tuple[Floats, Floats]:
    weights = np.atleast_2d(floats(model, "coef_"))
    return weights, np.broadcast_to(np.atleast_1d(floats(model, "intercept_")), (len(weights),))


def _made(model: Any, spelled: Spelled, ending: str, labels: tuple[str, ...], bound: str) -> Foreign:
    return Foreign(name_of(model), _columns(model), (), Formula(spelled), ending, labels, bound=bound)


def _columns(model: Any) -> int:
    return int(learned(model, "n_features_in_"))
