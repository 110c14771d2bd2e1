"""Float nets become nets in whole numbers that say nearly the same, on every target with the same bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bimetal.cli.toolbox import LocalTools
from bimetal.learn.imports.bring import brought_of
from bimetal.learn.imports.foreign import SOFTMAX, Mapped, Trees
from bimetal.learn.imports.net import Gru, Layer, net
from bimetal.nouns.errors import BadInput, GateNotMet, Unsupported
from bimetal.program.block import HEAD, pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.operators.gru_cell import GruCell
from bimetal.program.operators.pca import Pca
from bimetal.program.verify import check
from bimetal.shrink.loss import told
from bimetal.shrink.quantise import int8_of, net_of, shrunk
from bimetal.shrink.quantise import rows_for as whole_rows
from bimetal.targets.c99_run import C99Target
from bimetal.targets.kernels.layer import layers_of
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.wasm_run import WasmTarget
from tests.shrink.nets import NETS, foreign, layer, rows_for, scaler

LAW = NumpyTarget()
MOST_LOST = 0.04
"""Root mean square of what differs, as a part of the spread."""


def names(columns: int) -> list[str]:
    """Names of signals."""
    return [f"s{k}" for k in range(columns)]


@pytest.mark.parametrize("name", NETS)
def test_it_says_nearly_the_same(name: str) -> None:
    parts, shape = NETS[name]
    model, rows = foreign(parts, shape), rows_for(shape)
    small, _ = int8_of(model, rows[:200], names(rows.shape[1]), vector=True)
    whole = brought_of(model, names(rows.shape[1]), vector=True)
    a, b = (told(t, rows[200:], LAW)["value"] for t in (whole, small))
    assert np.sqrt(np.square(a - b).mean()) < MOST_LOST * a.std()
    assert len(np.unique(b)) > 50


@pytest.mark.parametrize("name", NETS)
def test_weights_are_bytes_and_sums_are_proven(name: str) -> None:
    parts, shape = NETS[name]
    rows = rows_for(shape)
    small, _ = int8_of(foreign(parts, shape), rows, names(rows.shape[1]), vector=True)
    assert {p.dtype for p in small.program.params if p.name.endswith("_weights")} == {"i8"}
    assert check(small.program).operations > 0  # raises where a sum could leave its 32 bits
    assert all(np.abs(v).max() <= 127 for n, v in small.values.items() if n.endswith("_weights"))


@pytest.mark.needs("cc")
@pytest.mark.parametrize("name", NETS)
def test_every_target_has_the_same_bits(name: str) -> None:
    parts, shape = NETS[name]
    rows = rows_for(shape, 40)
    small, _ = int8_of(foreign(parts, shape), rows, names(rows.shape[1]), vector=True)
    given = np.zeros(len(rows), layout_of(small.program).input.dtype)
    given["x"] = rows * np.array([1, 100, -1e9, np.nan])[np.arange(40) % 4][:, None]
    block, start = pack(small.program, small.values), initial_state(small.program)
    law = LAW.load(small.program, block).run(start, given)
    assert WasmTarget().load(small.program, block).run(start, given)[1].tobytes() == law[1].tobytes()
    assert (
        C99Target(LocalTools()).load(small.program, block).run(start, given)[1].tobytes() == law[1].tobytes()
    )


def test_its_layers_are_kernels() -> None:
    parts, shape = NETS["along time"]
    small, _ = int8_of(foreign(parts, shape), rows_for(shape), names(96), vector=True)
    assert [p.kernel.kind for p in layers_of(small.program)] == ["conv", "apart", "conv", "sums"]


def test_columns_of_very_different_sizes_lose_nothing() -> None:
    """Every column has steps of its own, which the first layer makes up for."""
    sizes = 10.0 ** np.arange(-6, 6)
    weights = Layer(np.ones((4, 12)) / sizes, np.zeros(4))
    rows = np.random.default_rng(1).normal(5, 1, (300, 12)) * sizes
    small, _ = int8_of(foreign([weights], (12,)), rows[:200], names(12))
    a = rows[200:] @ weights.weights.T
    b = told(small, rows[200:], LAW)["value"]
    assert np.sqrt(np.square(a - b).mean()) < MOST_LOST * a.std()
    assert a.std() > 3


def test_a_scaler_before_it_costs_the_device_nothing() -> None:
    parts, shape = NETS["relu"]
    mean, scale = np.linspace(-50, 900, 20), np.linspace(0.1, 30, 20)
    rows = np.random.default_rng(2).normal(size=(300, 20)) * scale + mean
    model = foreign(parts, shape, steps=(scaler(mean, scale),))
    small, _ = int8_of(model, rows[:200], names(20), vector=True)
    alone, _ = int8_of(foreign(parts, shape), rows[:200], names(20), vector=True)
    assert {p.name for p in small.program.params} == {p.name for p in alone.program.params}
    a = told(brought_of(model, names(20), vector=True), rows[200:], LAW)["value"]
    b = told(small, rows[200:], LAW)["value"]
    assert np.sqrt(np.square(a - b).mean()) < 0.05 * a.std()


def test_a_scaler_before_a_convolution_keeps_zeros_around_it_zero() -> None:
    parts, shape = NETS["along time"]
    mean, scale = np.tile([100.0, -4.0, 0.0], 32), np.tile([10.0, 0.5, 1.0], 32)
    rows = np.random.default_rng(2).normal(size=(200, 96)) * scale + mean
    model = foreign(parts, shape, steps=(scaler(mean, scale),))
    small, whole = int8_of(model, rows, names(96), vector=True)
    assert len(whole.inlet.centre) == 3
    a, b = (told(t, rows, LAW)["value"] for t in (brought_of(model, names(96), vector=True), small))
    assert np.sqrt(np.square(a - b).mean()) < 0.04 * a.std()


def test_steps_that_mix_columns_stay_before_it() -> None:
    turned = Pca((0.0,) * 6, tuple(map(tuple, np.random.default_rng(3).normal(size=(20, 6)).tolist())))
    parts, shape = NETS["relu"]
    model = replace(foreign(parts, shape, steps=(Mapped(lambda d, x, _: turned.trace(d, x)),)), columns=6)
    rows = np.random.default_rng(4).normal(size=(300, 6))
    small, _ = int8_of(model, rows, names(6))
    a, b = (told(t, rows, LAW)["value"] for t in (brought_of(model, names(6)), small))
    assert np.sqrt(np.square(a - b).mean()) < 0.06 * a.std()


def test_a_missing_reading_is_the_middle_of_what_was_seen() -> None:
    parts, shape = NETS["relu"]
    rows = rows_for(shape)
    small, whole = int8_of(foreign(parts, shape), rows, names(20), vector=True)
    middle = np.tile(np.array(whole.inlet.centre), (1, 1))
    gaps = told(small, np.full((1, 20), np.nan), LAW)["value"]
    assert (gaps == told(small, middle, LAW)["value"]).all()


def test_all_of_it_can_be_whole_numbers() -> None:
    """Without the last layer in floats, i8 goes in and i8 comes out."""
    parts, shape = NETS["autoencoder"]
    rows = rows_for(shape)
    whole = net_of(net(parts), rows, np.ones(33), np.zeros(33), to_the_end=False)
    assert len(whole.stages) == 4
    assert whole.step > 0


def test_what_was_lost_is_told() -> None:
    parts, shape = NETS["relu"]
    model, rows = foreign(parts, shape, SOFTMAX), rows_for(shape, 900)
    labels = told(brought_of(model, names(20)), rows, LAW)["label"]
    small, loss = shrunk(model, names(20), rows, LAW, [str(k) for k in labels])
    assert loss.what == "accuracy"
    assert loss.float_figure == 1.0
    assert 0.9 < loss.int8_figure == loss.agreement <= 1.0
    assert (loss.rows, loss.int8_bytes) == (300, len(pack(small.program, small.values)) - HEAD.size)
    assert loss.int8_bytes < 0.5 * loss.float_bytes
    assert "accuracy 0.9" in loss.words() or "accuracy 1.0" in loss.words()


def test_an_autoencoder_is_judged_by_what_it_finds_strange() -> None:
    rng = np.random.default_rng(5)
    base = rng.normal(size=(3, 12))
    rows = rng.normal(size=(900, 3)) @ base
    strange = rng.random(900) < 0.2
    rows[strange] += rng.normal(0, 2, (int(strange.sum()), 12))
    back = np.linalg.pinv(base)
    model = foreign([Layer(back.T, np.zeros(3)), Layer(base.T, np.zeros(12))], (12,))
    _, loss = shrunk(model, names(12), rows, LAW, [str(int(s)) for s in strange])
    assert loss.what == "AUC"
    assert loss.float_figure > 0.95
    assert loss.int8_figure > loss.float_figure - 0.02


def test_a_net_that_collapses_is_refused() -> None:
    """Rows to calibrate on are a thousand times larger than those the net is for: all become 0."""
    model = foreign([layer(16, 8, "relu"), layer(4, 16)], (8,))
    rows = np.random.default_rng(6).normal(size=(300, 8))
    rows[np.arange(300) % 3 != 2] *= 1e5
    with pytest.raises(GateNotMet, match=r"collapsed: .*never move.*Calibrate on rows like those"):
        shrunk(model, names(8), rows, LAW)


def test_what_cannot_be_int8_is_refused_by_name() -> None:
    rows = np.zeros((20, 3))
    cell = GruCell(((0.1,) * 3,) * 6, ((0.1,) * 2,) * 6, (0.0,) * 6, (0.0,) * 6)
    with pytest.raises(Unsupported, match=r"recurrent cell stays in floats.*Conv1d"):
        int8_of(foreign([Gru(cell), layer(2, 2)], (3,)), rows, names(3))
    trees = replace(foreign([layer(2, 3)], (3,)), scores=Trees((), "", 1, 1.0, (0.0,)))
    with pytest.raises(Unsupported, match=r"no layers of weights.*Trees are whole numbers already"):
        int8_of(trees, rows, names(3))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (np.zeros((20, 4)), "3 columns, but rows are"),
        (np.zeros((7, 3)), "7 rows without gaps are too few"),
        (np.full((50, 3), np.nan), "0 rows without gaps"),
        (np.full((50, 3), np.inf), "0 rows without gaps"),
        (np.zeros(3), "3 columns, but rows are"),
    ],
)
def test_rows_that_show_nothing_are_refused(rows: np.ndarray, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        int8_of(foreign([layer(2, 3)], (3,)), rows, names(3))


def test_rows_with_gaps_are_left_out_and_many_are_thinned() -> None:
    rows = np.arange(30000.0).reshape(10000, 3)
    rows[::2, 1] = np.nan
    kept = whole_rows(rows, 3, "net")
    assert 2000 <= len(kept) <= 4000
    assert np.isfinite(kept).all()


def test_columns_that_never_move_and_weights_of_zero() -> None:
    parts = [Layer(np.zeros((4, 3)), np.array([0.0, 1e6, -3.0, 1e-9]), "relu"), layer(2, 4)]
    rows = np.tile([5.0, 0.0, -1e-9], (50, 1))
    model = foreign(parts, (3,))
    small, _ = int8_of(model, rows, names(3))
    a, b = (told(t, rows, LAW)["value"] for t in (brought_of(model, names(3)), small))
    assert np.abs(a - b).max() <= 0.02 * np.abs(a).max()
