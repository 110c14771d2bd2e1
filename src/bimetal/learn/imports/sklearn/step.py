"""Steps of a pipeline: scalers, imputers, selections, principal components."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bimetal.learn.imports.foreign import Columns, Mapped, Step, rows_of
from bimetal.learn.imports.look import Floats, floats, learned, name_of, refuse
from bimetal.nouns.errors import BadInput
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operators.impute import Impute
from bimetal.program.operators.linear import Linear
from bimetal.program.operators.pca import Pca
from bimetal.program.operators.standardise import Standardise
from bimetal.program.program import Draft


def step_of(step: Any, columns: int) -> tuple[Step | None, int]:
    """Return a step of a pipeline in our words (None for one that does nothing), and its columns out.

    Raises Unsupported for a step that cannot be brought over.
    """
    name = name_of(step)
    if name not in STEPS:
        raise refuse(step, "this kind of step is not known here", f"Use one of {', '.join(sorted(STEPS))}")
    return STEPS[name](step, columns)


def _standard(step: Any, columns: int) -> tuple[Step, int]:
    mean = floats(step, "mean_") if learned(step, "with_mean") else np.zeros(columns)
    scale = floats(step, "scale_") if learned(step, "with_std") else np.ones(columns)
    return _shifted(step, mean, scale), columns


def _robust(step: Any, columns: int) -> tuple[Step, int]:
    centre = floats(step, "center_") if learned(step, "with_centering") else np.zeros(columns)
    scale = floats(step, "scale_") if learned(step, "with_scaling") else np.ones(columns)
    return _shifted(step, centre, scale), columns


def _greatest(step: Any, columns: int) -> tuple[Step, int]:
    return _shifted(step, np.zeros(columns), floats(step, "scale_")), columns


def _shifted(step: Any, location: Floats, scale: Floats) -> Columns:
    """(x - location) / scale."""

    def spelled(draft: Draft, x: Node, name: str) -> Node:
        return Standardise(tuple(location.tolist()), tuple(scale.tolist()), name).trace(draft, x)

    return Columns(step.transform, spelled)


def _range(step: Any, columns: int) -> tuple[Step, int]:
    """x * scale + min, as (x - (-min / scale)) / (1 / scale); clipped if asked for."""
    scale, least = floats(step, "scale_"), floats(step, "min_")
    low, high = (float(v) for v in learned(step, "feature_range"))

    def spelled(draft: Draft, x: Node, name: str) -> Node:
        location, steps = tuple((-least / scale).tolist()), tuple((1 / scale).tolist())
        scaled = Standardise(location, steps, name).trace(draft, x)
        if not getattr(step, "clip", False):
            return scaled
        return letter.where(word.known(scaled), word.clip(scaled, low, high), scaled)

    return Columns(step.transform, spelled), columns


def _imputer(step: Any, columns: int) -> tuple[Step, int]:
    if getattr(step, "add_indicator", False):
        raise refuse(step, "it adds indicators of gaps", "Fit it without add_indicator")
    missing = learned(step, "missing_values")
    if not (isinstance(missing, float) and np.isnan(missing)):
        raise refuse(step, f"it takes {missing!r} for missing", "Use NaN for what is missing")
    filled = np.asarray(learned(step, "statistics_"), np.float64)
    if not np.isfinite(filled).all():
        raise refuse(step, "it leaves a column out that was all gaps", "Leave that column out before")
    value = tuple(filled.tolist())
    return Columns(step.transform, lambda draft, x, name: Impute(value, name).trace(draft, x)), columns


def _selected(step: Any, columns: int) -> tuple[Step, int]:
    """Keep the columns of a support mask."""
    kept = np.flatnonzero(np.asarray(step.get_support()))
    if not kept.size:
        raise BadInput("it keeps no column", where=name_of(step))
    index = kept.tolist()
    return Mapped(lambda draft, x, name: letter.gather(x, letter.const(index, "i32"))), len(kept)


def _components(step: Any, columns: int) -> tuple[Step, int]:
    rows, mean = floats(step, "components_"), floats(step, "mean_")
    if learned(step, "whiten"):
        rows = (
            rows / np.sqrt(np.maximum(floats(step, "explained_variance_"), np.finfo(np.float64).eps))[:, None]
        )
    made = Pca(tuple(mean.tolist()), rows_of(rows))
    return Mapped(lambda draft, x, name: made.trace(draft, x)), len(rows)


def _truncated(step: Any, columns: int) -> tuple[Step, int]:
    rows = floats(step, "components_")
    made = Linear(rows_of(rows), (0.0,) * len(rows), "svd")
    return Mapped(lambda draft, x, name: made.trace(draft, x)), len(rows)


def _nothing(step: Any, columns: int) -> tuple[None, int]:
    if name_of(step) == "FunctionTransformer" and step.func is not None:
        raise refuse(step, "its function is Python code", "Compute that before, or spell it as an operator")
    return None, columns


STEPS: dict[str, Callable[[Any, int], tuple[Step | None, int]]] = {
    "StandardScaler": _standard,
    "RobustScaler": _robust,
    "MaxAbsScaler": _greatest,
    "MinMaxScaler": _range,
    "SimpleImputer": _imputer,
    "VarianceThreshold": _selected,
    "SelectKBest": _selected,
    "SelectPercentile": _selected,
    "SelectFromModel": _selected,
    "PCA": _components,
    "TruncatedSVD": _truncated,
    "FunctionTransformer": _nothing,
}
