"""The small language of loops: affine indices add up, bound themselves, and statements can be walked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.targets.loops import (
    Buf,
    For,
    Let,
    Lin,
    Lit,
    Note,
    Op,
    Read,
    Ref,
    Store,
    parts,
    statements,
    value_of,
    variable,
)  # fmt: skip

NAMES = ("i1", "i2", "k_1")
SMALL = st.integers(-9, 9)
TERMS = st.dictionaries(st.sampled_from(NAMES), SMALL.filter(bool), max_size=3)


def lin(const: int, terms: dict[str, int]) -> Lin:
    """An affine index."""
    total = Lin(const)
    for name, factor in terms.items():
        total = total + variable(name).times(factor)
    return total


def at(index: Lin, values: dict[str, int]) -> int:
    """What an index is for values of its variables."""
    return index.const + sum(f * values[n] for n, f in index.terms)


VALUES = st.fixed_dictionaries({name: st.integers(-20, 20) for name in NAMES})


@given(SMALL, TERMS, SMALL, TERMS, VALUES, SMALL)
def test_sums_and_multiples_are_what_they_say(
    a: int, left: dict[str, int], b: int, right: dict[str, int], values: dict[str, int], factor: int
) -> None:
    x, y = lin(a, left), lin(b, right)
    assert at(x + y, values) == at(x, values) + at(y, values)
    assert at(x + 3, values) == at(x, values) + 3
    assert at(x.times(factor), values) == at(x, values) * factor
    assert x + y == y + x


@given(SMALL, TERMS)
def test_equal_indices_are_spelled_alike(const: int, terms: dict[str, int]) -> None:
    index = lin(const, terms)
    assert list(index.terms) == sorted(index.terms)
    assert all(factor for _, factor in index.terms)
    assert index + index.times(-1) == Lin()


@given(SMALL, TERMS, VALUES)
def test_a_span_holds_every_value(const: int, terms: dict[str, int], values: dict[str, int]) -> None:
    index = lin(const, terms)
    low, high = index.span(dict.fromkeys(NAMES, (-20, 20)))
    assert low <= at(index, values) <= high


def test_a_span_is_tight() -> None:
    assert (variable("i1").times(-2) + 7).span({"i1": (0, 3)}) == (1, 7)


def test_an_unknown_variable_has_no_span() -> None:
    with pytest.raises(KeyError):
        variable("i9").span({})


def test_statements_and_expressions_are_walked_from_the_outside_in() -> None:
    buf = Buf("out", "y", "f32", 4)
    total = Op("add", (Ref("a_1", "f32"), Read(buf, variable("i1"))), "f32")
    store = Store(buf, variable("i1"), total)
    loop = For("i1", 4, (Note("what is done"), Let("a_1", Lit(1.0, "f32")), store))
    assert [type(s).__name__ for s in statements((loop,))] == ["For", "Note", "Let", "Store"]
    assert [type(p).__name__ for p in parts(total)] == ["Op", "Ref", "Read"]
    assert [value_of(s) for s in (loop, Note(""))] == [None, None]
    assert value_of(store) is total
    assert Read(buf, Lin()).dtype == "f32"
