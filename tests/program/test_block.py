"""Parameter blocks carry values within their declared ranges, and nothing else gets through."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.nouns.errors import BadInput
from bimetal.program.block import HEAD, pack, read, unpack
from bimetal.program.digest import digest
from bimetal.program.layout import layout_of
from bimetal.program.program import Draft, Program


def program_of(title: str = "block", high: float = 10) -> Program:
    """A program with a parameter of every type."""
    draft = Draft(title)
    x = draft.input("x")
    draft.param("gain", [1.0, 2.0], low=0, high=high)
    draft.param("free", 0.0)
    draft.param("table", [1, 2, 3], "u8", high=3)
    draft.param("index", 7, "i32", low=0, high=9)
    draft.param("on", True, "b1")
    draft.output("y", x)
    return draft.finish()


VALUES: dict[str, Any] = {"gain": [0.5, 10.0], "free": -3.5, "table": [0, 3, 1], "index": 9, "on": False}


def test_values_come_back_as_they_went() -> None:
    program = program_of()
    block = read(program, pack(program, VALUES, counter=7))
    assert (block.counter, block.digest) == (7, digest(program))
    for name, value in VALUES.items():
        assert np.array_equal(block.values[name], value)
    assert block.values["gain"].dtype == np.float32
    assert block.values["table"].dtype == np.uint8


def test_a_block_is_a_head_and_the_struct() -> None:
    program = program_of()
    block = pack(program, VALUES)
    layout = layout_of(program).params
    assert len(block) == 32 + layout.size == HEAD.size + layout.size
    assert block[:8] == b"BMP1\x01\x00\x00\x00"
    struct = np.frombuffer(block, layout.dtype, offset=32)[0]
    assert list(struct["gain"]) == [0.5, 10.0]


BAD: dict[str, dict[str, Any]] = {
    "above": {"gain": [0.5, 10.5]},
    "below": {"gain": [-0.001, 1]},
    "NaN": {"gain": [np.nan, 1]},
    "infinite": {"free": np.inf},
    "beyond f32": {"free": 1e39},
    "shape": {"gain": [1.0]},
    "scalar for array": {"gain": 1.0},
    "index": {"index": 10},
    "half": {"index": 1.5},
    "too large for its type": {"table": [0, 300, 1]},
    "negative": {"table": [0, -1, 1]},
    "text": {"index": "9"},
    "bytes": {"index": b"9"},
    "object": {"index": None},
    "complex": {"free": 1j},
    "unknown": {"gian": [1.0, 2.0]},
    "not a truth value": {"on": 2},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_bad_values_are_not_packed(bad: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        pack(program_of(), {**VALUES, **bad})


def test_a_missing_value_is_named() -> None:
    with pytest.raises(BadInput, match="free"):
        pack(program_of(), {k: v for k, v in VALUES.items() if k != "free"})


@pytest.mark.parametrize("counter", [-1, 2**32])
def test_the_counter_fits_its_field(counter: int) -> None:
    with pytest.raises(BadInput, match="counter"):
        pack(program_of(), VALUES, counter=counter)


def test_a_block_of_another_program_is_refused() -> None:
    block = pack(program_of(), VALUES)
    with pytest.raises(BadInput, match="is for the program"):
        unpack(program_of(high=11), block)
    assert unpack(program_of(title="another title"), block)


def test_every_cut_is_refused() -> None:
    program = program_of()
    block = pack(program, VALUES)
    for n in range(len(block)):
        with pytest.raises(BadInput):
            unpack(program, block[:n])
    with pytest.raises(BadInput):
        unpack(program, block + b"\0")


@given(at=st.integers(0, 31), byte=st.integers(0, 255))
def test_a_changed_head_is_refused(at: int, byte: int) -> None:
    program = program_of()
    block = bytearray(pack(program, VALUES))
    if block[at] == byte:
        return
    block[at] = byte
    if 8 <= at < 12:
        assert read(program, bytes(block)).counter > 0
        return
    with pytest.raises(BadInput):
        unpack(program, bytes(block))


@given(st.binary(min_size=1, max_size=8), st.integers(0, 40))
def test_changed_values_are_within_their_ranges_or_refused(noise: bytes, at: int) -> None:
    program = program_of()
    block = bytearray(pack(program, VALUES))
    size = len(block)
    block[32 + at : 32 + at + len(noise)] = noise
    try:
        values = unpack(program, bytes(block[:size]))
    except BadInput:
        return
    assert (values["gain"] >= 0).all()
    assert (values["gain"] <= 10).all()
    assert 0 <= values["index"] <= 9
    assert np.isfinite(values["free"])
    assert values["table"].max() <= 3
    assert values["on"] in (0, 1)


def test_a_program_without_parameters_has_an_empty_block() -> None:
    program = Draft("none").finish()
    assert unpack(program, pack(program, {})) == {}
