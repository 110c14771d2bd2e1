"""ONNX models say as programs what the reference and the runtime say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bimetal.learn.imports.bring import bring
from bimetal.nouns.errors import Unsupported
from tests.learn.imports.given import answers, farthest, labels, targets_that_differ

onnx = pytest.importorskip("onnx", reason="needs the package onnx, which is not installed here")

reference = pytest.importorskip("onnx.reference", reason="needs the package onnx, not installed here")
TensorProto, helper, numpy_helper = onnx.TensorProto, onnx.helper, onnx.numpy_helper

RNG = np.random.default_rng(5)
X = RNG.normal(0, 2, (500, 4)).astype(np.float32)
NAMES = ("a", "b", "c", "d")


def model_of(nodes: list[Any], constants: dict[str, NDArray[Any]], columns: int = 4) -> Any:
    """A model from x to y."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, columns])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, None])],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def weights(*shape: int) -> NDArray[np.float32]:
    """Random weights."""
    return RNG.normal(size=shape).astype(np.float32)


def test_a_dense_net_says_what_the_reference_says() -> None:
    node = helper.make_node
    model = model_of(
        [
            node("Gemm", ["x", "w1", "b1"], ["h1"], transB=1),
            node("BatchNormalization", ["h1", "gain", "offset", "mean", "variance"], ["h2"]),
            node("Relu", ["h2"], ["h3"]),
            node("Dropout", ["h3"], ["h4"]),
            node("MatMul", ["h4", "w2"], ["h5"]),
            node("Add", ["h5", "b2"], ["h6"]),
            node("Tanh", ["h6"], ["h7"]),
            node("Mul", ["h7", "half"], ["h8"]),
            node("Sub", ["h8", "b2"], ["h9"]),
            node("Sigmoid", ["h9"], ["y"]),
        ],
        {
            "w1": weights(6, 4), "b1": weights(6), "gain": weights(6), "offset": weights(6),
            "mean": weights(6), "variance": np.abs(weights(6)), "w2": weights(6, 3), "b2": weights(3),
            "half": np.array(0.5, np.float32),
        },
    )  # fmt: skip
    brought = bring(model, NAMES)
    expected = reference.ReferenceEvaluator(model).run(None, {"x": X})[0]
    assert farthest(answers(brought, X)["value"], expected) < 1e-6
    assert not targets_that_differ(brought, X)


def test_a_net_that_ends_in_softmax_is_a_classifier() -> None:
    node = helper.make_node
    nodes = [node("Gemm", ["x", "w"], ["h"], transB=1, alpha=0.5), node("Softmax", ["h"], ["y"])]
    model = model_of(nodes, {"w": weights(3, 4)})
    brought = bring(model, NAMES)
    expected = reference.ReferenceEvaluator(model).run(None, {"x": X})[0]
    assert farthest(answers(brought, X)["score"], expected) < 1e-6
    assert (labels(brought, X) == np.argmax(expected, axis=1).astype(str)).all()


@pytest.mark.parametrize("mode", ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GT", "BRANCH_GTE"])
@pytest.mark.parametrize("tracks", [0, 1])
def test_splits_of_every_kind_go_where_the_specification_says(mode: str, tracks: int) -> None:
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        nodes_treeids=[0, 0, 0],
        nodes_nodeids=[0, 1, 2],
        nodes_featureids=[1, 0, 0],
        nodes_modes=[mode, "LEAF", "LEAF"],
        nodes_values=[0.5, 0.0, 0.0],
        nodes_truenodeids=[1, 0, 0],
        nodes_falsenodeids=[2, 0, 0],
        nodes_missing_value_tracks_true=[tracks, 0, 0],
        target_treeids=[0, 0],
        target_nodeids=[1, 2],
        target_ids=[0, 0],
        target_weights=[10.0, -10.0],
        n_targets=1,
        base_values=[1.0],
    )
    x = np.array([[0, 0.25, 0, 0], [0, 0.5, 0, 0], [0, 0.75, 0, 0], [0, np.nan, 0, 0]], np.float32)
    asked = {"BRANCH_LEQ": np.less_equal, "BRANCH_LT": np.less, "BRANCH_GT": np.greater}
    goes = asked.get(mode, np.greater_equal)(x[:, 1], 0.5) | (np.isnan(x[:, 1]) & bool(tracks))
    brought = bring(model_of([node], {}), NAMES)
    assert answers(brought, x)["value"].tolist() == np.where(goes, 11.0, -9.0).tolist()
    assert not targets_that_differ(brought, x)


def test_a_converted_pipeline_says_what_the_runtime_says() -> None:
    convert = pytest.importorskip("skl2onnx", reason="needs skl2onnx, which is not installed here")
    runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime, which is not installed here")
    ensemble = pytest.importorskip("sklearn.ensemble", reason="needs scikit-learn, not installed here")
    pipeline = pytest.importorskip("sklearn.pipeline", reason="needs scikit-learn, not installed here")
    scaling = pytest.importorskip("sklearn.preprocessing", reason="needs scikit-learn, not installed here")
    y = np.digitize(X[:, 0] * X[:, 1], [-1, 1])
    forest = ensemble.RandomForestClassifier(10, random_state=0)
    model = pipeline.make_pipeline(scaling.StandardScaler(), forest).fit(X, y)
    made = convert.to_onnx(model, X[:1], options={"zipmap": False}, target_opset={"": 17, "ai.onnx.ml": 3})
    expected = runtime.InferenceSession(made.SerializeToString()).run(None, {"X": X})
    brought = bring(made, NAMES)
    assert (labels(brought, X) == expected[0].astype(str)).all()
    assert farthest(answers(brought, X)["score"], expected[1]) < 1e-6


@pytest.mark.parametrize(
    ("nodes", "says"),
    [
        ([helper.make_node("Erf", ["x"], ["y"])], "Erf.*not known here"),
        ([helper.make_node("Add", ["x", "x"], ["y"])], "joins two computed values"),
        ([helper.make_node("Relu", ["x"], ["h"]), helper.make_node("Add", ["x", "h"], ["y"])], "2 operators"),
        ([helper.make_node("Gemm", ["x", "x"], ["y"])], "weights are not constants"),
    ],
)
def test_what_cannot_be_brought_is_refused(nodes: list[Any], says: str) -> None:
    with pytest.raises(Unsupported, match=says):
        bring(model_of(nodes, {}), NAMES)


def test_an_unknown_number_of_columns_is_refused() -> None:
    with pytest.raises(Unsupported, match="known number of columns"):
        bring(model_of([helper.make_node("Relu", ["x"], ["y"])], {}, columns=0), NAMES)
