"""The importer of scikit-learn: pipelines, and which estimator is read by whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bimetal.learn.imports.foreign import VALUE, Foreign, Formula, Step
from bimetal.learn.imports.importer import importer_of
from bimetal.learn.imports.look import learned, name_of, refuse
from bimetal.learn.imports.sklearn import formula, histogram, tree
from bimetal.learn.imports.sklearn.step import STEPS, step_of

SEARCHES = ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV")


class Sklearn:
    """Fitted estimators and pipelines of scikit-learn."""

    def recognises(self, model: Any) -> bool:
        """Say whether an object's class is one of scikit-learn's own."""
        return type(model).__module__.split(".")[0] == "sklearn"

    def read(self, model: Any) -> Foreign:
        """Return an estimator in our words; raises Unsupported or BadInput, naming the estimator."""
        name = name_of(model)
        if name == "Pipeline":
            return self._pipeline(model)
        if name in SEARCHES:
            return self.read(learned(model, "best_estimator_"))
        if name in ESTIMATORS:
            return ESTIMATORS[name](model)
        if name in STEPS:
            return self._transformer([model], name)
        known = f"Use one of {', '.join(sorted(ESTIMATORS))}"
        raise refuse(model, "this estimator is not known here", INSTEAD.get(name, known))

    def _pipeline(self, model: Any) -> Foreign:
        parts = [part for _, part in model.steps if part is not None and part != "passthrough"]
        if not parts:
            raise refuse(model, "it does nothing", "Put an estimator at its end")
        *before, last = parts
        if name_of(last) in STEPS:
            return self._transformer(parts, "Pipeline")
        inner = importer_of(last).read(last)
        if not before:
            return inner
        return replace(inner, columns=_columns(before[0]), steps=(*_steps(before), *inner.steps))

    def _transformer(self, parts: Sequence[Any], title: str) -> Foreign:
        """A pipeline that ends in a step gives the columns that come out of it."""
        bound = "values within 2**-20 of the greatest"
        nothing = Formula(lambda draft, x: x)
        return Foreign(title, _columns(parts[0]), _steps(parts), nothing, VALUE, bound=bound)


def _columns(step: Any) -> int:
    return int(learned(step, "n_features_in_"))


def _steps(parts: Sequence[Any]) -> tuple[Step, ...]:
    columns = _columns(parts[0])
    found: list[Step] = []
    for part in parts:
        step, columns = step_of(part, columns)
        found += [step] if step is not None else []
    return tuple(found)


ESTIMATORS: dict[str, Callable[[Any], Foreign]] = {
    "DecisionTreeClassifier": tree.classifier,
    "DecisionTreeRegressor": tree.regressor,
    "ExtraTreeClassifier": tree.classifier,
    "ExtraTreeRegressor": tree.regressor,
    "ExtraTreesClassifier": tree.classifier,
    "ExtraTreesRegressor": tree.regressor,
    "RandomForestClassifier": tree.classifier,
    "RandomForestRegressor": tree.regressor,
    "GradientBoostingClassifier": tree.boosting,
    "GradientBoostingRegressor": tree.boosting,
    "HistGradientBoostingClassifier": histogram.boosting,
    "HistGradientBoostingRegressor": histogram.boosting,
    "IsolationForest": tree.isolation,
    "LogisticRegression": formula.linear_classifier,
    "LogisticRegressionCV": formula.linear_classifier,
    "LinearRegression": formula.linear_regressor,
    "Ridge": formula.linear_regressor,
    "RidgeCV": formula.linear_regressor,
    "Lasso": formula.linear_regressor,
    "ElasticNet": formula.linear_regressor,
    "BayesianRidge": formula.linear_regressor,
    "HuberRegressor": formula.linear_regressor,
    "MLPClassifier": formula.neural_net,
    "MLPRegressor": formula.neural_net,
    "GaussianNB": formula.bayes,
    "KMeans": formula.centres,
    "MiniBatchKMeans": formula.centres,
    "KNeighborsClassifier": formula.neighbours,
    "EllipticEnvelope": formula.envelope,
}

INSTEAD = {
    "SVC": "Use LogisticRegression, RandomForestClassifier or MLPClassifier: kernels keep too many rows",
    "SVR": "Use RandomForestRegressor or MLPRegressor: kernels keep too many rows",
    "OneClassSVM": "Use IsolationForest or EllipticEnvelope: kernels keep too many rows",
    "LocalOutlierFactor": "Use IsolationForest or EllipticEnvelope: it keeps all its rows",
    "LinearSVC": "Use LogisticRegression: the same kind of plane, with shares of the classes",
    "DBSCAN": "Use KMeans: it can tell where a new row belongs",
    "ColumnTransformer": "Put the columns in order before, and use one step for all of them",
}

SKLEARN = Sklearn()
