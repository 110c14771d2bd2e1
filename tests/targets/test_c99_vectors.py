"""Vectors as tables of words: every bit is there, in no order of bytes, as far as there is room."""

from __future__ import annotations

import re

import numpy as np
import pytest

from bimetal.program.layout import layout_of
from bimetal.targets import c99_vectors
from bimetal.targets.c99_vectors import table_bytes, write_tests
from tests.targets.given import small, small_vectors

NUMBER = re.compile(r"\b(0x[0-9a-f]+|\d+)u?\b")


def tables(code: str) -> list[list[int]]:
    """The numbers of every vector in the order they stand in."""
    (words,) = re.findall(r"uint32_t words\[\][^=]*= \{(.*?)\n\};", code, flags=re.S)
    parts = re.split(r"/\*.*?\*/", words)[1:]
    return [[int(n, 0) for n in NUMBER.findall(part)] for part in parts]


def elements(array: np.ndarray, layout: object) -> list[int]:
    """Every element of structs as a word."""
    found: list[int] = []
    for field in layout.fields:  # type: ignore[attr-defined]
        values = np.asarray(array[field.name]).reshape(-1)
        if values.dtype == np.float32:
            values = values.view(np.uint32)
        found += [int(v) & 0xFFFFFFFF for v in values]
    return found


def test_every_bit_of_a_vector_is_there() -> None:
    program, _ = small()
    vectors = small_vectors(4)
    _, code, kept = write_tests(program, vectors, "pump")
    lay = layout_of(program)
    assert kept == vectors.runs
    for run, found in zip(vectors.runs, tables(code), strict=True):
        expected: list[int] = []
        for row in range(len(run.rows)):
            expected += elements(run.rows[row], lay.input) + elements(run.outputs[row], lay.output)
            expected.append(int(run.fired[row]))
        expected += elements(np.frombuffer(run.state, lay.state.dtype)[0], lay.state)
        assert any(found[k : k + len(expected)] == expected for k in range(4))


def test_vectors_there_is_no_room_for_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    program, _ = small()
    vectors = small_vectors(6)
    _, whole, _ = write_tests(program, vectors, "pump")
    monkeypatch.setattr(c99_vectors, "MOST_CHARACTERS", len(whole) // 2)
    _, code, kept = write_tests(program, vectors, "pump")
    assert 1 <= len(kept) < 6
    assert len(tables(code)) == len(kept)
    monkeypatch.setattr(c99_vectors, "MOST_CHARACTERS", 1)
    assert len(write_tests(program, vectors, "pump")[2]) == 1


def test_an_avr_keeps_of_each_kind_what_one_array_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    program, _ = small()
    vectors = small_vectors(6)
    sizes = [table_bytes(program, [run]) for run in vectors.runs]
    assert max(sizes) == sizes[0] > sizes[2], "the first goes on until the program is awake"
    monkeypatch.setattr(c99_vectors, "AVR_BYTES", sizes[0] - 1)
    header, _, kept = write_tests(program, vectors, "pump")
    few = int(re.findall(r"AVR__\)\n#define PUMP_VECTORS (\d+)", header)[0])
    assert table_bytes(program, kept[:few]) < sizes[0]
    assert {run.name for run in kept} == {run.name for run in vectors.runs}
    assert vectors.runs[0].name not in {run.name for run in kept[:few]}
