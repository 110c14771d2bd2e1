"""Operator: one pure step with named parameters, spelled in letters; and where operators are found.

An operator is a frozen dataclass in a file of its own:

    @dataclass(frozen=True, slots=True)
    class Ewma(Checked):
        '''Exponentially weighted moving average.'''

        references: ClassVar[tuple[str, ...]] = ("Roberts, Technometrics 1, 1959",)
        weight: float = knob(0.1, low=0, high=1, what="how much the newest reading counts")

        def trace(self, draft: Draft, *signals: Node) -> Node: ...

        @classmethod
        def examples(cls) -> tuple[Example, ...]: ...

It is registered under the entry point group `bimetal.operators`, as the built-in ones are, and then
runs on every target. Its docstring and examples are its documentation, and its tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from importlib.metadata import entry_points
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bimetal.nouns.errors import BadProgram
from bimetal.program.node import DTYPES, Node
from bimetal.program.program import Draft, Program

GROUP = "bimetal.operators"


class Operator(Protocol):
    """A pure step: nodes in, nodes out, with fixed state and shapes."""

    references: ClassVar[tuple[str, ...]]

    def trace(self, draft: Draft, *signals: Node) -> Node | tuple[Node, ...]:
        """Spell the step in letters; raises BadProgram for signals it cannot take."""
        ...

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Return what it gives for known signals: its documentation and its oracle."""
        ...


@dataclass(frozen=True, slots=True)
class Example:
    """What an operator gives for known signals.

    `signals` are arrays (n, ...), a row for each reading, in an element type of node.DTYPES;
    `gives` are arrays with a row for each firing of that output. They agree to `within`, absolutely;
    NaN agrees with NaN.
    """

    operator: Operator
    signals: tuple[NDArray[Any], ...]
    gives: tuple[ArrayLike, ...]
    within: float = 0.0


@dataclass(frozen=True, slots=True)
class Knob:
    """A parameter of an operator: its default, its range and unit, and what it does."""

    name: str
    default: Any
    low: float
    high: float
    unit: str
    what: str


def knob(default: Any, *, low: float, high: float, what: str, unit: str = "") -> Any:
    """Declare a number an operator is made with; Checked holds it to its range.

    `unit` is a UCUM code, or empty for a pure number or a number of readings.
    """
    return field(default=default, metadata={"low": low, "high": high, "unit": unit, "what": what})


class Checked:
    """Checks the knobs of an operator when it is made; raises BadProgram outside their ranges."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for k in knobs_of(type(self)):
            value = getattr(self, k.name)
            whole = isinstance(k.default, int)
            if not isinstance(value, int if whole else (int, float)) or not k.low <= value <= k.high:
                kind = "whole number" if whole else "number"
                raise BadProgram(
                    f"{k.name} must be a {kind} within {k.low}..{k.high}, not {value!r}",
                    where=type(self).__name__,
                    hint=f"It is {k.what}",
                )


def knobs_of(kind: type[Any]) -> Iterator[Knob]:
    """Yield the knobs of an operator's class."""
    for f in fields(kind):
        if "what" in f.metadata:
            yield Knob(f.name, f.default, **f.metadata)


def operators() -> dict[str, type[Operator]]:
    """Return every operator this installation has, by its name; raises BadProgram for one that is none."""
    found: dict[str, type[Operator]] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        kind = entry.load()
        if not all(hasattr(kind, name) for name in ("trace", "examples", "references")):
            raise BadProgram(f"{entry.value} is not an operator", where=entry.name)
        found[entry.name] = kind
    return found


def wire(operator: Operator, signals: Sequence[NDArray[Any]]) -> tuple[Program, dict[str, NDArray[Any]]]:
    """Return a program of one operator, fed with signals like these, and its parameters' values.

    Its inputs are x0, x1, ..., its outputs y0, y1, ...
    """
    draft = Draft(type(operator).__name__)
    nodes = [draft.input(f"x{k}", type_of(s), s.shape[1:]) for k, s in enumerate(signals)]
    made = operator.trace(draft, *nodes)
    for k, node in enumerate(made if isinstance(made, tuple) else (made,)):
        draft.output(f"y{k}", node)
    return draft.finish(), draft.values


def type_of(signal: NDArray[Any]) -> str:
    """Return the element type of a signal's values: f32 for any float, b1 for truth values."""
    if signal.dtype.kind == "f":
        return "f32"
    if signal.dtype == np.bool_:
        return "b1"
    names = {d: name for name, d in DTYPES.items() if name not in ("b1", "f32")}
    return names.get(signal.dtype, "i32")


def one(signals: Sequence[Node], operator: Operator, dtype: str = "f32") -> Node:
    """Return the only signal, or raise BadProgram where there are others or its type is another."""
    if len(signals) != 1 or signals[0].dtype != dtype:
        raise BadProgram(f"it takes one {dtype} signal, not {list(signals)}", where=type(operator).__name__)
    return signals[0]
