"""Boosters of LightGBM say the same as programs, missing values and all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bimetal.learn.imports.bring import bring
from bimetal.nouns.errors import Unsupported
from tests.learn.imports.given import (
    TRAINED,
    Find,
    answers,
    differing,
    farthest,
    machines,
    targets_that_differ,
)

lightgbm = pytest.importorskip("lightgbm", reason="needs LightGBM, which is not installed here")
pytest.importorskip("sklearn", reason="needs scikit-learn, which LightGBM's estimators stand on")

QUIET = {"verbose": -1, "n_jobs": 1, "n_estimators": 20}


@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "with gaps"])
@pytest.mark.parametrize("classes", ["two", "three"])
@pytest.mark.parametrize(
    "options",
    [{}, {"boosting_type": "rf", "subsample": 0.7, "subsample_freq": 1}, {"boosting_type": "dart"}],
    ids=["gbdt", "rf", "dart"],
)
def test_a_classifier_names_the_same_class_for_every_row(
    classes: str, gaps: bool, options: Any, data: Find
) -> None:
    table = machines(data)
    x = table.with_gaps() if gaps else table.x
    model = lightgbm.LGBMClassifier(**QUIET, **options).fit(x[:TRAINED], getattr(table, classes)[:TRAINED])
    brought = bring(model, table.names)
    assert differing(brought, model, x) == 0
    assert farthest(answers(brought, x)["score"], model.predict_proba(x)) < 2e-6
    assert not targets_that_differ(brought, x)


@pytest.mark.parametrize("objective", ["regression", "poisson", "quantile", "huber"])
def test_a_regressor_says_the_same_value(objective: str, data: Find) -> None:
    table = machines(data)
    x = table.with_gaps()
    model = lightgbm.LGBMRegressor(objective=objective, **QUIET).fit(x[:TRAINED], table.much[:TRAINED])
    brought = bring(model, table.names)
    assert farthest(answers(brought, x)["value"], model.predict(x)) < 2e-6
    assert not targets_that_differ(brought, x)


def test_a_saved_text_is_a_model_too(data: Find) -> None:
    table = machines(data)
    model = lightgbm.LGBMClassifier(**QUIET).fit(table.x[:TRAINED], table.two[:TRAINED])
    for form in (model.booster_, model.booster_.model_to_string()):
        assert (
            answers(bring(form, table.names), table.x) == answers(bring(model, table.names), table.x)
        ).all()


def test_a_model_that_stopped_early_counts_up_to_its_best(data: Find) -> None:
    table = machines(data)
    model = lightgbm.LGBMClassifier(verbose=-1, n_jobs=1, n_estimators=200)
    model.fit(
        table.x[:TRAINED],
        table.two[:TRAINED],
        eval_set=[(table.x[TRAINED:], table.two[TRAINED:])],
        callbacks=[lightgbm.early_stopping(3, verbose=False)],
    )
    assert model.best_iteration_ < 200
    assert differing(bring(model, table.names), model, table.x) == 0


@pytest.mark.parametrize(
    ("options", "fit", "says"),
    [
        ({"zero_as_missing": True}, {}, "zero counts as missing"),
        ({"linear_tree": True}, {}, "linear models"),
        ({}, {"categorical_feature": [0]}, "by category"),
        ({"objective": "cross_entropy_lambda"}, {}, "objective"),
    ],
)
def test_what_cannot_be_brought_is_refused(options: Any, fit: Any, says: str) -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.integers(0, 6, 500), rng.normal(size=500)]).astype(float)
    data = lightgbm.Dataset(x, label=(x[:, 0] == 3) | (x[:, 1] > 0), free_raw_data=False, **fit)
    model = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1, **options}, data, 5)
    with pytest.raises(Unsupported, match=says):
        bring(model, ("a", "b"))
