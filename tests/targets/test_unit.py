"""Units: what becomes of them when they are joined, and which element they write in a turn."""

from __future__ import annotations

from bimetal.program import letter
from bimetal.targets.index import Index
from bimetal.targets.loops import Buf, Lin, variable
from bimetal.targets.unit import Dest, Unit, identity

OUT = Buf("out", "y", "f32", 12)
A, B = letter.const([[1.0, 2.0]] * 3, "f32"), letter.iota(6)


def unit(serial: int, kind: str = "loop") -> Unit:
    """A unit of loops over (3, 2)."""
    return Unit(serial, kind, (3, 2), [A], {A: [Dest(OUT)]})


def test_loops_of_one_turn_have_no_variable() -> None:
    index: Index = identity((3, 1, 2))
    assert index == (variable("#0"), Lin(), variable("#2"))


def test_a_unit_writes_its_own_element() -> None:
    (dest,) = unit(0).dests[A]
    assert unit(0).written(A, dest) == variable("#0").times(2) + variable("#1")
    assert unit(0).written(A, dest.part(4)) == variable("#0").times(2) + variable("#1") + 4


def test_a_computed_place_is_any_place() -> None:
    dest = Dest(OUT, at=B, row=6)
    assert unit(0).written(A, dest) is None
    assert unit(0, "each").written(A, Dest(OUT)) is None


def test_places_have_names() -> None:
    assert Dest(OUT).place == "out y"
    assert Dest(None, var="held_1").place == "var held_1"


def test_a_unit_that_is_joined_is_found_in_the_other() -> None:
    first, second, third = unit(0), unit(1), unit(2)
    second.needs["out x"] = {None}
    third.reads["state s"] = {Lin()}
    third.nodes.append(B)
    second.absorb(third)
    first.absorb(second)
    assert third.find() is second.find() is first.find() is first
    assert first.nodes == [A, B]
    assert len(first.dests[A]) == 3
    assert first.needs == {"out x": {None}}
    assert first.reads == {"state s": {Lin()}}
