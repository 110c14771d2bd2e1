"""Program: letters wired, with known inputs, outputs, state and parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bimetal.nouns.errors import BadProgram
from bimetal.program.node import DTYPES, EVERY, Clock, Node, walk


@dataclass(frozen=True, slots=True)
class Input:
    """One thing a device feeds in at every reading: a value of `shape`, within low..high or NaN if f32."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    unit: str = ""
    low: float = float("-inf")
    high: float = float("inf")


@dataclass(frozen=True, slots=True)
class Param:
    """A learned constant. Its *declared* range is what proofs use and what loading checks."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    unit: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What a device remembers between readings; owned and written by one clock."""

    name: str
    init: NDArray[Any]
    dtype: str
    low: float
    high: float
    clock: Clock

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one device's state."""
        return self.init.shape


@dataclass(frozen=True, slots=True, eq=False)
class SetTo:
    """Write `value` to a state at the end of its clock's stage; `at` picks one item of axis 0.

    All values and indices of a stage are computed from the states as they were before it.
    """

    state: str
    value: Node
    at: Node | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Letters wired: inputs, parameters, states, what is written to them, and named outputs.

    Stages: one per clock, in the order of `clocks` (fast first). At reading t (counted from 0)
    the stage of Clock(period, first) fires when t >= first and (t - first) % period == 0. A stage
    that reads a state of a faster clock sees it as that clock's stage of this very reading left it.
    """

    inputs: tuple[Input, ...]
    params: tuple[Param, ...]
    states: tuple[State, ...]
    sets: tuple[SetTo, ...]
    outputs: tuple[tuple[str, Node], ...]
    title: str = "program"
    computed: dict[object, object] = field(default_factory=dict[object, object], init=False, repr=False)
    """What was computed of it, by the function that did: see once.py."""

    @property
    def clocks(self) -> tuple[Clock, ...]:
        """Every clock something is written or put out at, fastest first; EVERY always leads."""
        found = {s.clock for s in self.states} | {n.clock for _, n in self.outputs if n.clock is not None}
        return (EVERY, *sorted(found - {EVERY}))

    def roots(self, clock: Clock | None = None) -> tuple[Node, ...]:
        """The nodes that must be computed, for one clock or for all of them."""
        owner = {s.name: s.clock for s in self.states}
        nodes: list[Node] = []
        for s in self.sets:
            if clock is None or owner[s.state] == clock:
                nodes += [s.value] if s.at is None else [s.value, s.at]
        nodes += [n for _, n in self.outputs if clock is None or (n.clock or EVERY) == clock]
        return tuple(nodes)

    def nodes(self) -> Iterator[Node]:
        """Every node once, arguments first."""
        return walk(self.roots())


@dataclass(slots=True)
class Draft:
    """A program while it is being written: operators add to it, `finish` closes it."""

    title: str = "program"
    values: dict[str, NDArray[Any]] = field(default_factory=dict[str, NDArray[Any]])
    _inputs: dict[str, Input] = field(default_factory=dict[str, Input])
    _params: dict[str, Param] = field(default_factory=dict[str, Param])
    _states: dict[str, State] = field(default_factory=dict[str, State])
    _sets: list[SetTo] = field(default_factory=list[SetTo])
    _outputs: dict[str, Node] = field(default_factory=dict[str, Node])

    def input(self, name: str, dtype: str = "f32", shape: tuple[int, ...] = (), *, unit: str = "") -> Node:
        """Declare what is fed in at every reading."""
        self._fresh(name, self._inputs)
        self._inputs[name] = Input(name, shape, dtype, unit)
        return Node("input", (), shape, dtype, clock=EVERY, name=name)

    def param(
        self,
        name: str,
        value: ArrayLike,
        dtype: str = "f32",
        *,
        low: float | None = None,
        high: float | None = None,
        unit: str = "",
    ) -> Node:
        """Declare a learned constant with its present value and the range any later value keeps to."""
        self._fresh(name, self._params)
        array = np.array(value, dtype=DTYPES[dtype])
        least, most = bounds_of(dtype)
        self._params[name] = Param(
            name, array.shape, dtype, least if low is None else low, most if high is None else high, unit
        )
        self.values[name] = array
        return Node("param", (), array.shape, dtype, name=name)

    def state(
        self,
        name: str,
        init: ArrayLike,
        dtype: str = "f32",
        *,
        low: float | None = None,
        high: float | None = None,
        clock: Clock = EVERY,
    ) -> Node:
        """Declare what is remembered; the node reads it as it was before this stage."""
        name = self._unique(name)
        array = np.array(init, dtype=DTYPES[dtype])
        array.setflags(write=False)
        least, most = bounds_of(dtype)
        self._states[name] = State(
            name, array, dtype, least if low is None else low, most if high is None else high, clock
        )
        return Node("state", (), array.shape, dtype, clock=clock, name=name)

    def set(self, state: Node, value: Node, at: Node | None = None) -> None:
        """Write a state once a stage: the whole of it, or the one item `at` of its first axis."""
        if any(s.state == state.name for s in self._sets):
            raise BadProgram(f"state {state.name!r} is written twice", where=self.title)
        expected = state.shape if at is None else state.shape[1:]
        if value.shape != expected or value.dtype != state.dtype:
            raise BadProgram(f"state {state.name!r} {state!r} cannot hold {value!r}", where=self.title)
        if (value.clock or state.clock) != state.clock or (
            at is not None and (at.clock or state.clock) != state.clock
        ):
            raise BadProgram(
                f"state {state.name!r} of {state.clock} is written at {value.clock}", where=self.title
            )
        self._sets.append(SetTo(state.name, value, at))

    def output(self, name: str, value: Node) -> None:
        """Name a value as an output."""
        self._fresh(name, self._outputs)
        self._outputs[name] = value

    def finish(self) -> Program:
        """Close the draft. Call verify.check on the result before it is used."""
        return Program(
            tuple(self._inputs.values()),
            tuple(self._params.values()),
            tuple(self._states.values()),
            tuple(self._sets),
            tuple(self._outputs.items()),
            self.title,
        )

    def _fresh(self, name: str, taken: Mapping[str, object]) -> None:
        if not name.isidentifier():
            raise BadProgram(f"{name!r} is not an identifier", where=self.title)
        if name in taken:
            raise BadProgram(f"{name!r} is declared twice", where=self.title)

    def _unique(self, name: str) -> str:
        self._fresh(name, {})
        if name not in self._states:
            return name
        return next(f"{name}_{k}" for k in range(2, 10**6) if f"{name}_{k}" not in self._states)


def bounds_of(dtype: str) -> tuple[float, float]:
    """Return the least and the greatest finite value of a type."""
    if dtype == "f32":
        most = float(np.finfo(np.float32).max)
        return -most, most
    if dtype == "b1":
        return 0, 1
    kind = np.iinfo(DTYPES[dtype])
    return int(kind.min), int(kind.max)
