"""Structs lie in memory as a C compiler would lay them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.nouns.errors import BadInput, BadProgram
from bimetal.program.layout import Layout, initial_state, layout_of, struct_of, wait_of
from bimetal.program.node import DTYPES, Clock, Node
from bimetal.program.program import Draft

C_TYPES = {
    "f32": "float",
    "i32": "int32_t",
    "i16": "int16_t",
    "i8": "int8_t",
    "u8": "uint8_t",
    "b1": "uint8_t",
}
fields = st.lists(
    st.tuples(
        st.text("abcdefgh", min_size=1, max_size=4).map(lambda s: f"f_{s}"),
        st.sampled_from(list(DTYPES)),
        st.lists(st.integers(1, 5), max_size=2).map(tuple),
    ),
    max_size=8,
    unique_by=lambda f: f[0],
)


@given(fields)
def test_fields_are_sorted_aligned_and_do_not_overlap(
    given_fields: list[tuple[str, str, tuple[int, ...]]],
) -> None:
    layout = struct_of(given_fields)
    end = 0
    for f in layout.fields:
        assert f.offset >= end
        assert f.offset % DTYPES[f.dtype].itemsize == 0
        end = f.offset + f.size
    keys = [(-DTYPES[f.dtype].itemsize, f.name) for f in layout.fields]
    assert keys == sorted(keys)
    assert layout.size % layout.align == 0
    assert 0 <= layout.size - end < layout.align
    assert layout == struct_of(reversed(given_fields))
    assert layout.dtype.itemsize == layout.size


def c_of(layout: Layout, name: str) -> str:
    """The struct in C, with a check of its size and of every offset."""
    lines = ["typedef struct {"]
    for f in layout.fields:
        length = f"[{int(np.prod(f.shape))}]" if f.shape else ""
        lines.append(f"  {C_TYPES[f.dtype]} {f.name}{length};")
    lines.append(f"}} {name};")
    lines.append(f'_Static_assert(sizeof({name}) == {layout.size}, "size");')
    lines += [f'_Static_assert(offsetof({name}, {f.name}) == {f.offset}, "{f.name}");' for f in layout.fields]
    return "\n".join(lines)


@pytest.mark.needs("gcc")
def test_a_c_compiler_agrees(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    parts = ["#include <stdint.h>", "#include <stddef.h>"]
    for k in range(40):
        names = [f"f{j}" for j in range(rng.integers(1, 9))]
        made = [
            (n, str(rng.choice(list(DTYPES))), tuple(rng.integers(1, 6, rng.integers(0, 3)).tolist()))
            for n in names
        ]
        parts.append(c_of(struct_of(made), f"S{k}"))
    source = tmp_path / "layout.c"
    source.write_text("\n".join(parts))
    gcc = shutil.which("gcc") or "gcc"
    subprocess.run([gcc, "-std=c11", "-c", str(source), "-o", str(tmp_path / "layout.o")], check=True)


def clocked() -> Draft:
    """A draft with two slow clocks."""
    draft = Draft()
    x = draft.input("x")
    last = draft.state("last", [1.5, -2.0])
    draft.set(last, x, at=Node("const", (), (), "i32", attr=np.array(0, "<i4")))
    for clock in (Clock(4, 3), Clock(5, 9)):
        draft.output(f"y{clock.period}", Node("state", (), (2,), "f32", clock=clock, name="last"))
    return draft


def test_the_first_state_holds_first_values_and_waits() -> None:
    program = clocked().finish()
    layout = layout_of(program).state
    state = np.frombuffer(initial_state(program), layout.dtype)[0]
    assert list(state["last"]) == [1.5, -2.0]
    assert (state["wait_4_3"], state["wait_5_9"]) == (3, 9)
    assert wait_of(Clock(4, 3)) == "wait_4_3"
    assert [f.name for f in layout.fields] == ["last", "wait_4_3", "wait_5_9"]


def test_a_state_cannot_take_the_name_of_a_wait() -> None:
    draft = clocked()
    draft.state("wait_4_3", 0, "i32")
    with pytest.raises(BadProgram, match="wait_4_3"):
        layout_of(draft.finish())


def test_an_empty_struct_has_no_bytes() -> None:
    empty = struct_of([])
    assert (empty.size, empty.align, empty.dtype.itemsize) == (0, 1, 0)
    assert initial_state(Draft().finish()) == b""


def test_a_struct_is_rounded_to_its_largest_member_only() -> None:
    assert struct_of([("x", "i8", (33,))]).size == 33
    assert struct_of([("x", "i8", (33,)), ("y", "i16", ())]).size == 36
    assert struct_of([("x", "i8", (33,)), ("y", "f32", ())]).size == 40


def test_a_field_is_found_by_name() -> None:
    layout = struct_of([("a", "f32", (2,)), ("b", "u8", ())])
    assert layout.field("b").offset == 8
    with pytest.raises(KeyError):
        layout.field("c")


def test_rows_that_numpy_packed_are_unpacked_again() -> None:
    layout = struct_of([("a", "f32", (2,)), ("b", "u8", ())])
    rows = np.zeros(3, layout.dtype)
    rows["a"], rows["b"] = np.arange(6).reshape(3, 2), [1, 2, 3]
    packed = np.stack([rows, rows])
    assert packed.dtype != layout.dtype
    again = layout.conformed(packed)
    assert again.dtype == layout.dtype
    assert again[1].tobytes() == rows.tobytes()
    assert layout.conformed(rows) is rows


OTHERS = [
    [("a", "f32", (2,))],
    [("a", "f32", (2,)), ("c", "u8", ())],
    [("a", "f32", (3,)), ("b", "u8", ())],
]


@pytest.mark.parametrize("other", OTHERS)
def test_other_rows_are_refused(other: list[tuple[str, str, tuple[int, ...]]]) -> None:
    layout = struct_of([("a", "f32", (2,)), ("b", "u8", ())])
    with pytest.raises(BadInput, match="are not rows of"):
        layout.conformed(np.zeros(3, struct_of(other).dtype))
    with pytest.raises(BadInput):
        layout.conformed(np.zeros(3, np.float32))
