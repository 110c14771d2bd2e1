"""Look: what a foreign object calls itself, and its fitted attributes, with refusals that say what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput, Unsupported

Floats = NDArray[np.float64]


def name_of(model: Any) -> str:
    """Return the name of a foreign object's class."""
    return type(model).__name__


def comes_from(model: Any, package: str) -> bool:
    """Say whether an object's class, or one it is made from, is defined in a package."""
    return any(c.__module__.split(".")[0] == package for c in type(model).__mro__)


def learned(model: Any, attribute: str) -> Any:
    """Return a fitted attribute; raises BadInput where there is none."""
    if not hasattr(model, attribute):
        raise BadInput(f"it has no {attribute}: it was not fitted", where=name_of(model), hint="Fit it first")
    return getattr(model, attribute)


def floats(model: Any, attribute: str) -> Floats:
    """Return a fitted attribute as numbers; raises BadInput where there is none, or one is not finite."""
    found = np.asarray(learned(model, attribute), np.float64)
    if not np.isfinite(found).all():
        raise BadInput(f"a number of its {attribute} is not finite", where=name_of(model), hint="Fit it anew")
    return found


def refuse(model: Any, reason: str, instead: str) -> Unsupported:
    """Return the refusal of an object: why it cannot be brought over, and what can."""
    where = model if isinstance(model, str) else name_of(model)
    return Unsupported(f"it cannot be brought over: {reason}", where=where, hint=instead)


def labels_of(model: Any) -> tuple[str, ...]:
    """Return the names of a classifier's classes, in their order."""
    return tuple(str(c) for c in np.asarray(learned(model, "classes_")).tolist())
