"""Range: between which values every letter of a program stays, and what goes wrong where it does not.

Method: interval analysis (Moore, Interval Analysis, 1966). Inputs are believed to be anything their
type can hold; parameters stay within their declared ranges, which loading a block checks; a state is
believed to stay within its declared range because what is written to it is proven to. An f32 state
whose range is that of its type claims nothing on that side. Whether an f32 state may be NaN is found
by induction from its first value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce as fold

import numpy as np

from bimetal.program import interval as of
from bimetal.program.interval import INFINITY, Interval
from bimetal.program.node import Node
from bimetal.program.program import Program, State, bounds_of
from bimetal.program.refine import refine
from bimetal.program.rule import problem_of, ruled
from bimetal.program.scope import Scope, nexts_of, scope_of

BUDGET = 100_000
"""How many letters of loop bodies are looked at before everything a loop carries may be anything."""


@dataclass(slots=True)
class Ranges:
    """What was found: the interval of every node and of every state, and the problems by node."""

    nodes: dict[Node, Interval] = field(default_factory=dict[Node, Interval])
    states: dict[str, Interval] = field(default_factory=dict[str, Interval])
    problems: dict[Node, str] = field(default_factory=dict[Node, str])

    def __getitem__(self, node: Node) -> Interval:
        return self.nodes[node]


def ranges_of(program: Program) -> Ranges:
    """Return the interval of every node a program computes; problems are collected, not raised.

    Raises BadProgram where loops do not hold together (see scope_of), KeyError for unknown names.
    """
    scope = scope_of(program.roots())
    owner = {s.name: s for s in program.states}
    may_be_nan = {s.name for s in program.states if s.dtype == "f32" and np.isnan(s.init).any()}
    while True:
        found = Ranges(states={s.name: _of_state(s, s.name in may_be_nan) for s in program.states})
        _Walk(program, found).scope(scope)
        grown = {s.state for s in program.sets if owner[s.state].dtype == "f32" and found[s.value].nan}
        if grown <= may_be_nan:
            return found
        may_be_nan |= grown


def claims(state: State) -> tuple[float, float]:
    """Return the range a state must keep to: infinite where an f32 state claims nothing."""
    least, most = bounds_of(state.dtype)
    if state.dtype != "f32":
        return max(state.low, least), min(state.high, most)
    return (
        -INFINITY if state.low <= least else state.low,
        INFINITY if state.high >= most else state.high,
    )


def _of_state(state: State, nan: bool) -> Interval:
    low, high = claims(state)
    found = of.declared(low, high, state.dtype)
    return Interval(found.low, found.high, nan)


class _Walk:
    """One pass over a program's letters."""

    def __init__(self, program: Program, found: Ranges) -> None:
        self.found = found
        self.params = {p.name: of.declared(p.low, p.high, p.dtype) for p in program.params}
        self.now: dict[Node, Interval] = {}
        self.left = BUDGET

    def scope(self, scope: Scope) -> None:
        """Find the interval of every node of a scope, and join it to what other turns found."""
        for node in scope.nodes:
            if node.op in ("scan", "each"):
                self._loop(node, scope.inner[node])
            else:
                self._note(node, self._interval(node))

    def _note(self, node: Node, interval: Interval) -> None:
        self.now[node] = interval
        known = self.found.nodes.get(node)
        self.found.nodes[node] = known.join(interval) if known else interval

    def _interval(self, node: Node) -> Interval:
        if node.op == "state":
            return self.found.states[node.name]
        if node.op == "param":
            return self.params[node.name]
        if node.op == "input":
            return of.whole_of(node.dtype)
        if node.op in ("carry", "iter"):
            return self.now[node]
        if node.op == "result":
            loop = node.args[0]
            return self.now[nexts_of(loop)[node.attr]]
        if node.op == "where":
            return self._where(node)
        return self._fits(node, ruled(node, [self.now[a] for a in node.args]))

    def _fits(self, node: Node, found: Interval) -> Interval:
        """Note a problem, and where whole numbers overflow go on with what fits."""
        problem = problem_of(node, [self.now[a] for a in node.args])
        inside = node.dtype == "f32" or found.inside(*bounds_of(node.dtype))
        if problem or not inside:
            self.found.problems[node] = problem or f"its values {found} do not fit {node.dtype}"
        if inside:
            return found
        low, high = bounds_of(node.dtype)
        return Interval(min(max(found.low, low), high), max(min(found.high, high), low))

    def _where(self, node: Node) -> Interval:
        condition, a, b = node.args
        if self.now[condition].low == 1:
            return self.now[a]
        if self.now[condition].high == 0:
            return self.now[b]
        arms = [refine(condition, True, a, self.now, ruled), refine(condition, False, b, self.now, ruled)]
        reachable = [arm for arm in arms if arm.low <= arm.high]
        return fold(Interval.join, reachable) if reachable else self.now[a].join(self.now[b])

    def _loop(self, loop: Node, body: Scope) -> None:
        turns: int = loop.attr[0]
        if loop.op == "each":
            self.now[loop.attr[1]] = Interval(0, turns - 1)
            self.scope(body)
            self._note(loop, self.now[loop.args[0]])
            return
        carries: tuple[Node, ...] = loop.attr[1]
        held = [self.now[s] for s in loop.args[: len(carries)]]
        if turns * _weight(body) <= self.left:
            for turn in range(turns):
                held = self._turn(loop, body, held, Interval(turn, turn))
        else:
            self._widen(loop, body, held)
        self.found.nodes[loop] = self.now[loop] = Interval(0, 0)

    def _turn(self, loop: Node, body: Scope, held: list[Interval], turn: Interval) -> list[Interval]:
        self.left -= len(body.nodes)
        _, carries, at = loop.attr
        for node, interval in [(at, turn), *zip(carries, held, strict=True)]:
            self.now[node] = interval
        self.scope(body)
        return [self.now[n] for n in nexts_of(loop)]

    def _widen(self, loop: Node, body: Scope, held: list[Interval]) -> None:
        """Join turns until nothing grows; what still grows after a few goes to the type's bounds."""
        whole = Interval(0, loop.attr[0] - 1)
        for k in range(min(loop.attr[0], 64)):
            if self.left <= 0:
                held = [of.whole_of(c.dtype) for c in loop.attr[1]]
            nexts = self._turn(loop, body, held, whole)
            joined = [a.join(b) for a, b in zip(held, nexts, strict=True)]
            if joined == held:
                return
            if k >= 3:
                joined = [_grown(a, b, c.dtype) for a, b, c in zip(held, joined, loop.attr[1], strict=True)]
            held = joined


def _grown(before: Interval, after: Interval, dtype: str) -> Interval:
    whole = of.whole_of(dtype)
    return Interval(
        whole.low if after.low < before.low else after.low,
        whole.high if after.high > before.high else after.high,
        after.nan,
    )


def _weight(body: Scope) -> int:
    inner = [
        (s.loop.attr[0] if s.loop and s.loop.op == "scan" else 1) * _weight(s) for s in body.inner.values()
    ]
    return len(body.nodes) + sum(inner)
