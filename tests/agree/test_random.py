"""Programs nobody thought of: found by hypothesis, on the machine in this process and through a compiler."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimetal.program.block import pack
from tests.agree.case import SHORT, Case, Run, jobs, noise, other_values, usual_runs
from tests.agree.learned_program import learned_program
from tests.agree.machine import LAW, WASM, Machine
from tests.agree.metal import C99, NEAR
from tests.agree.proof import differences
from tests.agree.random_program import LARGE, SHAPES, random_program, random_rows

Shapes = tuple[tuple[int, ...], ...]
SEEDS = st.integers(0, 2**32 - 1)
TOGETHER = 16
SANITIZED = next(m for m in NEAR if m.name == "c99-sanitized")


def case_of(seed: int, letters: int = 40, shapes: Shapes = SHAPES) -> Case:
    """A random program with plain rows, nasty ones and noise."""
    program, values = random_program(seed, letters, shapes=shapes)
    learned, other = pack(program, values), pack(program, other_values(program, seed))
    plain, nasty = random_rows(program, seed, SHORT), random_rows(program, seed, SHORT, nasty=True)
    runs = (
        Run("plain", learned, plain),
        Run("plain, then nasty", learned, np.concatenate([plain, nasty])),
        Run("noise", other, noise(program, seed, SHORT)),
    )
    return Case(f"random {seed}", program, runs)


def learned(seed: int) -> Case:
    """A random program with forests and nets, at one rate or two, and what may be thrown at it."""
    program, values = learned_program(seed)
    return Case(f"learned {seed}", program, usual_runs(program, values))


def different(cases: list[Case], machine: Machine) -> dict[str, str]:
    """Which cases a machine does not run as the law does, and where."""
    with tempfile.TemporaryDirectory() as folder:
        outcomes = iter(LAW.build([c.program for c in cases], Path(folder)).run(jobs(cases)))
        wanted = [[next(outcomes) for _ in case.runs] for case in cases]
        found = differences(cases, wanted, machine, Path(folder))
    return {name: text for name, text in found.items() if text}


@given(seed=SEEDS, letters=st.integers(1, 80), shapes=st.sampled_from([SHAPES, LARGE]))
def test_any_program_gives_the_laws_bits_in_wasm(seed: int, letters: int, shapes: Shapes) -> None:
    assert not different([case_of(seed, letters, shapes)], WASM)


@settings(max_examples=30)
@given(seed=SEEDS)
def test_any_learned_program_gives_the_laws_bits_in_wasm(seed: int) -> None:
    assert not different([learned(seed)], WASM)


@pytest.mark.needs("gcc")
@settings(max_examples=2)
@given(first=SEEDS)
def test_any_learned_program_gives_the_laws_bits_in_c_under_sanitizers(first: int) -> None:
    assert not different([learned(first + k) for k in range(6)], SANITIZED)


@pytest.mark.needs("gcc")
@settings(max_examples=2)
@given(first=SEEDS)
def test_any_program_gives_the_laws_bits_in_c(first: int) -> None:
    cases = [case_of(first + k, shapes=LARGE if k % 2 else SHAPES) for k in range(TOGETHER)]
    assert not different(cases, C99)
