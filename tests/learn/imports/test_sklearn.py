"""Estimators of scikit-learn say the same as programs: the class of every row, scores within a bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bimetal.learn.imports.bring import bring
from bimetal.learn.imports.octet import octets_of
from bimetal.nouns.errors import BadInput, Unsupported
from bimetal.program.operators.octets import Octets
from tests.learn.imports.given import (
    TRAINED,
    Find,
    Table,
    answers,
    connections,
    differing,
    farthest,
    machines,
    rooms,
    targets_that_differ,
)

pytest.importorskip("sklearn", reason="needs scikit-learn, which is not installed here")

from sklearn import (
    cluster,
    covariance,
    decomposition,
    ensemble,
    feature_selection,
    linear_model,
    naive_bayes,
    neighbors,
    neural_network,
    preprocessing,
    svm,
    tree,
)
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "decision tree": lambda: tree.DecisionTreeClassifier(random_state=0),
    "random forest": lambda: ensemble.RandomForestClassifier(20, random_state=0),
    "random forest of small leaves": lambda: ensemble.RandomForestClassifier(
        10, min_samples_leaf=5, class_weight="balanced", random_state=0
    ),
    "extra trees": lambda: ensemble.ExtraTreesClassifier(10, max_depth=8, random_state=0),
    "extra tree": lambda: tree.ExtraTreeClassifier(max_depth=9, random_state=0),
    "gradient boosting": lambda: ensemble.GradientBoostingClassifier(n_estimators=20, random_state=0),
    "histogram boosting": lambda: ensemble.HistGradientBoostingClassifier(max_iter=20, random_state=0),
    "logistic regression": lambda: linear_model.LogisticRegression(max_iter=300),
    "net": lambda: neural_network.MLPClassifier((16, 8), max_iter=20, random_state=0),
    "bent net": lambda: neural_network.MLPClassifier((8,), activation="tanh", max_iter=20, random_state=0),
    "naive Bayes": lambda: naive_bayes.GaussianNB(),
}
REGRESSORS: dict[str, Callable[[], Any]] = {
    "decision tree": lambda: tree.DecisionTreeRegressor(max_depth=8, random_state=0),
    "random forest": lambda: ensemble.RandomForestRegressor(10, max_depth=8, random_state=0),
    "extra trees": lambda: ensemble.ExtraTreesRegressor(10, max_depth=8, random_state=0),
    "extra tree": lambda: tree.ExtraTreeRegressor(max_depth=9, random_state=0),
    "gradient boosting": lambda: ensemble.GradientBoostingRegressor(n_estimators=20, random_state=0),
    "histogram boosting": lambda: ensemble.HistGradientBoostingRegressor(max_iter=20, random_state=0),
    "histogram boosting of counts": lambda: ensemble.HistGradientBoostingRegressor(
        loss="poisson", max_iter=20, random_state=0
    ),
    "least squares": lambda: linear_model.LinearRegression(),
    "ridge": lambda: linear_model.Ridge(),
    "net": lambda: neural_network.MLPRegressor(hidden_layer_sizes=(16,), max_iter=20, random_state=0),
}
SCALERS: dict[str, Callable[[], Any]] = {
    "standard": lambda: preprocessing.StandardScaler(),
    "range": lambda: preprocessing.MinMaxScaler((-1, 1), clip=True),
    "robust": lambda: preprocessing.RobustScaler(),
    "greatest": lambda: preprocessing.MaxAbsScaler(),
}
TREES = ("decision tree", "random forest", "gradient boosting", "histogram boosting")


@pytest.fixture(scope="module", params=[machines, rooms], ids=["machines", "rooms"])
def table(request: pytest.FixtureRequest, data: Find) -> Table:
    """Real tables of a few signals."""
    return request.param(data)


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("classes", ["two", "three"])
def test_a_classifier_names_the_same_class_for_every_row(kind: str, classes: str, table: Table) -> None:
    model = make_pipeline(preprocessing.StandardScaler(), CLASSIFIERS[kind]())
    model.fit(table.x[:TRAINED], getattr(table, classes)[:TRAINED])
    brought = bring(model, table.names)
    assert differing(brought, model, table.x) == 0
    assert farthest(answers(brought, table.x)["score"], model.predict_proba(table.x)) < 2e-5
    assert not targets_that_differ(brought, table.x)


@pytest.mark.parametrize("kind", REGRESSORS)
def test_a_regressor_says_the_same_value(kind: str, table: Table) -> None:
    model = make_pipeline(preprocessing.StandardScaler(), REGRESSORS[kind]())
    model.fit(table.x[:TRAINED], table.much[:TRAINED])
    brought = bring(model, table.names)
    assert farthest(answers(brought, table.x)["value"], model.predict(table.x)) < 3e-6
    assert not targets_that_differ(brought, table.x)


@pytest.mark.parametrize("kind", SCALERS)
@pytest.mark.parametrize("trees", TREES)
def test_a_scaler_before_trees_becomes_part_of_them_exactly(kind: str, trees: str, data: Find) -> None:
    table = machines(data)
    model = make_pipeline(SCALERS[kind](), CLASSIFIERS[trees]())
    model.fit(table.x[:TRAINED], table.two[:TRAINED])
    brought = bring(model, table.names)
    assert not [p for p in brought.program.params if "location" in p.name]
    near = table.x[:2000].astype(np.float32)
    for x in (table.x, np.nextafter(near, np.float32(1e9)), np.nextafter(near, np.float32(-1e9))):
        assert differing(brought, model, np.asarray(x, np.float64)) == 0


@pytest.mark.parametrize("kind", SCALERS)
def test_a_scaler_before_a_formula_is_computed(kind: str, table: Table) -> None:
    model = make_pipeline(SCALERS[kind](), linear_model.LogisticRegression(max_iter=300))
    model.fit(table.x[:TRAINED], table.three[:TRAINED])
    brought = bring(model, table.names)
    assert differing(brought, model, table.x) == 0
    assert not targets_that_differ(brought, table.x)


@pytest.mark.parametrize("trees", TREES)
def test_a_missing_value_takes_the_way_it_takes_there(trees: str, table: Table) -> None:
    x = table.with_gaps()
    for fitted in (x, table.x):
        model = CLASSIFIERS[trees]() if trees != "gradient boosting" else _filled(CLASSIFIERS[trees]())
        model.fit(fitted[:TRAINED], table.three[:TRAINED])
        brought = bring(model, table.names)
        assert differing(brought, model, x) == 0
    assert not targets_that_differ(brought, x)


@pytest.mark.parametrize("kind", ["random forest", "net"])
def test_an_imputer_fills_before_whatever_follows(kind: str, table: Table) -> None:
    x = table.with_gaps()
    model = _filled(CLASSIFIERS[kind]()).fit(x[:TRAINED], table.two[:TRAINED])
    assert differing(bring(model, table.names), model, x) == 0


def _filled(model: Any) -> Any:
    return make_pipeline(SimpleImputer(strategy="median"), preprocessing.StandardScaler(), model)


def test_without_gaps_trees_get_smaller_and_say_the_same(data: Find) -> None:
    table = machines(data)
    model = CLASSIFIERS["random forest"]().fit(table.x[:TRAINED], table.two[:TRAINED])
    brought = bring(model, table.names, gaps=False)
    assert differing(brought, model, table.x) == 0
    assert len(brought.values["bins_gap"]) < len(bring(model, table.names).values["bins_gap"])


@pytest.mark.parametrize("options", [{}, {"max_samples": 64, "max_features": 0.6, "contamination": 0.05}])
def test_an_isolation_forest_gives_the_same_scores_and_outliers(options: Any, table: Table) -> None:
    model = make_pipeline(
        preprocessing.StandardScaler(), ensemble.IsolationForest(n_estimators=50, random_state=0, **options)
    ).fit(table.x[:TRAINED])
    brought = bring(model, table.names)
    found = answers(brought, table.x)
    expected = -model.score_samples(table.x)
    assert np.abs(found["score"] - expected).max() < 1e-6
    sure = np.abs(expected + model[-1].offset_) > 1e-6
    assert sure.mean() > 0.99
    assert (found["outlier"] == (model.predict(table.x) == -1))[sure].all()
    assert not targets_that_differ(brought, table.x)


def test_an_envelope_gives_the_same_distances_and_outliers(table: Table) -> None:
    model = make_pipeline(preprocessing.StandardScaler(), covariance.EllipticEnvelope(random_state=0))
    model.fit(table.x[:TRAINED])
    brought = bring(model, table.names)
    found, expected = answers(brought, table.x), -model.score_samples(table.x)
    assert np.max(np.abs(found["score"] - expected) / (1 + expected)) < 1e-3
    assert (found["outlier"] != (model.predict(table.x) == -1)).sum() <= 1
    assert not targets_that_differ(brought, table.x)


def test_centres_claim_the_same_rows(table: Table) -> None:
    model = make_pipeline(preprocessing.StandardScaler(), cluster.KMeans(6, random_state=0, n_init=2))
    model.fit(table.x[:TRAINED])
    brought = bring(model, table.names)
    assert differing(brought, model, table.x) == 0
    assert farthest(answers(brought, table.x)["distance"], model.transform(table.x)) < 1e-5
    assert not targets_that_differ(brought, table.x)


def test_neighbours_are_asked_alike(table: Table) -> None:
    model = make_pipeline(preprocessing.StandardScaler(), neighbors.KNeighborsClassifier(5))
    model.fit(table.x[:TRAINED:12], table.three[:TRAINED:12])
    brought = bring(model, table.names)
    assert differing(brought, model, table.x) <= len(table.x) // 2000, "equal distances may be told apart"
    assert not targets_that_differ(brought, table.x)


@pytest.mark.parametrize("whiten", [False, True])
def test_components_are_the_same(whiten: bool, table: Table) -> None:
    model = make_pipeline(preprocessing.StandardScaler(), decomposition.PCA(3, whiten=whiten)).fit(table.x)
    brought = bring(model, table.names)
    assert farthest(answers(brought, table.x)["value"], model.transform(table.x)) < 3e-6
    assert not targets_that_differ(brought, table.x)


def test_many_columns_some_of_them_dropped(data: Find) -> None:
    table = connections(data)
    model = make_pipeline(feature_selection.VarianceThreshold(1e-6), CLASSIFIERS["random forest"]()).fit(
        table.x[:TRAINED], table.two[:TRAINED]
    )
    brought = bring(model, table.names)
    assert differing(brought, model, table.x) == 0


def test_trees_trained_on_octets_lose_nothing(data: Find) -> None:
    table = connections(data)
    low, high = table.x.min(axis=0), table.x.max(axis=0) + 1e-3
    octets = Octets(tuple(low.tolist()), tuple(high.tolist()))
    trained_on = octets_of(octets, table.x)
    assert trained_on.dtype == np.uint8
    model = CLASSIFIERS["random forest"]().fit(trained_on[:TRAINED], table.three[:TRAINED])
    brought = bring(model, table.names, octets=octets)
    assert (answers(brought, table.x)["label"] == np.argmax(model.predict_proba(trained_on), axis=1)).all()
    assert "forest_threshold" in brought.values
    assert brought.values["forest_threshold"].dtype == np.uint8
    whole = bring(model, table.names, octets=Octets(), vector=True)
    assert (answers(whole, trained_on) == answers(brought, table.x)).all()
    assert not targets_that_differ(whole, trained_on)


def test_votes_are_those_of_the_trees(data: Find) -> None:
    table = machines(data)
    model = CLASSIFIERS["random forest of small leaves"]().fit(table.x[:TRAINED], table.three[:TRAINED])
    brought = bring(model, table.names, votes=True)
    each = np.stack([t.predict(table.x).astype(int) for t in model.estimators_])
    votes = np.stack([(each == k).sum(axis=0) for k in range(3)], axis=1)
    assert (answers(brought, table.x)["label"] == np.argmax(votes, axis=1)).all()
    assert farthest(answers(brought, table.x)["score"], votes / 10) < 1e-6


def test_a_search_gives_its_best(data: Find) -> None:
    table = machines(data)
    model = GridSearchCV(tree.DecisionTreeClassifier(random_state=0), {"max_depth": [2, 4]}, cv=2)
    model.fit(table.x[:1000], table.two[:1000])
    assert differing(bring(model, table.names), model, table.x) == 0


def test_the_parameters_of_another_fit_fit_the_same_program_of_a_linear_model(data: Find) -> None:
    table = machines(data)
    one, other = (
        bring(linear_model.LogisticRegression(max_iter=50).fit(table.x[k::2], table.two[k::2]), table.names)
        for k in (0, 1)
    )
    assert one.program.params == other.program.params


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (svm.SVC(), "SVC.*cannot be brought over.*RandomForest"),
        (DummyClassifier(), "DummyClassifier.*not known here.*Use one of"),
        (make_pipeline(preprocessing.PolynomialFeatures(), linear_model.Ridge()), "PolynomialFeatures"),
        (make_pipeline(preprocessing.FunctionTransformer(np.log1p), linear_model.Ridge()), "Python code"),
        (make_pipeline(SimpleImputer(add_indicator=True), linear_model.Ridge()), "indicators of gaps"),
        (neighbors.KNeighborsClassifier(3, weights="distance"), "weights='uniform'"),
        (
            ensemble.GradientBoostingClassifier(n_estimators=2, init=tree.DecisionTreeClassifier()),
            "without init",
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else type(v).__name__,
)
def test_what_cannot_be_brought_is_refused_by_name(model: Any, says: str) -> None:
    x = np.abs(np.random.default_rng(0).normal(size=(40, 3)))
    model.fit(np.where(x > 2.5, np.nan, x) if "indicators" in says else x, np.arange(40) % 2)
    with pytest.raises(Unsupported, match=says):
        bring(model, ("a", "b", "c"))


def test_splits_by_category_are_refused() -> None:
    x = np.random.default_rng(0).integers(0, 5, (200, 2)).astype(float)
    model = ensemble.HistGradientBoostingClassifier(categorical_features=[0], max_iter=5).fit(x, x[:, 0] == 3)
    with pytest.raises(Unsupported, match="by category"):
        bring(model, ("a", "b"))


def test_several_questions_at_once_are_refused() -> None:
    x = np.random.default_rng(0).normal(size=(40, 2))
    model = ensemble.RandomForestRegressor(2).fit(x, x)
    with pytest.raises(Unsupported, match="several questions"):
        bring(model, ("a", "b"))


def test_what_was_not_fitted_is_refused() -> None:
    with pytest.raises(BadInput, match=r"RandomForestClassifier.*not fitted"):
        bring(ensemble.RandomForestClassifier(), ("a",))


def test_signals_must_be_as_many_as_columns() -> None:
    x = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.raises(BadInput, match="2 columns, but 3 signals"):
        bring(linear_model.LinearRegression().fit(x, x[:, 0]), ("a", "b", "c"))


def test_nobody_knows_a_stranger() -> None:
    with pytest.raises(Unsupported, match=r"object.*lightgbm, onnx, sklearn, torch, xgboost"):
        bring(object(), ("a",))
