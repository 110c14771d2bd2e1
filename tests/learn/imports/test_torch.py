"""Nets of PyTorch say the same as programs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bimetal.learn.imports.bring import bring
from bimetal.nouns.errors import BadInput, Unsupported
from tests.learn.imports.given import answers, farthest, labels, targets_that_differ

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


@pytest.mark.parametrize("layer", [nn.LSTM(5, 3), nn.Conv1d(5, 3, 1), nn.GELU()])
def test_an_unknown_layer_is_refused_by_name(layer: Any) -> None:
    with pytest.raises(Unsupported, match=rf"{type(layer).__name__}.*Linear, BatchNorm1d"):
        bring(nn.Sequential(nn.Linear(5, 5), layer), NAMES)


def test_a_net_without_weights_is_refused() -> None:
    with pytest.raises(BadInput, match="no layer with weights"):
        bring(nn.Sequential(nn.Identity()), NAMES)
