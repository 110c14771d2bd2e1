"""Grove: what forests cost in emitted C, form by form: bytes of code, and instructions at worst.

Counted by kind, like all else in kind.py, but fitted apart: bench/grove.py compiles and runs forests of
complete trees in every form and prints the tables. At worst every tree takes all turns of the deepest one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from bimetal.program.grove import LINKS, SHORT
from bimetal.targets.kernels.c99_crown import MOST_WRITTEN
from bimetal.targets.kernels.forest import ForestKernel
from bimetal.targets.loops import Call, For, If, Lowered, Stage, Stmt

Kinds = Counter[str]


def grove_bytes(lowered: Lowered, figures: str) -> float:
    """Return the bytes of code of all forests of a program, library included."""
    return _of(CODE[figures], written_groves(lowered))


def grove_work(stage: Stage, figures: str) -> float:
    """Return the instructions that forests take in one firing of a stage, at worst."""
    return _of(WORK[figures], done_groves(stage))


def _of(rates: Mapping[str, float], kinds: Kinds) -> float:
    return sum(rates.get(kind, 0.0) * often for kind, often in kinds.items())


def written_groves(lowered: Lowered) -> Kinds:
    """Count by kind what of forests costs bytes."""
    found: Kinds = Counter()
    for kernel in {k: None for stage in lowered.stages for k, _ in _kernels(stage.body)}:
        of = _dtype(kernel)
        found[f"{_form(kernel)} {of}"] += 1
        found[_ending(kernel)] += 1
        found[f"level {of}"] += kernel.levels
        if kernel.levels and kernel.turns:
            found[f"cells {of}"] += 1
            found[f"cell {of}"] += kernel.turns if kernel.turns <= MOST_WRITTEN else 1
    return found


def done_groves(stage: Stage) -> Kinds:
    """Count by kind what forests do in one firing, at worst."""
    found: Kinds = Counter()
    for kernel, turns in _kernels(stage.body):
        trees, of = kernel.trees * turns, _dtype(kernel)
        found["forest"] += turns
        found[f"{_form(kernel)} tree"] += trees
        found[_ending(kernel)] += trees
        if not kernel.levels:
            found[f"{kernel.form} {of} split"] += trees * kernel.turns
            continue
        found[f"level {of}"] += trees * kernel.levels
        if kernel.turns:
            found["cells"] += trees
            found[f"cell {of}"] += trees * kernel.turns
    return found


def _kernels(body: tuple[Stmt, ...], turns: int = 1) -> Iterator[tuple[ForestKernel, int]]:
    """Yield every forest with how often it is asked."""
    for statement in body:
        if isinstance(statement, Call) and isinstance(statement.kernel, ForestKernel):
            yield statement.kernel, turns
        elif isinstance(statement, For):
            yield from _kernels(statement.body, turns * statement.count)
        elif isinstance(statement, If):
            yield from _kernels(statement.body, turns)


def _form(kernel: ForestKernel) -> str:
    return kernel.form if kernel.form in (LINKS, SHORT) else "places" if kernel.in_places else "crown"


def _dtype(kernel: ForestKernel) -> str:
    return "octets" if kernel.dtype == "u8" else "floats"


def _ending(kernel: ForestKernel) -> str:
    """Return how what a leaf stands for is added up."""
    if kernel.rows:
        return "sum" if kernel.outputs == 1 else "sums"
    return "pair" if kernel.leaves == kernel.outputs == 2 else "vote"


CODE: Mapping[str, Mapping[str, float]] = {
    "cortex-m0plus": {
        "cell floats": 58.0,
        "cell octets": 55.7,
        "cells floats": 88.4,
        "crown floats": 489.3,
        "level floats": 37.6,
        "level octets": 12.6,
        "links floats": 757.9,
        "links octets": 136.3,
        "places floats": 488.8,
        "short floats": 832.3,
        "short octets": 154.3,
        "sum": 9.0,
        "sums": 227.8,
        "vote": 182.8,
    },
    "cortex-m3": {
        "cell floats": 60.8,
        "cell octets": 48.9,
        "cells floats": 55.9,
        "cells octets": 25.7,
        "crown floats": 316.4,
        "crown octets": 19.4,
        "level floats": 41.2,
        "level octets": 26.7,
        "links floats": 517.4,
        "links octets": 126.9,
        "places floats": 246.6,
        "short floats": 616.1,
        "short octets": 154.1,
        "sum": 40.9,
        "sums": 87.8,
        "vote": 159.3,
    },
    "cortex-m4": {
        "cell floats": 76.0,
        "cell octets": 48.4,
        "cells floats": 35.7,
        "cells octets": 28.9,
        "crown floats": 44.1,
        "crown octets": 21.1,
        "level floats": 47.5,
        "level octets": 27.3,
        "links floats": 209.7,
        "links octets": 137.9,
        "short floats": 241.0,
        "short octets": 160.1,
        "sum": 37.8,
        "sums": 85.6,
        "vote": 155.8,
    },
    "rv32imc": {
        "cell floats": 56.2,
        "cell octets": 50.4,
        "cells floats": 59.4,
        "cells octets": 13.7,
        "crown floats": 210.8,
        "level floats": 41.3,
        "level octets": 33.9,
        "links floats": 456.7,
        "links octets": 170.2,
        "places floats": 201.7,
        "short floats": 508.4,
        "short octets": 182.0,
        "sum": 16.3,
        "sums": 58.6,
        "vote": 13.5,
    },
    "avr": {
        "cell floats": 134.9,
        "cell octets": 94.9,
        "cells floats": 74.5,
        "cells octets": 123.3,
        "crown floats": 212.4,
        "crown octets": 73.6,
        "level floats": 95.3,
        "level octets": 68.1,
        "links floats": 649.8,
        "links octets": 421.0,
        "pair": 33.4,
        "places floats": 131.4,
        "short floats": 852.7,
        "short octets": 528.2,
        "sum": 84.1,
        "sums": 112.0,
    },
    "xtensa": {
        "cell floats": 80.9,
        "cell octets": 65.0,
        "cells floats": 74.3,
        "cells octets": 34.2,
        "crown floats": 420.8,
        "crown octets": 25.8,
        "level floats": 54.8,
        "level octets": 35.5,
        "links floats": 688.1,
        "links octets": 168.8,
        "places floats": 328.0,
        "short floats": 819.4,
        "short octets": 205.0,
        "sum": 54.4,
        "sums": 116.8,
        "vote": 211.9,
    },
}
"""Bytes. Of an Xtensa nobody measured forests: a third more than on a Cortex-M3, as other code takes."""

WORK: Mapping[str, Mapping[str, float]] = {
    "cortex-m0plus": {
        "cell floats": 76.2,
        "cell octets": 29.6,
        "cells": 2.0,
        "crown tree": 7.1,
        "forest": 3.3,
        "level floats": 59.8,
        "level octets": 10.1,
        "links floats split": 69.9,
        "links octets split": 21.7,
        "links tree": 35.2,
        "short floats split": 120.5,
        "short octets split": 26.9,
        "short tree": 21.8,
        "sum": 12.5,
        "sums": 49.6,
        "vote": 9.8,
    },
    "cortex-m3": {
        "cell floats": 56.7,
        "cell octets": 14.1,
        "cells": 1.7,
        "crown tree": 5.4,
        "level floats": 47.4,
        "level octets": 7.0,
        "links floats split": 52.9,
        "links octets split": 11.8,
        "links tree": 11.5,
        "short floats split": 93.7,
        "short octets split": 15.3,
        "short tree": 7.1,
        "sum": 7.6,
        "sums": 29.5,
        "vote": 7.9,
    },
    "cortex-m4": {
        "cell floats": 19.1,
        "cell octets": 12.6,
        "cells": 1.0,
        "crown tree": 5.1,
        "forest": 12.3,
        "level floats": 11.1,
        "level octets": 6.2,
        "links floats split": 14.7,
        "links octets split": 10.4,
        "links tree": 10.4,
        "short floats split": 19.7,
        "short octets split": 13.4,
        "short tree": 7.9,
        "sum": 6.8,
        "sums": 26.6,
        "vote": 7.3,
    },
    "rv32imc": {
        "cell floats": 56.1,
        "cell octets": 20.8,
        "level floats": 45.4,
        "level octets": 13.2,
        "links floats split": 51.7,
        "links octets split": 15.5,
        "links tree": 14.5,
        "short floats split": 86.0,
        "short octets split": 17.5,
        "sum": 5.7,
        "sums": 46.3,
        "vote": 20.7,
    },
}
"""Instructions."""
