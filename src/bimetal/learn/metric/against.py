"""Against: detectors of other libraries on the same rows, fitted on the same stretch, never looking ahead.

What has no notion of time (pyod, scikit-learn) sees each row alone, standardised by the stretch it learns
from. Thresholds are those that each brings; one that brings none begins where a promised part of the rows
it learned from lies above.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.metric.baseline import Opinion
from bimetal.learn.metric.curve import Scores
from bimetal.nouns.errors import BadInput, Unsupported

SETTLED = 250
"""Readings after which a streaming detector is taken at its word, as its window is as long."""
LOOKS_AHEAD = "(looks ahead)"
"""In the name of what ranks a row among all that it is asked about, those that come later among them."""
Judge = Callable[[Scores, int, float, int], Opinion]
"""From values (n, signals), how many first rows to learn from, the promised rate a row, and a seed."""


def asked_of(text: str) -> dict[str, Judge]:
    """Return the detectors of the libraries named, commas between, by a name for each.

    Raises BadInput for a library not known here, and Unsupported for one that is not installed.
    """
    found: dict[str, Judge] = {}
    for name in dict.fromkeys(part.strip().casefold() for part in text.split(",") if part.strip()):
        name = "scikit-learn" if name == "sklearn" else name
        if name not in LIBRARIES:
            raise BadInput(f"{name!a} is not compared with", hint=f"There are: {', '.join(LIBRARIES)}")
        try:
            import_module("sklearn" if name == "scikit-learn" else name)
        except ImportError:
            raise Unsupported(
                f"{name} is not installed", where="--against", hint="pip install bimetal[compare]"
            ) from None
        found |= LIBRARIES[name]
    return found


def _trees(values: Scores, learn: int, rate: float, seed: int) -> Opinion:
    """The half-space trees of river, on values put between 0 and 1 by what was learned from."""
    known = values[: max(learn, 1)]
    low, high = known.min(axis=0), known.max(axis=0)
    unit = np.clip((values - low) / np.where(high > low, high - low, 1.0), 0, 1)
    model: Any = import_module("river.anomaly").HalfSpaceTrees(seed=seed)
    score = np.zeros(len(values))
    rows: list[list[float]] = unit.tolist()
    for k, row in enumerate(rows):
        seen = dict(enumerate(row))
        score[k] = model.score_one(seen)
        model.learn_one(seen)
    own = score[min(SETTLED, learn // 2) : learn]
    return Opinion(score, score > (np.quantile(own, 1 - rate) if len(own) else 1.0))


def _pyod(name: str) -> Judge:
    def judge(values: Scores, learn: int, rate: float, seed: int) -> Opinion:
        made = getattr(import_module(f"pyod.models.{name.lower()}"), name)
        model: Any = made(random_state=seed) if name == "IForest" else made()
        rows = _standardised(values, learn)
        model.fit(rows[:learn])
        score = np.asarray(model.decision_function(rows), np.float64)
        return Opinion(score, score > float(model.threshold_))

    return judge


def _sklearn(module: str, name: str, **how: Any) -> Judge:
    def judge(values: Scores, learn: int, rate: float, seed: int) -> Opinion:
        seeded = how if name == "LocalOutlierFactor" else how | {"random_state": seed}
        model: Any = getattr(import_module(f"sklearn.{module}"), name)(**seeded)
        rows = _standardised(values, learn)
        model.fit(rows[:learn])
        score = -np.asarray(model.decision_function(rows), np.float64)
        return Opinion(score, score > 0)

    return judge


def _standardised(values: Scores, learn: int) -> NDArray[np.float64]:
    known = values[:learn]
    spread = known.std(axis=0)
    return (values - known.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


LIBRARIES: Mapping[str, Mapping[str, Judge]] = {
    "river": {"river half-space trees": _trees},
    "pyod": {f"pyod ECOD {LOOKS_AHEAD}": _pyod("ECOD"), "pyod IForest": _pyod("IForest")},
    "scikit-learn": {
        "scikit-learn IsolationForest": _sklearn("ensemble", "IsolationForest"),
        "scikit-learn LocalOutlierFactor": _sklearn("neighbors", "LocalOutlierFactor", novelty=True),
        "scikit-learn EllipticEnvelope": _sklearn("covariance", "EllipticEnvelope"),
    },
}
