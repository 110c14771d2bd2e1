"""`bimetal bring`: an ONNX file becomes a model that is built, shown and verified like any other."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bimetal.cli.bringing import table_of
from bimetal.nouns.errors import BadInput
from tests.cli.ground import call

onnx = pytest.importorskip("onnx", reason="needs the package onnx, which is not installed here")
helper, numpy_helper, TensorProto = onnx.helper, onnx.numpy_helper, onnx.TensorProto

HEAD = "heat,flow,speed,kind"
COUNT = 600


def saved(path: Path, nodes: list[Any], constants: dict[str, np.ndarray], dims: list[Any]) -> Path:
    """An ONNX file."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, dims)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(v, np.float32), k) for k, v in constants.items()],
    )
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()
    )
    return path


def separating(path: Path) -> Path:
    """A net of two layers that says whether heat and flow together are large."""
    node = helper.make_node
    nodes = [
        node("Gemm", ["x", "w1", "b1"], ["h"], transB=1),
        node("Relu", ["h"], ["r"]),
        node("Gemm", ["r", "w2", "b2"], ["s"], transB=1),
        node("Softmax", ["s"], ["y"]),
    ]
    w1 = np.zeros((4, 3))
    w1[0], w1[1], w1[2] = [1, 20, 0], [-1, -20, 0], [0.1, 0, 0.001]
    w2 = np.array([[-1.0, 1, 0, 0], [1, -1, 0, 0]])
    constants = {"w1": w1, "b1": np.array([-90.0, 90, 0, 0]), "w2": w2,
                 "b2": np.zeros(2)}  # fmt: skip
    return saved(path, nodes, constants, [None, 3])


def table(path: Path, head: str = HEAD) -> Path:
    """Rows, each with its kind in the last column."""
    rng = np.random.default_rng(1)
    heat, flow, speed = rng.normal(40, 8, COUNT), rng.normal(2.5, 0.4, COUNT), rng.normal(900, 50, COUNT)
    kind = (heat + 20 * flow > 90).astype(int)
    lines = [f"{h:.4f},{f:.4f},{s:.2f},{k}" for h, f, s, k in zip(heat, flow, speed, kind, strict=True)]
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """The net, with its rows beside it."""
    table(tmp_path / "rows.csv")
    return separating(tmp_path / "net.onnx")


def int8_of(net: Path) -> tuple[object, ...]:
    """The words that bring a net over in int8, the model's name last."""
    rows, model = net.with_name("rows.csv"), net.with_name("m.bm")
    return ("bring", net, rows, "--answers", "kind", "-o", model)


def test_floats_come_over(net: Path) -> None:
    words = ("--answers", "kind", "--profile", "f32", "-o", net.with_name("m.bm"))
    ended = call("bring", net, net.with_name("rows.csv"), *words)
    assert (ended.code, ended.err) == (0, "")
    assert "profile f32: nothing was rounded" in ended.out
    assert "net, gives label, score[2]; 104 bytes learned" in ended.out
    assert "Next: bimetal build" in ended.out


def test_int8_says_what_was_lost(net: Path) -> None:
    words = int8_of(net)
    found = json.loads(call(*words, "--json").out)
    assert found["int8"]["what"] == "accuracy"
    assert found["int8"]["rows"] == COUNT // 3
    assert found["int8"]["float_figure"] == 1.0
    assert 0.95 < found["int8"]["int8_figure"] <= 1.0
    assert found["outputs"] == {"label": [], "score": [2]}
    again = call(*words[:-1], net.with_name("n.bm"))
    assert "accuracy" in again.out
    assert "instead of 1.0000 on 200 rows held out" in again.out


@pytest.mark.needs("make", "gcc")
def test_what_came_over_is_a_model_like_any_other(net: Path) -> None:
    model, folder = net.with_name("m.bm"), net.with_name("c")
    assert call("bring", net, net.with_name("rows.csv"), "--answers", "kind", "-o", model).code == 0
    assert call("build", model, "-o", folder).code == 0
    done = subprocess.run(["make", "-C", str(folder), "test"], capture_output=True, text=True, check=True)
    assert "vectors: 32 of 32 equal" in done.stdout
    assert call("build", model, "--board", "nucleo-l432kc", "-o", net.with_name("b")).code == 0
    shown = call("show", model)
    assert shown.code == 0
    assert "net, trained elsewhere" in shown.out
    assert "limit: classes: 0, 1" in shown.out
    assert "promise" not in shown.out
    assert "was shown 600 rows\n" in shown.out
    assert "devices: any that has these signals\n" in shown.out
    assert call("verify", model).code == 0
    words = call("run", model, net.with_name("rows.csv")).sentence(1)
    assert "raises no alarms: it gives label, score" in words


def test_a_net_over_time_takes_all_its_readings_as_one_input(tmp_path: Path) -> None:
    node, rng = helper.make_node, np.random.default_rng(2)
    nodes = [node("Conv", ["x", "w"], ["h"], pads=[1, 1]), node("Relu", ["h"], ["r"]),
             node("GlobalAveragePool", ["r"], ["p"]), node("Flatten", ["p"], ["y"])]  # fmt: skip
    path = saved(tmp_path / "wave.onnx", nodes, {"w": rng.normal(size=(4, 2, 3))}, [None, 2, 12])
    head = ",".join(f"t{k}c{c}" for k in range(12) for c in range(2))
    rows = [",".join(f"{v:.4f}" for v in r) for r in rng.normal(size=(90, 24))]
    (tmp_path / "rows.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
    words = ("bring", path, tmp_path / "rows.csv", "-o", tmp_path / "m.bm", "--json")
    found = json.loads(call(*words).out)
    assert found["outputs"] == {"value": [4]}
    assert found["int8"]["what"] == "agreement"
    assert found["int8"]["agreement"] > 0.9
    assert call("verify", tmp_path / "m.bm").code == 0


def test_too_great_a_loss_is_a_gate_and_writes_nothing(net: Path) -> None:
    text = net.with_name("rows.csv").read_text().splitlines()
    text[1] = "1e9,1e9,1e9,1"
    net.with_name("rows.csv").write_text("\n".join(text), encoding="utf-8")
    words = int8_of(net)
    said = call(*words, "--profile", "integer").sentence(3)
    assert "collapsed" in said or "int8 loses" in said
    assert not net.with_name("m.bm").exists()


def test_where_whole_numbers_lose_too_much_it_stays_in_floats_and_says_why(net: Path) -> None:
    rows, model = net.with_name("rows.csv"), net.with_name("m.bm")
    text = rows.read_text().splitlines()
    rows.write_text("\n".join([text[0], "1e9,1e9,1e9,1", *text[2:]]), encoding="utf-8")
    ended = call(*int8_of(net))
    assert ended.code == 0
    assert "profile f32: the int8 net has collapsed: it never gives 1 of 2 classes" in ended.out
    assert "of parameters; profile f32\n" in call("show", model).out
    rows.write_text("\n".join(text[:9]), encoding="utf-8")
    found = json.loads(call(*int8_of(net)[:-1], net.with_name("few.bm"), "--json").out)
    assert (found["profile"], found["int8"]) == ("f32", None)
    assert found["why"] == "6 rows without gaps are too few to see how large values become"


def test_a_build_of_the_other_profile_is_refused(net: Path) -> None:
    model = net.with_name("m.bm")
    assert call(*int8_of(net)).code == 0
    output, board = net.with_name("c"), ("--board", "nucleo-l031k6")
    said = call("build", model, *board, "--profile", "f32", "-o", output).sentence(3)
    assert (
        "it is of the profile integer, not f32. Bring it again: bimetal bring NET ROWS --profile f32" in said
    )
    assert not output.exists()
    ended = call("build", model, *board, "--profile", "integer", "-o", output)
    assert ended.code == 0
    told = re.search(r"note: profile integer: (\d+) operations on floats and (\d+) on whole", ended.out)
    assert told
    assert 0 < int(told[1]) < 100
    assert int(told[2]) >= 3 * 4 + 4 * 2


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (
            ("net.onnx", "rows.csv"),
            1,
            "4 signals are named. Columns of rows.csv: heat, flow, speed, kind; --answers",
        ),
        (("net.onnx", "rows.csv", "--answers", "what"), 1, "no column 'what'. Columns: heat"),
        (("net.onnx", "nowhere.csv"), 1, "cannot be read"),
        (("nowhere.onnx", "rows.csv"), 1, "cannot be read"),
        (("net.pt", "rows.csv"), 1, r"runs code when it is opened. Export it: torch.onnx.export"),
        (("net.pkl", "rows.csv"), 1, "runs code when it is opened"),
        (("net.tflite", "rows.csv"), 1, "is not read. Export the model as ONNX"),
        (("rows.csv", "rows.csv"), 1, "it is no ONNX model"),
        (("empty.onnx", "rows.csv"), 1, "there is no operator in it"),
        (("cut.onnx", "rows.csv"), 1, "it is no ONNX model"),
        (("net.onnx", "net.onnx"), 1, "it is no CSV file"),
        (("net.onnx", "rows.csv", "--profile", "f32", "--most-loss", "0.1"), 1, "floats lose nothing"),
        (("net.onnx", "rows.csv", "--most-loss", "2"), 1, "a share such as 0.02"),
    ],
)
def test_it_says_no_in_words(words: tuple[str, ...], code: int, says: str, net: Path) -> None:
    for name in ("net.pt", "net.pkl", "net.tflite", "empty.onnx"):
        net.with_name(name).write_bytes(b"")
    net.with_name("cut.onnx").write_bytes(net.read_bytes()[:100])
    paths = [net.with_name(w) if "." in w and not w[0].isdigit() else w for w in words]
    assert says in call("bring", *paths, "-o", net.with_name("m.bm")).sentence(code)
    assert not net.with_name("m.bm").exists()


def test_trees_have_no_int8(net: Path) -> None:
    node = helper.make_node("Abs", ["x"], ["y"])
    saved(net, [node], {}, [None, 3])
    words = int8_of(net)
    assert "Abs: it cannot be brought over" in call(*words).sentence(1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "needs a heading"),
        ("a,b\n", "needs a heading"),
        ("a,a\n1,2\n", "different names"),
        ("a,\n1,2\n", "different names"),
        ("a,b\n1,2\n3\n", "line 3 has 1 cells"),
        ("a,b\n1,x\n", "line 2: 'x' is no number, in 'b'"),
    ],
)
def test_tables_that_are_none(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=says):
        table_of(tmp_path / "t.csv", None)


def test_gaps_and_answers(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,what,b\n1,yes,\n\nNaN,no,2.5\n", encoding="utf-8")
    rows = table_of(tmp_path / "t.csv", "what")
    assert rows.names == ("a", "b")
    assert rows.answers == ["yes", "no"]
    assert np.isnan(rows.values).tolist() == [[False, True], [True, False]]
