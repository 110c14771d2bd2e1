"""What is computed of a program is computed once, and goes with it."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import pytest

from bimetal.program.digest import digest
from bimetal.program.layout import layout_of
from bimetal.program.letter import add
from bimetal.program.once import once
from bimetal.program.program import Draft, Program


def doubled(title: str = "doubled") -> Program:
    """A small program."""
    draft = Draft(title)
    x = draft.input("x")
    draft.output("y", add(x, x))
    return draft.finish()


def test_it_is_computed_once_for_each_program() -> None:
    asked: list[Program] = []

    @once
    def inputs(program: Program) -> int:
        """Count them."""
        asked.append(program)
        return len(program.inputs)

    one, other = doubled(), doubled()
    assert [inputs(p) for p in (one, other, one, other)] == [1, 1, 1, 1]
    assert asked == [one, other]
    assert inputs.__doc__ == "Count them."


def test_an_error_is_not_kept() -> None:
    tries: list[int] = []

    @once
    def second(program: Program) -> int:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError(program.title)
        return len(tries)

    program = doubled()
    with pytest.raises(ValueError, match="doubled"):
        second(program)
    assert second(program) == 2


def test_a_changed_copy_has_answers_of_its_own() -> None:
    program = doubled()
    before = digest(program)
    renamed = replace(program, title="other")
    assert not renamed.computed
    assert digest(renamed) == before, "the title does not count"
    more = replace(program, outputs=(*program.outputs, ("z", program.outputs[0][1])))
    assert digest(more) != before
    assert layout_of(more).output != layout_of(program).output


def test_nothing_outlives_its_program() -> None:
    class Answer:
        pass

    @once
    def answer(_: Program) -> Answer:
        return Answer()

    program = doubled()
    found = weakref.ref(answer(program))
    assert answer(program) is found()
    del program
    gc.collect()
    assert found() is None
