"""Equal programs share a digest; others do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bimetal.program import letter
from bimetal.program.digest import digest
from bimetal.program.program import Draft, Program
from tests.agree.random_program import random_program


def program(gain: float = 2.0, *, high: float = 5, name: str = "y", unit: str = "") -> Program:
    """A small program."""
    draft = Draft("a")
    x, z = draft.input("x", unit=unit), draft.input("z")
    g = draft.param("gain", gain, low=0, high=high)
    s = draft.state("s", 0.0)
    draft.set(s, letter.add(letter.mul(x, g), z))
    draft.output(name, s)
    draft.output("other", z)
    return draft.finish()


def test_it_is_16_bytes() -> None:
    assert len(digest(program())) == 16


def test_it_depends_on_nothing_that_does_not_compute() -> None:
    one = program()
    assert digest(one) == digest(program(gain=3.0))
    assert digest(one) == digest(program(unit="bar"))
    assert digest(one) == digest(replace(one, title="another"))
    assert digest(one) == digest(
        replace(one, inputs=one.inputs[::-1], outputs=one.outputs[::-1], states=one.states[::-1])
    )


def test_it_depends_on_what_is_computed_and_laid_out() -> None:
    one = program()
    assert digest(one) != digest(program(high=6))
    assert digest(one) != digest(program(name="w"))
    assert digest(one) != digest(replace(one, sets=()))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_text_gives_the_same_digest(seed: int) -> None:
    assert digest(random_program(seed)[0]) == digest(random_program(seed)[0])


def test_many_programs_have_many_digests() -> None:
    assert len({digest(random_program(seed, 5)[0]) for seed in range(60)}) == 60
