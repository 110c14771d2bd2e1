"""Names of emitted code: each its own, and none that means something else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.nouns.errors import BadInput
from bimetal.program import letter
from bimetal.targets.c99 import write_c99
from bimetal.targets.name import RESERVED, TAKEN, Names, hint, spelled
from tests.targets.given import lowered, small

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@given(st.lists(st.from_regex(r"[^\W\d]\w{0,8}", fullmatch=True), min_size=2, max_size=2, unique=True))
def test_different_names_stay_different(names: list[str]) -> None:
    first, second = map(spelled, names)
    assert first != second
    assert IDENTIFIER.fullmatch(first)
    assert first not in RESERVED


@pytest.mark.parametrize("name", ["float", "class", "NAN", "x__y", "_x", "größe", "f_x", "温度"])
def test_what_c_keeps_for_itself_is_spelled_otherwise(name: str) -> None:
    assert spelled(name) != name
    assert spelled(name).startswith("f_")


@pytest.mark.parametrize("name", ["x", "temperature_2", "Kelvin"])
def test_a_plain_name_is_left_alone(name: str) -> None:
    assert spelled(name) == name


def test_fresh_names_are_fresh() -> None:
    names = Names()
    found = [names.fresh("x"), names.fresh("x"), names.fresh("y"), names.fresh("x_1")]
    assert found == ["x_1", "x_2", "y_1", "x_1_1"]


def test_a_value_is_called_what_it_is() -> None:
    a = letter.const([1.0, 2.0], "f32")
    assert hint(letter.reduce(a)) == "total"
    assert hint(letter.sqrt(a)) == "root"
    assert hint(letter.bits(a)) == "value"


@pytest.mark.parametrize("name", sorted(TAKEN & {"is", "test", "math", "float", "main", "all"}))
def test_a_program_is_not_called_what_its_folder_needs(name: str) -> None:
    program, _ = small()
    for spelling in (name, name.upper(), name.capitalize()):
        with pytest.raises(BadInput, match="is not a name for C code"):
            write_c99(program, lowered(program), spelling)


@pytest.mark.parametrize("name", ["", "1x", "a-b", "a b", "a/b", "ä", "a" * 32, "x\n", "_x"])
def test_what_is_no_identifier_is_refused(name: str) -> None:
    program, _ = small()
    with pytest.raises(BadInput, match="Use at most 31 letters"):
        write_c99(program, lowered(program), name)
