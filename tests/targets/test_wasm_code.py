"""Numbers, sections and functions of the binary format are what the specification says."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.targets import wasm_code as code
from bimetal.targets.wasm_code import OPS

EMPTY = b"\x00asm\x01\x00\x00\x00"


def read_unsigned(data: bytes) -> tuple[int, int]:
    """Value and length of an unsigned LEB128."""
    value = shift = 0
    for k, byte in enumerate(data):
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, k + 1
    raise ValueError("it does not end")


def read_signed(data: bytes) -> tuple[int, int]:
    """Value and length of a signed LEB128."""
    value, length = read_unsigned(data)
    bits = 7 * length
    return (value - (1 << bits) if value >> (bits - 1) else value), length


@pytest.mark.parametrize(
    ("value", "data"), [(0, "00"), (1, "01"), (127, "7f"), (128, "8001"), (624485, "e58e26")]
)
def test_unsigned_numbers_are_those_of_the_specification(value: int, data: str) -> None:
    assert code.unsigned(value).hex() == data


@pytest.mark.parametrize(
    ("value", "data"),
    [(0, "00"), (-1, "7f"), (63, "3f"), (64, "c000"), (-64, "40"), (-65, "bf7f"), (-123456, "c0bb78")],
)
def test_signed_numbers_are_those_of_the_specification(value: int, data: str) -> None:
    assert code.signed(value).hex() == data


@given(st.integers(0, 2**32 - 1))
def test_an_unsigned_number_reads_back(value: int) -> None:
    data = code.unsigned(value)
    assert read_unsigned(data) == (value, len(data))
    assert len(data) == max(1, math.ceil(value.bit_length() / 7))


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_signed_number_reads_back(value: int) -> None:
    data = code.signed(value)
    assert read_signed(data) == (value, len(data))


@given(st.integers(-(2**31), 2**32 - 1))
def test_a_constant_fits_32_bits_signed(value: int) -> None:
    data = code.i32(value)
    got, length = read_signed(data[1:])
    assert data[0] == 0x41
    assert length == len(data) - 1 <= 5
    assert -(2**31) <= got < 2**31
    assert (got - value) % 2**32 == 0


def test_a_float_constant_is_its_bits() -> None:
    assert code.f32(-0.0) == b"\x43\x00\x00\x00\x80"
    assert code.f32(math.inf)[1:] == struct.pack("<f", math.inf)


def test_a_section_says_how_long_it_is() -> None:
    items = [b"a" * 100, b"b" * 100]
    section = code.section(5, items)
    size, at = read_unsigned(section[1:])
    assert section[0] == 5
    assert len(section) == 1 + at + size
    assert section.endswith(code.unsigned(2) + b"".join(items))
    assert code.section(5, []) == b""


def test_local_variables_of_one_type_are_counted_together() -> None:
    body = code.function([code.I32, code.I32, code.F32, code.I32], OPS["end"])
    assert body[1:] == bytes([3, 2, code.I32, 1, code.F32, 1, code.I32]) + OPS["end"] * 2


@pytest.mark.parametrize("dtype", code.LOADS)
def test_an_element_is_stored_and_loaded_as_it_was(dtype: str) -> None:
    """A module of one function that copies an element, in the engine itself."""
    wasmtime = pytest.importorskip("wasmtime", reason="wasmtime is not there for this machine")
    body = code.get(0) + code.get(0) + code.load(dtype, 300) + code.store(dtype, 8)
    module = code.module(
        code.section(1, [code.signature([code.I32], [])]),
        code.section(3, [code.unsigned(0)]),
        code.section(5, [b"\x00" + code.unsigned(1)]),
        code.section(7, [code.exported("memory", 2, 0), code.exported("copy", 0, 0)]),
        code.section(10, [code.function([], body)]),
    )
    store = wasmtime.Store()
    exports = wasmtime.Instance(store, wasmtime.Module(store.engine, module), []).exports(store)
    memory = exports["memory"]
    memory.write(store, b"\x81\xfe\xa0\xff", 400)
    exports["copy"](store, 100)
    width = {"f32": 4, "i32": 4, "i16": 2}.get(dtype, 1)
    assert bytes(memory.read(store, 108, 112)) == b"\x81\xfe\xa0\xff"[:width].ljust(4, b"\x00")


def test_nothing_is_a_module() -> None:
    wasmtime = pytest.importorskip("wasmtime", reason="wasmtime is not there for this machine")
    assert code.module() == EMPTY
    wasmtime.Module(wasmtime.Engine(), code.module())
