"""A model is in whole numbers where they lose little, else in floats with the reason; trees lose nothing."""

from __future__ import annotations

import re

import numpy as np
import pytest

from bimetal.learn.imports.foreign import LE_F32, SHARES, SOFTMAX, VALUE, Foreign, Formula, RawTree, Trees
from bimetal.learn.imports.net import Gru, Layer, net
from bimetal.nouns.errors import BadInput, GateNotMet, Unsupported
from bimetal.program.operators.gru_cell import GruCell
from bimetal.shrink.budget import need_of
from bimetal.shrink.loss import told
from bimetal.shrink.profile import (
    FLOATS,
    INTEGER,
    MOST_LOST,
    Chosen,
    arithmetic,
    chosen,
    in_floats,
    in_whole_numbers,
)
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.wasm_run import WasmTarget
from tests.shrink.nets import NETS, foreign, rows_for, scaler

LAW = NumpyTarget()
COLUMNS = 4
NAMES = [f"s{k}" for k in range(COLUMNS)]


def rows(count: int = 300) -> np.ndarray:
    """Readings of four signals."""
    return np.random.default_rng(3).normal(size=(count, COLUMNS)).astype(np.float32).astype(np.float64)


def classifier(gain: float = 1.0) -> Foreign:
    """A net that says whether the first signal is above the second, after a scaler."""
    parts = [
        Layer(gain * np.array([[1.0, -1, 0, 0], [-1, 1, 0, 0]]), np.zeros(2), "relu"),
        Layer(np.array([[0.0, 1.0], [1.0, 0.0]]), np.zeros(2)),
    ]
    steps = (scaler(np.full(COLUMNS, 0.5), np.full(COLUMNS, 2.0)),)
    return foreign(parts, (COLUMNS,), SOFTMAX, steps)


def forest() -> Foreign:
    """Three stumps on real thresholds."""
    trees = tuple(
        RawTree(
            np.array([k, 0, 0]), np.array([0.1 * k - 0.15, 0, 0]),
            np.array([1, -1, -1]), np.array([2, -1, -1]),
            np.array([True, True, True]), np.array([[0.0, 0], [0.9, 0.1], [0.2, 0.8]]),
        )
        for k in range(3)
    )  # fmt: skip
    scores = Trees(trees, LE_F32, 2, 1 / 3, (0.0, 0.0))
    return Foreign("forest", COLUMNS, (), scores, SHARES, ("0", "1"))


def test_a_net_with_its_scaler_is_in_whole_numbers_and_the_loss_is_told() -> None:
    x = rows()
    answers = [str(int(a < b)) for a, b in x[:, :2]]
    found = chosen(classifier(), NAMES, x, LAW, answers)
    assert (found.profile, found.why) == (INTEGER, "")
    assert found.loss is not None
    assert (found.loss.what, found.loss.rows) == ("accuracy", 100)
    assert found.loss.lost <= MOST_LOST
    assert "accuracy" in found.words()
    assert {p.dtype for p in found.brought.program.params if p.name.endswith("_weights")} == {"i8"}


def test_more_loss_than_allowed_is_refused_or_falls_back_in_words() -> None:
    parts, shape = NETS["curved"]
    model, x = foreign(parts, shape), rows_for(shape)
    names = [f"s{k}" for k in range(x.shape[1])]
    usual = in_whole_numbers(model, names, x, LAW)
    assert usual.loss is not None
    tight = usual.loss.lost / 2
    with pytest.raises(GateNotMet, match="int8 loses"):
        in_whole_numbers(model, names, x, LAW, most_lost=tight)
    found = chosen(model, names, x, LAW, most_lost=tight)
    assert (found.profile, found.loss) == (FLOATS, None)
    assert f"more than {tight:g}" in found.words()
    whole = in_floats(model, names)
    assert told(found.brought, x, LAW)["value"].tobytes() == told(whole.brought, x, LAW)["value"].tobytes()


def test_what_has_no_whole_numbers_stays_in_floats_by_name() -> None:
    cell = Gru(GruCell())
    model = Foreign("gru", 1, (), Formula(net([cell])), VALUE)
    assert "recurrent" in chosen(model, ["x"], rows()[:, :1], LAW).words()
    with pytest.raises(Unsupported, match="recurrent"):
        in_whole_numbers(model, ["x"], rows()[:, :1], LAW)


def test_too_few_rows_cannot_tell_and_wrong_answers_are_said() -> None:
    few = chosen(classifier(), NAMES, rows(9), LAW)
    assert (few.profile, few.why[:6]) == (FLOATS, "6 rows")
    with pytest.raises(BadInput, match="300 rows have 10 answers"):
        chosen(classifier(), NAMES, rows(), LAW, ["1"] * 10)


def test_trees_in_whole_numbers_say_the_same_in_every_bit() -> None:
    x = rows()
    x[::7, 1] = np.nan
    usual = chosen(forest(), NAMES, x, LAW)
    assert (usual.profile, usual.loss) == (FLOATS, None)
    assert "the answers are the same" in usual.words()
    whole = in_whole_numbers(forest(), NAMES, x, LAW)
    assert (whole.profile, whole.words()) == (INTEGER, "profile integer: nothing was rounded")
    one, other = (told(m.brought, x, t) for m, t in ((usual, LAW), (whole, WasmTarget())))
    assert {k: v.tobytes() for k, v in one.items()} == {k: v.tobytes() for k, v in other.items()}
    assert len(np.unique(one["score"])) > 3


def counted(made: Chosen) -> list[int]:
    """Operations on floats and on whole numbers."""
    return [int(w) for w in re.findall(r"\d+", arithmetic(need_of(made.brought.program)).replace(",", ""))]


def test_arithmetic_is_counted_by_what_it_is_on() -> None:
    x = rows()
    products = 2 * COLUMNS + 2 * 2
    small, large = counted(chosen(classifier(), NAMES, x, LAW)), counted(in_floats(classifier(), NAMES))
    assert small[1] >= products
    assert large[0] >= 2 * products
    assert large[1] < small[1]
    stumps, places = counted(in_floats(forest(), NAMES)), counted(in_whole_numbers(forest(), NAMES, x, LAW))
    assert stumps[1] < places[1]
