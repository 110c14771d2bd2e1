"""C99 field: how the parameters of a forest are written in C."""

from __future__ import annotations

from bimetal.targets.kernels.forest import ForestKernel
from bimetal.targets.name import spelled

KINDS = (
    "feature", "threshold", "link", "twig", "root", "values", "start",
    "crown_feature", "crown_threshold", "end", "stem", "cell_feature", "cell_threshold", "child",
)  # fmt: skip


def fields_of(kernel: ForestKernel) -> dict[str, str]:
    """Return how each parameter is written; a struct holds one element as it is, not as an array."""
    found = {kind: f"p->{spelled(f'{kernel.name}_{kind}')}" for kind in KINDS}
    if kernel.trees > 1:
        found |= {kind: f"{found[kind]}[t]" for kind in ("root", "start", "stem")}
    if kernel.cells == 1:
        found |= {kind: f"(&{found[kind]})" for kind in ("cell_feature", "cell_threshold")}
    return found
