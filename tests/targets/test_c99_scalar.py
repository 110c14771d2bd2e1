"""Scalars in C: every number reads back to its bits, brackets stand where they must, functions are exact."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.targets.c99_scalar import FUNCTIONS, Scalars, element, index, literal, plain, turn
from bimetal.targets.loops import At, Buf, Lin, Lit, Op, Read, Ref, variable
from tests.targets.compiled import STRICT, run, written

A, B, C = (Ref(name, "f32") for name in ("a_1", "b_1", "c_1"))
N, M = Ref("n_1", "i32"), Ref("m_1", "i32")
P, Q = Ref("p_1", "b1"), Ref("q_1", "b1")


def op(name: str, *args: Ref | Op | Lit, dtype: str = "f32", attr: int = 0) -> Op:
    """A spelling."""
    return Op(name, args, dtype, attr)


def value_of(text: str) -> np.float32:
    """What C makes of a float constant."""
    special = {"NAN": math.nan, "INFINITY": math.inf, "-INFINITY": -math.inf}
    if text in special:
        return np.float32(special[text])
    assert text.endswith("f")
    digits = text[:-1]
    return np.float32(float.fromhex(digits) if "0x" in digits else digits)


@given(st.floats(width=32))
def test_every_float_reads_back_to_its_bits(value: float) -> None:
    read = value_of(plain(value, "f32"))
    if math.isnan(value):
        assert np.isnan(read)
    else:
        assert read.view(np.uint32) == np.float32(value).view(np.uint32)


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "0.5f"), (-0.0, "-0.0f"), (100.0, "100.0f"), (1 / 3, "0x1.5555555555555p-2f")]
)
def test_short_numbers_stay_readable(value: float, text: str) -> None:
    assert plain(value, "f32") == text


@pytest.mark.parametrize(
    ("value", "dtype", "text"),
    [(7, "i32", "7"), (-(2**31), "i32", "-2147483647 - 1"), (1, "b1", "true"), (0, "b1", "false")],
)
def test_whole_numbers_and_truth(value: int, dtype: str, text: str) -> None:
    assert plain(value, dtype) == text


def test_a_negative_number_inside_an_expression_is_in_brackets() -> None:
    assert literal(-1.0, "f32") == "(-1.0f)"
    assert Scalars().text(op("sub", A, Lit(-1.0, "f32"))) == "a_1 - (-1.0f)"


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (op("add", op("add", A, B), C), "a_1 + b_1 + c_1"),
        (op("add", A, op("add", B, C)), "a_1 + (b_1 + c_1)"),
        (op("sub", A, op("sub", B, C)), "a_1 - (b_1 - c_1)"),
        (op("mul", op("add", A, B), C), "(a_1 + b_1) * c_1"),
        (op("add", op("mul", A, B), C), "a_1 * b_1 + c_1"),
        (op("div", A, op("mul", B, C)), "f32_div(a_1, b_1 * c_1)"),
        (op("neg", op("neg", A)), "-(-a_1)"),
        (op("sub", A, op("neg", B)), "a_1 - (-b_1)"),
        (op("neg", op("add", A, B)), "-(a_1 + b_1)"),
        (op("and", P, op("or", Q, P, dtype="b1"), dtype="b1"), "p_1 && (q_1 || p_1)"),
        (op("not", op("lt", A, B, dtype="b1"), dtype="b1"), "!(a_1 < b_1)"),
        (op("eq", op("band", N, M, dtype="i32"), M, dtype="b1"), "(n_1 & m_1) == m_1"),
        (op("add", op("where", P, A, B), C), "(is_so(p_1) ? a_1 : b_1) + c_1"),
        (op("max", A, op("min", B, C)), "f32_max(a_1, f32_min(b_1, c_1))"),
        (op("shr", N, dtype="i32", attr=3), "i32_shr(n_1, 3)"),
        (op("cast", op("add", N, M, dtype="i32")), "(float)(n_1 + m_1)"),
    ],
)
def test_brackets_stand_where_the_order_asks_for_them(expr: Op, text: str) -> None:
    assert Scalars().text(expr) == text


def test_functions_that_are_used_are_known() -> None:
    scalars = Scalars()
    scalars.text(op("sqrt", op("canon", A)))
    assert scalars.used == {"f32_sqrt", "f32_canonical"}
    assert scalars.used <= set(FUNCTIONS)


def test_elements_and_indices() -> None:
    place = variable("i1").times(3) + variable("k_1").times(-1) + 2
    assert index(place) == "3 * i - k_1 + 2"
    assert index(Lin(-1)) == "-1"
    assert element(Buf("state", "x", "f32", 9), place) == "s->x[3 * i - k_1 + 2]"
    assert element(Buf("state", "float", "f32", 1), Lin()) == "s->f_float"
    assert element(Buf("scratch", "row_1", "i16", 9), variable("i1")) == "scratch.h[row_1 + i]"
    assert element(Buf("scratch", "row_1", "u8", 9), Lin()) == "scratch.b[row_1]"
    assert element(Buf("table", "table1", "u8", 9), Lin(4)) == "table1[4]"
    assert [turn(f"i{k}") for k in (1, 2, 8)] == ["i", "j", "r"]
    assert turn("i9") == "i9"


def test_a_truth_value_in_memory_is_any_byte_but_zero() -> None:
    read = Read(Buf("in", "on", "b1", 1), Lin())
    assert Scalars().text(read) == "in->on != 0"
    assert Scalars().text(op("not", read, dtype="b1")) == "!(in->on != 0)"
    assert Scalars().text(At(variable("i1") + 1)) == "i + 1"


def test_narrow_numbers_are_widened_inside_expressions() -> None:
    """On a machine whose int has 16 bits they would be added and multiplied in those."""
    narrow = op("cast", Read(Buf("in", "n", "i16", 1), Lin()), dtype="i32")  # type: ignore[arg-type]
    assert Scalars().text(narrow) == "in->n"
    assert Scalars().text(op("mul", narrow, narrow, dtype="i32")) == "(int32_t)in->n * (int32_t)in->n"
    assert Scalars().text(op("max", narrow, N, dtype="i32")) == "i32_max(in->n, n_1)"


FUNCTION_TEST = """#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
{functions}
int main(void)
{{
    int32_t given[3], found;
    while (fread(given, sizeof given, 1, stdin) == 1) {{
        float a, b;
        memcpy(&a, &given[0], sizeof a);
        memcpy(&b, &given[1], sizeof b);
        (void)a;
        (void)b;
        {body}
        fwrite(&found, sizeof found, 1, stdout);
    }}
    return 0;
}}
"""
INTO = "{{ const float r = {call}; memcpy(&found, &r, sizeof found); }}"


def in_c(folder: Path, names: tuple[str, ...], body: str, given: np.ndarray, *options: str) -> np.ndarray:
    """What functions of emitted C give for rows of three whole numbers (n, 3)."""
    functions = "\n".join(FUNCTIONS[name] for name in names)
    written(folder, {"f.c": FUNCTION_TEST.format(functions=functions, body=body)})
    run(["gcc", "-std=c99", "-O2", *STRICT, *options, "-o", "f", "f.c", "-lm"], folder)
    (folder / "given").write_bytes(given.astype("<i4").tobytes())
    run(["sh", "-c", "./f <given >found"], folder)
    return np.fromfile(folder / "found", "<i4")


def every_sort_of_float(count: int) -> np.ndarray:
    """Bits of floats: random ones, squares and what is next to them, all exponents, the ends."""
    rng = np.random.default_rng(5)
    random = rng.integers(0, 2**32, count, dtype=np.uint64)
    squares = (np.arange(1, 4097, dtype=np.float32) ** 2).view(np.uint32).astype(np.uint64)
    exponents = (np.arange(256, dtype=np.uint64) << np.uint64(23)) | np.uint64(0)
    ends = np.array([0, 1, 2, 0x7FFFFF, 0x800000, 0x7F7FFFFF, 0x7F800000, 0x7F800001, 0x7FC00000], np.uint64)
    found = np.concatenate([random, squares, squares - 1, squares + 1, exponents, exponents + 1, ends])
    return np.concatenate([found, found | np.uint64(1 << 31)]).astype(np.uint32)


def canonical(values: np.ndarray) -> np.ndarray:
    """Bits of floats with the one NaN."""
    bits = values.view(np.uint32)
    return np.where((bits & 0x7FFFFFFF) > 0x7F800000, np.uint32(0x7FC00000), bits)


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("options", [(), ("-DBIMETAL_SOFT_SQRT",)], ids=["instruction", "whole numbers"])
def test_a_square_root_is_correctly_rounded(options: tuple[str, ...], tmp_path: Path) -> None:
    bits = every_sort_of_float(200_000)
    given = np.zeros((len(bits), 3), np.int64)
    given[:, 0] = bits.view(np.int32)
    found = in_c(tmp_path, ("f32_sqrt",), INTO.format(call="f32_sqrt(a)"), given, *options)
    with np.errstate(all="ignore"):
        right = np.sqrt(bits.view(np.float32))
    assert (canonical(found.view(np.float32)) == canonical(right)).all()


@pytest.mark.needs("gcc")
def test_a_quotient_is_correctly_rounded_where_software_makes_zero_of_tiny_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(6)
    bits = every_sort_of_float(60_000)
    over, under = bits, rng.permutation(bits)
    power = rng.integers(0, 24, len(bits)).astype(np.uint32)  # many quotients around 2**-126
    near = (over & np.uint32(0x807FFFFF)) | (power << 23)
    far = (under & np.uint32(0x807FFFFF)) | ((power + np.uint32(126)) << 23)
    pairs = np.concatenate([np.stack([over, under], 1), np.stack([near, far], 1), np.stack([near, under], 1)])
    given = np.zeros((len(pairs), 3), np.int64)
    given[:, :2] = pairs.view(np.int32)
    rough = (
        "float ratio = a / b;\n    ratio = ratio < 0x1p-126f && ratio > -0x1p-126f ? ratio * 0.0f : ratio;"
    )
    text = FUNCTIONS["f32_div"]
    assert "float ratio = a / b;" in text
    monkeypatch.setitem(FUNCTIONS, "f32_div", text.replace("float ratio = a / b;", rough))
    found = in_c(tmp_path, ("f32_div",), INTO.format(call="f32_div(a, b)"), given, "-DBIMETAL_SOFT_DIV")
    with np.errstate(all="ignore"):
        right = pairs[:, 0].view(np.float32) / pairs[:, 1].view(np.float32)
    assert ((np.abs(right) < 2.0**-126) & (right != 0)).sum() > 10_000
    assert (canonical(found.view(np.float32)) == canonical(right)).all()


@pytest.mark.needs("clang")
def test_no_minimum_instruction_is_taken_for_a_choice(tmp_path: Path) -> None:
    """Clang would make fminnm of it, which gives -0.0 for min(0.0, -0.0), and NaN for one that signals."""
    functions = "\n".join(FUNCTIONS[name] for name in ("is_so", "f32_min"))
    head = "#define bool _Bool\n"
    written(tmp_path, {
        "f.c": f"{head}{functions}\nfloat f(float a) {{ return f32_min(0.0f, a); }}\n",
        "bare.c": "float f(float a) { return a < 0.0f ? a : 0.0f; }\n",
    })  # fmt: skip
    options = ["-std=c99", "-O2", "-S", "--target=aarch64-none-elf", "-ffreestanding", "-ffp-contract=off"]
    for name in ("f", "bare"):
        run(["clang", *options, f"{name}.c", "-o", f"{name}.s"], tmp_path)
    assert "fminnm" not in (tmp_path / "f.s").read_text()
    assert "fcmp" in (tmp_path / "f.s").read_text()


def test_a_choice_between_floats_is_hidden_and_others_are_not() -> None:
    scalars = Scalars()
    assert scalars.text(op("where", P, A, B)) == "is_so(p_1) ? a_1 : b_1"
    assert scalars.used == {"is_so"}
    assert Scalars().text(op("where", P, N, M, dtype="i32")) == "p_1 ? n_1 : m_1"
    scalars = Scalars()
    scalars.text(op("min", A, B))
    assert scalars.used == {"is_so", "f32_min"}


@pytest.mark.needs("gcc")
def test_nan_becomes_the_one_nan_and_nothing_else_changes(tmp_path: Path) -> None:
    bits = every_sort_of_float(50_000)
    given = np.zeros((len(bits), 3), np.int64)
    given[:, 0] = bits.view(np.int32)
    found = in_c(tmp_path, ("f32_canonical",), INTO.format(call="f32_canonical(a)"), given)
    assert (found.view(np.uint32) == canonical(bits.view(np.float32))).all()


@pytest.mark.needs("gcc")
@pytest.mark.parametrize(("name", "less"), [("f32_min", lambda a, b: b < a), ("f32_max", lambda a, b: a < b)])
def test_the_second_is_taken_only_where_it_is_less_or_more(name: str, less: object, tmp_path: Path) -> None:
    values = np.array([0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 1e-45], np.float32)
    a, b = (x.reshape(-1) for x in np.meshgrid(values, values))
    given = np.stack([a.view(np.int32), b.view(np.int32), np.zeros(len(a), np.int32)], axis=1)
    found = in_c(tmp_path, ("is_so", name), INTO.format(call=f"{name}(a, b)"), given)
    right = np.where(less(a, b), b, a)  # type: ignore[operator]
    assert (canonical(found.view(np.float32)) == canonical(right.astype(np.float32))).all()


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("by", [1, 7, 31, 32, 62])
def test_a_wide_product_is_rounded_and_shifted(by: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(by)
    ends = np.array([0, 1, -1, 2**31 - 1, -(2**31)], np.int64)
    a = np.concatenate([np.repeat(ends, 5), rng.integers(-(2**31), 2**31, 2000)])
    b = np.concatenate([np.tile(ends, 5), rng.integers(-(2**31), 2**31, 2000)])
    exact = [(int(x) * int(y) + (1 << (by - 1))) >> by for x, y in zip(a, b, strict=True)]
    kept = [k for k, r in enumerate(exact) if -(2**31) <= r < 2**31]
    given = np.stack([a, b, np.zeros_like(a)], axis=1)[kept]
    call = f"found = i32_mulshr(given[0], given[1], {by});"
    assert in_c(tmp_path, ("i32_mulshr",), call, given).tolist() == [exact[k] for k in kept]


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("by", [0, 1, 13, 31])
def test_shifts_are_those_of_a_32_bit_register(by: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(by)
    a = np.concatenate([[0, 1, -1, 2**31 - 1, -(2**31)], rng.integers(-(2**31), 2**31, 500)])
    given = np.stack([a, np.zeros_like(a), np.zeros_like(a)], axis=1)
    names = ("i32_shl", "i32_shr")
    right = in_c(tmp_path, names, f"found = i32_shr(given[0], {by}) + (i32_shl(0, 0));", given)
    left = in_c(tmp_path, names, f"found = i32_shl(given[0], {by}) + (i32_shr(0, 0));", given)
    assert right.tolist() == [int(x) >> by for x in a]
    assert left.tolist() == [((int(x) << by) + 2**31) % 2**32 - 2**31 for x in a]
