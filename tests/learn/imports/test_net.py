"""Nets of parts: shapes are fitted and checked, orders turned, layers joined; they say what NumPy says."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.learn.imports.bring import brought_of
from bimetal.learn.imports.join import bent, joined, normalised, scaling
from bimetal.learn.imports.net import Conv, Flat, Gru, Layer, Net, Part, Pool, net, shape_after, sized
from bimetal.nouns.errors import BadInput
from bimetal.program.operators.gru_cell import GruCell
from bimetal.shrink.activation import activations
from bimetal.shrink.loss import told
from bimetal.targets.numpy import NumpyTarget
from tests.shrink.nets import NETS, conv, foreign, layer, rows_for

CELL = GruCell(((0.1,) * 3,) * 6, ((0.1,) * 2,) * 6, (0.0,) * 6, (0.0,) * 6)


@pytest.mark.parametrize("name", NETS)
def test_letters_say_what_numpy_says(name: str) -> None:
    parts, shape = NETS[name]
    model, rows = foreign(parts, shape), rows_for(shape, 40)
    (*_, (_, expected)) = activations(sized(Net(tuple(parts)), shape), rows.reshape(40, *shape))
    found = told(brought_of(model, [f"s{k}" for k in range(rows.shape[1])], vector=True), rows, NumpyTarget())
    assert np.abs(found["value"].reshape(expected.shape) - expected).max() < 1e-5 * max(
        1, np.abs(expected).max()
    )


@pytest.mark.parametrize(
    ("part", "shape", "after"),
    [
        (layer(3, 5), (5,), (3,)),
        (conv(4, 1, 5, 3, stride=2, padding=(0, 2)), (32, 3), (16, 4)),
        (conv(4, 3, 3, 2, padding=(1, 1)), (8, 10, 2), (8, 10, 4)),
        (conv(3, 3, 2), (8, 10, 2), (6, 8, 2)),
        (Pool(3, "mean"), (8, 10, 2), (2, 3, 2)),
        (Pool(0, "mean"), (8, 10, 2), (1, 1, 2)),
        (Flat(), (8, 10, 2), (160,)),
        (Gru(CELL), (3,), (2,)),
    ],
)
def test_shapes_follow_each_other(part: Part, shape: tuple[int, ...], after: tuple[int, ...]) -> None:
    assert shape_after(part, shape) == after


@pytest.mark.parametrize(
    ("part", "shape", "words"),
    [
        (layer(3, 5), (4,), "weights meet"),
        (Layer(np.zeros((3, 5)), np.zeros(2)), (5,), "2 biases"),
        (conv(4, 1, 5, 3), (32, 2), "meets"),
        (conv(4, 1, 5, 3), (4, 3), r"kernel \(1, 5\) meets"),
        (conv(4, 3, 3, 2), (8, 2), "3 rows meets"),
        (conv(4, 3, 3, 2), (8,), "a convolution meets"),
        (Conv(np.zeros((2, 1, 1, 1)), np.zeros(3)), (8, 1), "3 biases"),
        (Pool(3, "mean"), (2, 2), "blocks of 3"),
        (Pool(3, "mean"), (2,), "a pool meets a vector"),
        (Gru(CELL), (4,), "a cell of 3 meets"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(part: Part, shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(BadInput, match=rf"layer 1 does not fit: .*{words}.*Check the shape"):
        sized(Net((part,)), shape)


def test_weights_behind_a_picture_are_put_in_our_order() -> None:
    """Channels came first where the net was trained: the same answer for the same picture."""
    weights = np.arange(12.0).reshape(1, 12)
    made = sized(Net((Pool(1, "mean"), Flat(channels_first=True), Layer(weights, np.zeros(1)))), (3, 4))
    picture = np.random.default_rng(1).normal(size=(3, 4))
    (*_, (_, found)) = activations(made, picture[None])
    assert found[0, 0] == pytest.approx(float(weights[0] @ picture.T.reshape(-1)))


def test_ranks_and_channels() -> None:
    assert (net([layer(3, 5)]).rank, net([layer(3, 5)]).channels) == (1, 5)
    assert (net([Gru(CELL)]).rank, net([Gru(CELL)]).channels) == (1, 3)
    assert (net([conv(4, 1, 5, 3)]).rank, net([conv(4, 1, 5, 3)]).channels) == (2, 3)
    assert (net([conv(4, 3, 3, 2)]).rank, net([conv(4, 3, 3, 2)]).channels) == (3, 2)
    assert net([Pool(2, "mean")]).channels == 0


def test_layers_that_only_scale_are_joined() -> None:
    first, gain, offset = conv(4, 1, 3, 2, bend="identity"), np.arange(1.0, 5), np.arange(4.0)
    apart = conv(1, 3, 4, bend="identity")
    for before in ([first], [first, apart], [layer(4, 3)]):
        whole = normalised(list(before), gain, offset)
        assert len(joined(whole)) == len(before)
        shape = (3,) if isinstance(before[0], Layer) else (12, 2)
        x = np.random.default_rng(2).normal(size=(5, *shape))
        a, b = (list(activations(sized(Net(tuple(p)), shape), x))[-1][1] for p in (whole, joined(whole)))
        assert np.abs(a - b).max() < 1e-12


def test_what_bends_stays_between_layers() -> None:
    assert len(joined([layer(4, 3, "relu"), layer(2, 4)])) == 2
    assert len(joined([conv(4, 1, 3, 2), scaling(np.ones(4), np.zeros(4))])) == 2


def test_a_bend_goes_before_what_turns_no_order_round() -> None:
    parts = bent([conv(4, 1, 3, 2, bend="identity"), Pool(2, "greatest"), Flat()], "tanh", 4)
    assert [getattr(p, "bend", "") for p in parts] == ["tanh", "", ""]
    behind = bent([conv(4, 1, 3, 2), Pool(2, "mean")], "tanh", 4)
    assert [getattr(p, "bend", "") for p in behind] == ["relu", "", "tanh"]
    assert [p.bend for p in bent([layer(4, 3, "relu")], "tanh", 4) if isinstance(p, Layer)] == [
        "relu",
        "tanh",
    ]
