"""LiteRT: a program as a .tflite file, near to the law: within a stated bound, not bit for bit.

One call takes one reading of one device. The state goes in and comes out; the model's metadata say which
output is to be which input of the next call, and what the first call takes. Loops are written out, for
LiteRT's own cannot see what is outside them. Sums may be added up in another order.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from bimetal.targets.litert_graph import Graph
from bimetal.targets.litert_letter import LETTERS, joined
from bimetal.targets.pure import pure


def write_litert(program: Program, block: bytes) -> bytes:
    """Return a program with its parameters as a LiteRT model.

    Raises BadInput when the block does not fit, BadProgram when the program breaks a rule, Unsupported
    without the package ai-edge-litert, or for more axes or operators than LiteRT takes.
    """
    need("ai_edge_litert", "litert")
    check(program)
    made = pure(program)
    graph = Graph(ranges_of(made))
    writer = _Writer(graph, unpack(program, block))
    inputs = {i.name: graph.tensor(i.dtype, i.shape, i.name) for i in made.inputs}
    writer.inputs = inputs
    writer.scope(scope_of(made.roots()))
    outputs = {name: writer.given(node) for name, node in made.outputs}
    return graph.finish(inputs, outputs, said_of(program))


class _Writer:
    """Writes letters, arguments first."""

    def __init__(self, graph: Graph, params: Mapping[str, NDArray[Any]]) -> None:
        self.graph = graph
        self.params = params
        self.inputs: dict[str, int] = {}
        self.tensors: dict[Node, int] = {}
        self.loops: dict[Node, list[int]] = {}

    def scope(self, scope: Scope) -> None:
        """Write all letters of a body."""
        for node in scope.nodes:
            if node.op == "scan":
                self.loops[node] = self._scan(node, scope.inner[node])
            elif node.op == "each":
                self.tensors[node] = self._each(node, scope.inner[node])
            elif node.op not in ("carry", "iter"):
                self.tensors[node] = self._letter(node)

    def given(self, node: Node) -> int:
        """Return a tensor of its own for an output, in the type it is stored in."""
        tensor = self.tensors[node]
        return (
            self.graph.cast(tensor, node.dtype)
            if node.dtype in STORAGE
            else self.graph.shaped(tensor, node.shape)
        )

    def _letter(self, node: Node) -> int:
        match node.op:
            case "const":
                return self.graph.constant(inside(node.attr, node.dtype))
            case "param":
                return self.graph.constant(inside(self.params[node.name], node.dtype))
            case "iota":
                return self.graph.constant(np.arange(node.size, dtype=np.int32))
            case "input":
                return self.graph.cast(self.inputs[node.name], kind_of(node.dtype))
            case "result":
                return self.loops[node.args[0]][int(node.attr)]
            case _:
                return LETTERS[node.op](self.graph, node, [self.tensors[a] for a in node.args])

    def _scan(self, node: Node, body: Scope) -> list[int]:
        turns, carries, turn = node.attr
        held = [self.tensors[a] for a in node.args[: len(carries)]]
        for k in range(turns):
            self.tensors[turn] = self.graph.whole(k)
            self.tensors.update(zip(carries, held, strict=True))
            self.scope(body)
            held = [self.tensors[n] for n in nexts_of(node)]
        return held

    def _each(self, node: Node, body: Scope) -> int:
        turns, turn = node.attr
        (value,) = node.args
        parts: list[int] = []
        for k in range(turns):
            self.tensors[turn] = self.graph.whole(k)
            self.scope(body)
            parts.append(self.graph.shaped(self.tensors[value], (1, *value.shape)))
        return joined(self.graph, parts, kind_of(node.dtype), node.shape)
