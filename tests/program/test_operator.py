"""Operators are found by their entry points, made with knobs in range, and wired into programs."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from typing import ClassVar

import numpy as np
import pytest

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter
from bimetal.program.node import Node
from bimetal.program.operator import (
    GROUP,
    Checked,
    Example,
    Knob,
    knob,
    knobs_of,
    one,
    operators,
    type_of,
    wire,
)
from bimetal.program.operators.ewma import Ewma
from bimetal.program.operators.mahalanobis import Mahalanobis
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class Teager(Checked):
    """The energy of an oscillation, from three readings."""

    references: ClassVar[tuple[str, ...]] = ("Kaiser, ICASSP 1990",)
    gain: float = knob(1.0, low=0, high=10, unit="m/s2", what="how much it is amplified")
    steps: int = knob(1, low=1, high=4, what="how many steps")

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """x * x, times the gain."""
        x = one(signals, self)
        return letter.mul(letter.mul(x, x), self.gain)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """One."""
        return (Example(cls(), (np.array([2.0]),), ([4.0],)),)


def test_a_guest_comes_in_by_the_same_door(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = metadata.EntryPoint("teager", f"{__name__}:Teager", GROUP)
    monkeypatch.setattr(metadata.EntryPoint, "load", lambda self: Teager if self.name == "teager" else Ewma)
    monkeypatch.setattr("bimetal.program.operator.entry_points", lambda group: [entry])
    assert operators() == {"teager": Teager}


def test_what_is_no_operator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = metadata.EntryPoint("odd", "builtins:int", GROUP)
    monkeypatch.setattr("bimetal.program.operator.entry_points", lambda group: [entry])
    with pytest.raises(BadProgram, match="not an operator"):
        operators()


def test_built_in_operators_are_there() -> None:
    assert {"ewma", "window", "mahalanobis", "dense_int8"} <= set(operators())


@pytest.mark.parametrize("gain", [-0.1, 10.1, float("nan"), "1", None])
def test_a_knob_keeps_to_its_range(gain: object) -> None:
    with pytest.raises(BadProgram, match="amplified"):
        Teager(gain)  # pyright: ignore[reportArgumentType]


def test_a_whole_knob_takes_whole_numbers() -> None:
    with pytest.raises(BadProgram, match="whole number"):
        Teager(1.0, 2.5)  # pyright: ignore[reportArgumentType]
    assert Teager(3, 2).gain == 3


def test_knobs_describe_themselves() -> None:
    assert list(knobs_of(Teager)) == [
        Knob("gain", 1.0, 0, 10, "m/s2", "how much it is amplified"),
        Knob("steps", 1, 1, 4, "", "how many steps"),
    ]


def test_wiring_makes_a_program() -> None:
    program, values = wire(Mahalanobis(((2.0, 0.0), (0.0, 1.0))), (np.zeros((3, 2)),))
    assert [(i.name, i.dtype, i.shape) for i in program.inputs] == [("x0", "f32", (2,))]
    assert [name for name, _ in program.outputs] == ["y0", "y1"]
    assert list(values) == ["mahalanobis_matrix"]


def test_element_types_of_signals() -> None:
    kinds = {"f32": float, "i32": np.int64, "i8": np.int8, "u8": np.uint8, "i16": np.int16, "b1": bool}
    assert {type_of(np.zeros(1, kind)): None for kind in kinds.values()} == dict.fromkeys(kinds)


def test_one_signal_of_a_type() -> None:
    draft = Draft()
    x, n = draft.input("x"), draft.input("n", "i32")
    assert one((x,), Teager()) is x
    for signals in ((), (x, x), (n,)):
        with pytest.raises(BadProgram, match="Teager"):
            one(signals, Teager())
