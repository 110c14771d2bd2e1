"""Loops that add up two rows become calls in C, where both lie in one piece; others stay loops."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.program import letter, word
from bimetal.program.block import pack
from bimetal.program.program import Draft, Program
from bimetal.program.verify import check
from bimetal.targets.c99_sources import sources_of
from bimetal.targets.lower import lower


def code_of(rows: int, columns: int, *, turned: bool = False, smaller: bool = False) -> str:
    draft = Draft("rows")
    matrix = draft.param("matrix", np.ones((columns, rows) if turned else (rows, columns)))
    held = draft.state("held", np.zeros(columns), low=-1e6, high=1e6)
    draft.set(held, word.clip(letter.add(held, draft.input("x", "f32", (columns,))), -1e6, 1e6))
    if turned:
        draft.output("y", letter.reduce(letter.mul(matrix, letter.reshape(held, (columns, 1))), axis=0))
    else:
        both = letter.minimum(matrix, held) if smaller else letter.mul(matrix, held)
        draft.output("y", letter.reduce(both))
    return _code(draft.finish(), draft)


def _code(program: Program, draft: Draft) -> str:
    block = pack(program, draft.values)
    return sources_of(program, lower(program, check(program).ranges), block, "rows")["rows.c"].decode()


@pytest.mark.parametrize(("smaller", "name"), [(False, "f32_dot"), (True, "f32_common")])
def test_two_rows_that_lie_in_one_piece_are_handed_over(smaller: bool, name: str) -> None:
    code = code_of(3, 9, smaller=smaller)
    assert f"\nfloat {name}(" in code
    assert f"= {name}(" in code
    assert "&p->matrix[9 * i]" in code
    assert ", 9);" in code


def test_short_rows_and_columns_stay_loops() -> None:
    assert "f32_dot" not in code_of(3, 3)
    assert "f32_dot" not in code_of(3, 9, turned=True)
