"""ONNX: a program as a graph that others can run, near to the law: within a stated bound, not bit for bit.

One call takes one reading of one device. The state goes in and comes out; the model's metadata say which
output is to be which input of the next call, and what the first call takes. Sums may be added up in another
order, so a number may differ in its last digits, and with it what is decided where it stands on the edge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.program.block import unpack
from bimetal.program.node import STORAGE, Node
from bimetal.program.program import Program
from bimetal.program.range import ranges_of
from bimetal.program.scope import Scope, nexts_of, scope_of
from bimetal.program.verify import check
from bimetal.targets.export import inside, kind_of, need, said_of
from bimetal.targets.onnx_graph import Graph, Shared, body_of, model_of, value
from bimetal.targets.onnx_letter import LETTERS
from bimetal.targets.pure import pure


def write_onnx(program: Program, block: bytes) -> bytes:
    """Return a program with its parameters as an ONNX model.

    An output that is called as an input is gets the tail `_out`: in ONNX both would be the same.
    Raises BadInput when the block does not fit, BadProgram when the program breaks a rule, Unsupported
    without the package onnx.
    """
    need("onnx", "onnx")
    check(program)
    made = pure(program)
    writer = _Writer(Graph(Shared(ranges_of(made))), unpack(program, block))
    taken = {i.name for i in made.inputs}
    names = [name if name not in taken else f"{name}_out" for name, _ in made.outputs]
    writer.whole(made, names)
    inputs = [value(i.name, i.dtype, i.shape) for i in made.inputs]
    outputs = [
        value(name, node.dtype, node.shape) for name, (_, node) in zip(names, made.outputs, strict=True)
    ]
    return model_of(writer.graph, "bimetal", inputs, outputs, said_of(program))


class _Writer:
    """Writes letters, arguments first."""

    def __init__(self, graph: Graph, params: Mapping[str, NDArray[Any]]) -> None:
        self.graph = graph
        self.params = params
        self.names: dict[Node, str] = {}
        self.loops: dict[Node, list[str]] = {}

    def whole(self, made: Program, names: Sequence[str]) -> None:
        """Write a whole program; its outputs get these names, and the types they are stored in."""
        self._scope(scope_of(made.roots()), self.graph)
        for wanted, (_, node) in zip(names, made.outputs, strict=True):
            op = "Cast" if node.dtype in STORAGE else "Identity"
            self.graph.add_as(op, self.names[node], wanted, node.dtype)

    def _scope(self, scope: Scope, graph: Graph) -> None:
        for node in scope.nodes:
            if node in self.names:
                continue
            if node.op == "scan":
                self.loops[node] = self._scan(node, scope.inner[node], graph)
            elif node.op == "each":
                self.names[node] = self._each(node, scope.inner[node], graph)
            else:
                self.names[node] = self._letter(node, graph)

    def _letter(self, node: Node, graph: Graph) -> str:
        match node.op:
            case "const":
                return graph.constant(inside(node.attr, node.dtype))
            case "param":
                return graph.constant(inside(self.params[node.name], node.dtype))
            case "iota":
                return graph.constant(np.arange(node.size, dtype=np.int32))
            case "input":
                return graph.cast(node.name, "i32") if node.dtype in STORAGE else node.name
            case "result":
                return self.loops[node.args[0]][int(node.attr)]
            case _:
                return LETTERS[node.op](graph, node, [self.names[a] for a in node.args])

    def _scan(self, node: Node, scope: Scope, graph: Graph) -> list[str]:
        turns, carries, turn = node.attr
        starts = [self.names[a] for a in node.args[: len(carries)]]
        self.names.update({c: graph.fresh("held") for c in carries})
        held = [_declared(self.names[c], c) for c in carries]
        return self._loop(graph, scope, turns, turn, nexts_of(node), held, starts)

    def _each(self, node: Node, scope: Scope, graph: Graph) -> str:
        turns, turn = node.attr
        (name,) = self._loop(graph, scope, turns, turn, node.args, (), ())
        return name

    def _loop(
        self,
        graph: Graph,
        scope: Scope,
        turns: int,
        turn: Node,
        gives: Sequence[Node],
        held: Sequence[Any],
        starts: Sequence[str],
    ) -> list[str]:
        """Write a loop: its turn is a whole number of 64 bits in ONNX, and it is asked whether to go on."""
        body = graph.inside()
        at, going, goes_on = (body.fresh(hint) for hint in ("turn", "going", "going"))
        self.names[turn] = body.cast(at, "i32")
        self._scope(scope, body)
        body.add_as("Identity", going, goes_on, "b1")
        after = [body.add("Identity", (self.names[n],)) for n in gives]
        given = [_declared(name, n) for name, n in zip(after, gives, strict=True)]
        inputs = [value(at, "i64", ()), value(going, "b1", ()), *held]
        written = body_of(body, body.fresh("body"), inputs, [value(goes_on, "b1", ()), *given])
        count = graph.constant(np.array(turns, np.int64))
        return graph.add_many("Loop", [count, "", *starts], len(after), body=written)


def _declared(name: str, node: Node) -> Any:
    return value(name, kind_of(node.dtype), node.shape)
