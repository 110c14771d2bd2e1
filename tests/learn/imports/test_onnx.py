"""ONNX models say as programs what the reference and the runtime say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bimetal.learn.imports.bring import bring
from bimetal.nouns.errors import BadInput, Unsupported
from bimetal.program.block import pack
from bimetal.program.layout import initial_state
from bimetal.targets.numpy import NumpyTarget
from tests.learn.imports.given import answers, farthest, labels, rows_of, targets_that_differ

onnx = pytest.importorskip("onnx", reason="needs the package onnx, which is not installed here")

reference = pytest.importorskip("onnx.reference", reason="needs the package onnx, not installed here")
TensorProto, helper, numpy_helper = onnx.TensorProto, onnx.helper, onnx.numpy_helper

RNG = np.random.default_rng(5)
X = RNG.normal(0, 2, (500, 4)).astype(np.float32)
NAMES = ("a", "b", "c", "d")


def model_of(
    nodes: list[Any], constants: dict[str, NDArray[Any]], columns: int = 4, dims: tuple[Any, ...] = ()
) -> Any:
    """A model from x to y."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, dims or [None, columns])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
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


node = helper.make_node
PICTURES: dict[str, tuple[list[Any], dict[str, NDArray[Any]], tuple[int, ...]]] = {
    "along time": (
        [
            node("Conv", ["x", "w1", "b1"], ["h1"], strides=[2], pads=[2, 2], kernel_shape=[5]),
            node("BatchNormalization", ["h1", "gain", "offset", "mean", "variance"], ["h2"]),
            node("Relu", ["h2"], ["h3"]),
            node("Conv", ["h3", "w2"], ["h4"], group=8, pads=[1, 1]),
            node("Clip", ["h4", "zero", "six"], ["h5"]),
            node("Conv", ["h5", "w3"], ["h6"]),
            node("Add", ["h6", "c3"], ["h7"]),
            node("MaxPool", ["h7"], ["h8"], kernel_shape=[2], strides=[2]),
            node("Flatten", ["h8"], ["h9"]),
            node("Gemm", ["h9", "w4", "b4"], ["y"], transB=1),
        ],
        {
            "w1": weights(8, 3, 5), "b1": weights(8), "gain": weights(8), "offset": weights(8),
            "mean": weights(8), "variance": np.abs(weights(8)), "w2": weights(8, 1, 3),
            "zero": np.array(0, np.float32), "six": np.array(6, np.float32), "w3": weights(12, 8, 1),
            "c3": weights(12, 1), "w4": weights(5, 96), "b4": weights(5),
        },
        (32, 3),
    ),
    "picture": (
        [
            node("Conv", ["x", "w1"], ["h1"], pads=[1, 1, 1, 1]),
            node("Tanh", ["h1"], ["h2"]),
            node("AveragePool", ["h2"], ["h3"], kernel_shape=[2, 2], strides=[2, 2]),
            node("Mul", ["h3", "half"], ["h4"]),
            node("Conv", ["h4", "w2"], ["h5"]),
            node("Sigmoid", ["h5"], ["h6"]),
            node("GlobalAveragePool", ["h6"], ["h7"]),
            node("Reshape", ["h7", "to"], ["h8"]),
            node("MatMul", ["h8", "w3"], ["y"]),
        ],
        {
            "w1": weights(4, 2, 3, 3), "half": np.array(0.5, np.float32), "w2": weights(6, 4, 2, 3),
            "to": np.array([0, -1], np.int64), "w3": weights(6, 2),
        },
        (8, 10, 2),
    ),
    "the mean of places": (
        [node("Conv", ["x", "w"], ["h"]), node("ReduceMean", ["h"], ["y"], axes=[2], keepdims=0)],
        {"w": weights(4, 2, 3)},
        (9, 2),
    ),
    "the greatest of places": (
        [
            node("Conv", ["x", "w"], ["h"]),
            node("ReduceMax", ["h"], ["g"], axes=[-1], keepdims=1),
            node("Flatten", ["g"], ["y"]),
        ],
        {"w": weights(4, 2, 3)},
        (9, 2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PICTURES)
def test_convolutions_say_what_the_reference_says(name: str) -> None:
    """Channels come last here, and first in ONNX."""
    nodes, constants, shape = PICTURES[name]
    model = model_of(nodes, constants, dims=(None, shape[-1], *shape[:-1]))
    x = RNG.normal(size=(60, *shape)).astype(np.float32)
    (expected,) = reference.ReferenceEvaluator(model).run(None, {"x": np.moveaxis(x, -1, 1).copy()})
    rows = x.reshape(60, -1)
    brought = bring(model, [f"s{k}" for k in range(rows.shape[1])], vector=True)
    assert farthest(answers(brought, rows)["value"], expected) < 1e-6
    assert not targets_that_differ(brought, rows)


def test_a_recurrent_cell_takes_one_reading_after_the_other() -> None:
    d, h = 4, 6
    model = model_of(
        [
            node("GRU", ["x", "w", "r", "b"], ["h1", "last"], hidden_size=h, linear_before_reset=1),
            node("Squeeze", ["h1", "one"], ["h2"]),
            node("MatMul", ["h2", "head"], ["y"]),
        ],
        {
            "w": weights(1, 3 * h, d) / 2, "r": weights(1, 3 * h, h) / 2, "b": weights(1, 6 * h) / 2,
            "one": np.array([1], np.int64), "head": weights(h, 2),
        },
        dims=(None, 1, d),
    )  # fmt: skip
    (expected,) = reference.ReferenceEvaluator(model).run(None, {"x": X[:50, None]})
    brought = bring(model, NAMES)
    running = NumpyTarget().load(brought.program, pack(brought.program, brought.values))
    found = running.run(initial_state(brought.program), rows_of(brought, X[:50]))[1]["value"]
    assert farthest(found, expected[:, 0]) < 1e-6


@pytest.mark.parametrize(
    ("given", "constants", "says"),
    [
        (node("Conv", ["x", "w"], ["y"], dilations=[2]), {"w": weights(2, 3, 2)}, "Conv: .*dilates"),
        (node("Conv", ["x", "w"], ["y"], pads=[0, 1]), {"w": weights(2, 3, 2)}, "padding differs by side"),
        (node("Conv", ["x", "w"], ["y"], auto_pad="SAME_UPPER"), {"w": weights(2, 3, 2)}, "padding differs"),
        (node("Conv", ["x", "w"], ["y"], group=3), {"w": weights(6, 1, 2)}, "3 groups of channels"),
        (node("Conv", ["x", "x"], ["y"]), {}, "not constants"),
        (node("MaxPool", ["x"], ["y"], kernel_shape=[3], strides=[1]), {}, "blocks overlap"),
        (node("Transpose", ["x"], ["y"], perm=[0, 2, 1]), {}, "channels first"),
        (node("Reshape", ["x", "w"], ["y"]), {"w": np.array([0, 8, 6], np.int64)}, "another picture"),
        (node("Gemm", ["x", "w"], ["y"]), {"w": weights(16, 2)}, "Put Flatten before it"),
        (node("Clip", ["x", "w", "w"], ["y"]), {"w": np.array(1, np.float32)}, "kept within"),
        (node("Add", ["x", "w"], ["y"]), {"w": weights(3, 16)}, "one for each channel"),
        (node("ConvTranspose", ["x", "w"], ["y"]), {"w": weights(3, 2, 2)}, "ConvTranspose.*Gemm behind"),
        (node("QuantizeLinear", ["x", "w"], ["y"]), {"w": weights(1)}, "bimetal makes it int8 itself"),
        (node("LSTM", ["x", "w", "w"], ["y"], hidden_size=2), {"w": weights(1, 8, 3)}, "LSTM.*Use GRU"),
        (node("ReduceMean", ["x"], ["y"], axes=[1]), {}, "folds the axes .1."),
        (node("ReduceMean", ["x"], ["y"]), {}, "folds the axes .0."),
        (node("Attention", ["x"], ["y"]), {}, "Attention.*Use a net of Gemm"),
    ],
)
def test_pictures_that_cannot_be_brought_are_refused(
    given: Any, constants: dict[str, NDArray[Any]], says: str
) -> None:
    with pytest.raises(Unsupported, match=says):
        bring(model_of([given], constants, dims=(None, 3, 16)), [f"s{k}" for k in range(48)])


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("op", ["Gemm", "MatMul", "Add", "BatchNormalization"])
def test_weights_that_are_no_numbers_are_refused(op: str, value: float) -> None:
    count = 4 if op in ("Add", "BatchNormalization") else 16
    w = np.arange(1, count + 1, dtype=np.float32).reshape((4, 4) if count == 16 else (4,))
    w.reshape(-1)[1] = value
    inputs = ["x", "w"] if op != "BatchNormalization" else ["x", "w", "w", "w", "w"]
    with pytest.raises(BadInput, match=f"{op}: a weight is not finite.*Train it anew"):
        bring(model_of([node(op, inputs, ["y"])], {"w": w}), NAMES)


def test_layers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(BadInput, match=r"ONNX: .*weights meet.*Check the shape"):
        bring(model_of([node("MatMul", ["x", "w"], ["y"])], {"w": weights(5, 2)}), NAMES)
    model = model_of([node("Conv", ["x", "w"], ["y"])], {"w": weights(2, 3, 20)}, dims=(None, 3, 16))
    with pytest.raises(BadInput, match=r"ONNX: a kernel"):
        bring(model, [f"s{k}" for k in range(48)])
