"""Boosters of XGBoost say the same as programs, from JSON and from UBJSON, missing values and all."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from bimetal.learn.imports.bring import bring
from bimetal.nouns.errors import BadInput, Unsupported
from tests.learn.imports.given import (
    TRAINED,
    Find,
    answers,
    differing,
    farthest,
    machines,
    targets_that_differ,
)

xgboost = pytest.importorskip("xgboost", reason="needs XGBoost, which is not installed here")
pytest.importorskip("sklearn", reason="needs scikit-learn, which XGBoost's estimators stand on")

FEW = {"n_estimators": 20, "n_jobs": 1}


@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "with gaps"])
@pytest.mark.parametrize("classes", ["two", "three"])
@pytest.mark.parametrize(
    "options",
    [{}, {"num_parallel_tree": 3, "subsample": 0.5}, {"booster": "dart", "rate_drop": 0.3}],
    ids=["gbtree", "parallel", "dart"],
)
def test_a_classifier_names_the_same_class_for_every_row(
    classes: str, gaps: bool, options: Any, data: Find
) -> None:
    table = machines(data)
    x = table.with_gaps() if gaps else table.x
    y = np.unique(getattr(table, classes), return_inverse=True)[1]
    model = xgboost.XGBClassifier(**FEW, **options).fit(x[:TRAINED], y[:TRAINED])
    brought = bring(model, table.names)
    assert differing(brought, model, x) == 0
    assert farthest(answers(brought, x)["score"], model.predict_proba(x)) < 2e-6
    assert not targets_that_differ(brought, x)


@pytest.mark.parametrize("objective", ["reg:squarederror", "count:poisson", "reg:absoluteerror"])
def test_a_regressor_says_the_same_value(objective: str, data: Find) -> None:
    table = machines(data)
    x = table.with_gaps()
    model = xgboost.XGBRegressor(objective=objective, **FEW).fit(x[:TRAINED], table.much[:TRAINED])
    brought = bring(model, table.names)
    assert farthest(answers(brought, x)["value"], model.predict(x)) < 4e-6
    assert not targets_that_differ(brought, x)


@pytest.mark.parametrize("form", ["json", "ubj"])
def test_a_saved_model_is_a_model_too(form: str, data: Find) -> None:
    table = machines(data)
    model = xgboost.XGBClassifier(**FEW).fit(table.x[:TRAINED], table.two[:TRAINED])
    expected = answers(bring(model, table.names), table.x)
    saved = bytes(model.get_booster().save_raw(form))
    forms: list[Any] = [saved, model.get_booster()] + ([json.loads(saved)] if form == "json" else [])
    for given in forms:
        assert (answers(bring(given, table.names), table.x) == expected).all()


def test_a_model_that_stopped_early_counts_up_to_its_best(data: Find) -> None:
    table = machines(data)
    model = xgboost.XGBClassifier(n_estimators=200, n_jobs=1, early_stopping_rounds=3)
    held_out = [(table.x[TRAINED:], table.two[TRAINED:])]
    model.fit(table.x[:TRAINED], table.two[:TRAINED], eval_set=held_out, verbose=False)
    assert model.best_iteration < 190
    assert differing(bring(model, table.names), model, table.x) == 0


@pytest.mark.parametrize(
    ("options", "says"), [({"booster": "gblinear"}, "gblinear"), ({"objective": "binary:hinge"}, "hinge")]
)
def test_what_cannot_be_brought_is_refused(options: Any, says: str) -> None:
    x = np.random.default_rng(0).normal(size=(100, 2))
    model = xgboost.XGBClassifier(**FEW, **options).fit(x, x[:, 0] > 0)
    with pytest.raises(Unsupported, match=says):
        bring(model, ("a", "b"))


def test_bytes_that_are_cut_off_are_refused() -> None:
    x = np.random.default_rng(0).normal(size=(100, 2))
    saved = bytes(xgboost.XGBClassifier(**FEW).fit(x, x[:, 0] > 0).get_booster().save_raw("ubj"))
    with pytest.raises(BadInput, match="neither JSON nor UBJSON"):
        bring(saved[: len(saved) // 2], ("a", "b"))
