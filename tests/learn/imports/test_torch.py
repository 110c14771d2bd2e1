"""Nets of PyTorch say the same as programs."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from bimetal.learn.imports.bring import bring
from bimetal.nouns.errors import BadInput, Unsupported
from bimetal.program.block import pack
from bimetal.program.layout import initial_state
from bimetal.targets.numpy import NumpyTarget
from tests.learn.imports.given import answers, farthest, labels, rows_of, targets_that_differ

torch = pytest.importorskip(
    "torch", reason="needs PyTorch, which is not installed here", exc_type=ImportError
)
nn = torch.nn

X = np.random.default_rng(4).normal(0, 2, (500, 5)).astype(np.float32)
NAMES = ("a", "b", "c", "d", "e")


def said(model: Any) -> np.ndarray:
    """What a net says about all rows."""
    with torch.no_grad():
        return model.eval()(torch.from_numpy(X)).numpy()


def test_a_net_says_the_same_values() -> None:
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Linear(16, 8), nn.Tanh(), nn.Identity())
    model = nn.Sequential(
        nn.Linear(5, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5), inner,
        nn.Linear(8, 2, bias=False), nn.Sigmoid(),
    )  # fmt: skip
    model.train()(torch.from_numpy(X))
    brought = bring(model, NAMES)
    assert farthest(answers(brought, X)["value"], said(model)) < 1e-6
    assert not targets_that_differ(brought, X)


def test_a_net_that_ends_in_softmax_is_a_classifier() -> None:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3), nn.Softmax(dim=1))
    brought = bring(model, NAMES)
    assert farthest(answers(brought, X)["score"], said(model)) < 1e-6
    assert (labels(brought, X) == np.argmax(said(model), axis=1).astype(str)).all()


PICTURES: dict[str, tuple[Any, tuple[int, ...]]] = {
    "along time": (
        nn.Sequential(
            nn.Conv1d(3, 8, 5, stride=2, padding=2), nn.BatchNorm1d(8), nn.ReLU(),
            nn.Conv1d(8, 8, 3, padding=1, groups=8, bias=False), nn.BatchNorm1d(8), nn.ReLU6(),
            nn.Conv1d(8, 12, 1), nn.Dropout(), nn.MaxPool1d(2), nn.Flatten(), nn.ReLU(), nn.Linear(96, 5),
        ),
        (32, 3),
    ),
    "picture": (
        nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.BatchNorm2d(4),
            nn.Conv2d(4, 6, (2, 3)), nn.Sigmoid(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 1),
        ),
        (8, 10, 2),
    ),
    "depthwise": (nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.MaxPool2d(2), nn.ReLU()), (8, 8, 4)),
    "other zeros": (nn.Sequential(nn.Conv2d(1, 3, (1, 3), padding=(0, 1)), nn.Conv2d(3, 2, 3)), (5, 6, 1)),
    "the greatest": (nn.Sequential(nn.Conv1d(2, 4, 3), nn.AdaptiveMaxPool1d(1), nn.Flatten()), (9, 2)),
    "a picture comes out": (nn.Sequential(nn.Conv1d(2, 4, 3), nn.AvgPool1d(2)), (9, 2)),
}  # fmt: skip


@pytest.mark.parametrize("name", PICTURES)
def test_convolutions_say_the_same(name: str) -> None:
    """Channels come last here, and first in PyTorch."""
    model, shape = PICTURES[name]
    torch.manual_seed(2)
    x = np.random.default_rng(1).normal(size=(60, *shape)).astype(np.float32)
    tensor = torch.from_numpy(np.moveaxis(x, -1, 1).copy())
    model.train()(tensor)
    with torch.no_grad():
        expected = model.eval()(tensor).numpy()
    expected = np.moveaxis(expected, 1, -1) if expected.ndim > 2 else expected
    rows = x.reshape(60, -1)
    names = [f"s{k}" for k in range(rows.shape[1])]
    brought = bring(model, names, vector=True, shape=shape if len(shape) == 3 else ())
    assert farthest(answers(brought, rows)["value"], expected) < 1e-6
    assert not targets_that_differ(brought, rows)


def test_a_recurrent_cell_takes_one_reading_after_the_other() -> None:
    torch.manual_seed(3)
    cell, head = nn.GRU(5, 7, batch_first=True), nn.Linear(7, 2)
    for parts in ((cell,), (cell, head)):
        brought = bring(nn.Sequential(*parts), NAMES)
        with torch.no_grad():
            out = cell(torch.from_numpy(X[None, :60]))[0]
            expected = (head(out) if len(parts) > 1 else out)[0].numpy()
        rows = rows_of(brought, X[:60])
        running = NumpyTarget().load(brought.program, pack(brought.program, brought.values))
        found = running.run(initial_state(brought.program), rows)[1]["value"]
        assert farthest(found, expected) < 1e-6


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (nn.LSTM(5, 3), "LSTM.*Use GRU.*Known: Linear, Conv1d"),
        (nn.GELU(), "GELU.*Use ReLU, Tanh or Sigmoid"),
        (nn.LeakyReLU(), "LeakyReLU.*Use ReLU"),
        (nn.ConvTranspose1d(5, 3, 1), "ConvTranspose1d.*Linear layers"),
        (nn.TransformerEncoderLayer(4, 2), "TransformerEncoderLayer.*Use a Sequential of Linear"),
        (nn.Conv1d(5, 3, 3, dilation=2), "Conv1d: .*dilates"),
        (nn.Conv1d(5, 3, 3, padding="same"), "Conv1d: .*a word"),
        (nn.Conv1d(5, 3, 3, padding=1, padding_mode="circular"), "Conv1d: .*something else than zeros"),
        (nn.Conv2d(4, 8, 3, groups=2), "2 groups of channels.*groups=1"),
        (nn.Conv2d(4, 8, 3, stride=(1, 2)), "steps differ"),
        (nn.MaxPool1d(3, stride=1), "blocks overlap"),
        (nn.MaxPool2d((2, 3)), "blocks overlap"),
        (nn.AvgPool1d(2, padding=1), "blocks overlap"),
        (nn.AdaptiveAvgPool1d(3), "one place"),
        (nn.Flatten(0), "leaves axes"),
        (nn.GRU(5, 3, num_layers=2), "several layers"),
        (nn.GRU(5, 3, bidirectional=True), "two directions"),
        (nn.BatchNorm1d(5, track_running_stats=False), "track_running_stats"),
    ],
)
def test_what_cannot_come_over_is_refused_by_name_with_what_can(layer: Any, words: str) -> None:
    with pytest.raises(Unsupported, match=words):
        bring(nn.Sequential(nn.Linear(5, 5), layer), NAMES)


def test_softmax_comes_last() -> None:
    with pytest.raises(Unsupported, match="Let Softmax be the last"):
        bring(nn.Sequential(nn.Linear(5, 5), nn.Softmax(1), nn.Linear(5, 5)), NAMES)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("layer", [nn.Linear(5, 5), nn.Conv1d(5, 5, 1), nn.GRU(5, 5), nn.BatchNorm1d(5)])
def test_weights_that_are_no_numbers_are_refused(layer: Any, value: float) -> None:
    broken = copy.deepcopy(layer)
    with torch.no_grad():
        next(broken.parameters()).reshape(-1)[0] = value
    with pytest.raises(BadInput, match=rf"{type(layer).__name__}: a weight is not finite.*Train it anew"):
        bring(nn.Sequential(nn.Linear(5, 5), broken), NAMES)


@pytest.mark.parametrize(
    ("model", "shape", "words"),
    [
        (nn.Sequential(nn.Linear(5, 4), nn.Linear(3, 2)), (), "meets 4 values"),
        (nn.Sequential(nn.Linear(4, 4)), (), "it has 4 columns, but 5 signals"),
        (nn.Sequential(nn.Conv1d(2, 4, 3)), (), "5 signals are no whole number of 2 channels"),
        (nn.Sequential(nn.Conv2d(1, 4, 3)), (), r"how high and how wide.*shape=\(height"),
        (nn.Sequential(nn.Conv2d(1, 4, 3)), (5, 1, 1), "layer 1 does not fit: a kernel"),
        (nn.Sequential(nn.Conv1d(1, 4, 3), nn.Flatten(), nn.Linear(13, 2)), (), "layer 3 does not fit"),
        (nn.Sequential(nn.Conv1d(1, 4, 7)), (), "layer 1 does not fit: a kernel"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(model: Any, shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        bring(model, NAMES, shape=shape)


def test_a_net_without_weights_is_refused() -> None:
    with pytest.raises(BadInput, match="no layer with weights"):
        bring(nn.Sequential(nn.Identity()), NAMES)
