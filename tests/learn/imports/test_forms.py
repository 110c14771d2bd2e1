"""Models of trees come over in every form and with narrow leaves: the same ways, sums within what is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bimetal.learn.imports.bring import Brought, bring
from bimetal.nouns.errors import BadInput, BadProgram
from bimetal.program.operators.octets import Octets
from tests.learn.imports.given import answers

pytest.importorskip("sklearn", reason="needs scikit-learn, which is not installed here")

from sklearn import ensemble
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

NAMES = ["a", "b", "c", "d"]
RNG = np.random.default_rng(3)
X = RNG.integers(0, 256, (900, 4)).astype(np.uint8)
Y = (X[:, 0].astype(int) + X[:, 1] > 255).astype(int) + (X[:, 2] > 200)
MUCH = 40 * np.sin(X[:, 0] / 40) + X[:, 1] * 0.3 + RNG.normal(size=len(X))

MODELS: dict[str, Callable[[], Any]] = {
    "forest": lambda: ensemble.RandomForestClassifier(9, max_depth=6, random_state=0).fit(X, Y),
    "forest of numbers": lambda: ensemble.RandomForestRegressor(9, max_depth=6, random_state=0).fit(X, MUCH),
    "extra trees of numbers": lambda: ensemble.ExtraTreesRegressor(9, max_depth=6, random_state=0).fit(
        X, MUCH
    ),
    "boosting of three classes": lambda: ensemble.GradientBoostingClassifier(
        n_estimators=8, max_depth=4, random_state=0
    ).fit(X, Y),
    "boosting of numbers": lambda: ensemble.GradientBoostingRegressor(
        n_estimators=9, max_depth=4, random_state=0
    ).fit(X, MUCH),
    "isolation": lambda: ensemble.IsolationForest(n_estimators=9, random_state=0).fit(X),
    "pipeline": lambda: make_pipeline(
        StandardScaler(), ensemble.RandomForestClassifier(9, max_depth=6, random_state=0)
    ).fit(X, Y),
}


def brought(kind: str, **more: Any) -> Brought:
    octets = None if kind == "pipeline" else Octets()
    return bring(MODELS[kind](), NAMES, octets=octets, vector=True, **more)


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("form", ["crown-2", "crown-4", "crown-6"])
def test_a_model_says_the_same_in_every_form(kind: str, form: str) -> None:
    assert answers(brought(kind, form=form), X).tobytes() == answers(brought(kind), X).tobytes()


def test_votes_have_room_in_three_bytes_a_split() -> None:
    small, usual = brought("forest", votes=True, form="short"), brought("forest", votes=True)
    assert answers(small, X).tobytes() == answers(usual, X).tobytes()
    sizes = [sum(np.asarray(v).nbytes for v in b.values.values()) for b in (small, usual)]
    assert sizes[0] < 0.8 * sizes[1]


def moved(bound: str) -> float:
    """By how much a bound says that narrow leaves move a sum."""
    found = re.search(r"leaves of \d+ bits move the sum by (\S+) more", bound)
    assert found, bound
    return float(found[1])


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", ["forest of numbers", "extra trees of numbers", "boosting of numbers"])
def test_narrow_leaves_move_a_sum_by_no_more_than_is_told(kind: str, bits: int) -> None:
    made, model = brought(kind, leaf_bits=bits), MODELS[kind]()
    off = np.abs(answers(made, X)["value"].reshape(-1) - model.predict(X)).max()
    told = moved(made.bound)
    assert off <= told * 1.06 + 1e-3
    assert off > told / 300, "the bound says nothing"
    assert np.asarray(made.values["forest_values"]).itemsize * 8 == bits


@pytest.mark.parametrize("bits", [8, 16])
def test_a_class_differs_only_where_sums_are_that_near(bits: int) -> None:
    made, model = brought("boosting of three classes", leaf_bits=bits), MODELS["boosting of three classes"]()
    raw = np.sort(model.decision_function(X), axis=1)
    sure = raw[:, -1] - raw[:, -2] > 2 * moved(made.bound) * 1.06 + 1e-5
    assert sure.mean() > (0.3 if bits == 8 else 0.95)
    assert (answers(made, X)["label"] == model.predict(X))[sure].all()


def test_an_isolation_forest_of_narrow_ways() -> None:
    made, model = brought("isolation", leaf_bits=16), MODELS["isolation"]()
    assert np.asarray(made.values["isolation_values"]).dtype == np.int16
    assert np.abs(answers(made, X)["score"] + model.score_samples(X)).max() < 1e-3


def test_leaves_of_32_bits_need_no_word() -> None:
    assert "bits" not in brought("boosting of numbers").bound


@pytest.mark.parametrize("bits", [0, 7, 31, 64, "16"])
def test_other_bits_are_refused(bits: Any) -> None:
    with pytest.raises(BadInput, match="bits"):
        brought("forest", leaf_bits=bits)


def test_a_form_without_room_is_refused() -> None:
    with pytest.raises(BadProgram, match="leaves are numbered"):
        brought("forest of numbers", form="short")
    with pytest.raises(BadProgram, match="no form"):
        brought("forest", form="bush")
