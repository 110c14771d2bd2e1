"""Planting: forests move from form to form and say the same; what suits a budget is taken first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bimetal.nouns.errors import Broken
from bimetal.program import letter
from bimetal.program.block import pack, unpack
from bimetal.program.digest import digest
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.operators.forest import Forest
from bimetal.program.operators.isolation_forest import IsolationForest
from bimetal.program.program import Draft, Program
from bimetal.program.tree import Tree
from bimetal.shrink.budget import Limits, fit, need_of
from bimetal.shrink.machine import machine_of
from bimetal.shrink.planting import Planted, forests_of, in_order, plantings, proven
from bimetal.targets.kernels.forest import places_of
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.vectors import Vectors, make_vectors
from tests.targets.kernels.test_forest import COLUMNS, forest

M4 = machine_of("cortex-m4")


def watched(form: str = "links", depth: int = 5, count: int = 4) -> tuple[Program, bytes, Vectors]:
    """A program of two forests that remembers what it said, with its parameters and golden vectors."""
    rng = np.random.default_rng(4)
    draft = Draft("watched")
    x = draft.input("x", "u8", (COLUMNS,))
    votes = Forest(forest(rng, 3, depth, count), outputs=3, name="votes", form=form).trace(draft, x)
    ways = tuple(float(v) for v in rng.uniform(0, 9, 5))
    score = IsolationForest(forest(rng, 5, depth, count), ways, (0,) * count, 4.0, form=form)
    said = score.trace(draft, letter.slice_(x, COLUMNS - 1, -1, -1))
    before = draft.state("before", np.zeros(3), "i32", low=0, high=10**6)
    draft.set(before, letter.minimum(letter.const(10**6, "i32"), letter.add(before, votes)))
    draft.output("votes", votes)
    draft.output("score", said)
    program = draft.finish()
    block = pack(program, draft.values)
    return program, block, make_vectors(program, block, seed=1, runs=2)


def answers(program: Program, block: bytes) -> tuple[bytes, bytes]:
    rows = np.zeros(60, layout_of(program).input.dtype)
    rows["x"] = np.random.default_rng(8).integers(0, 256, rows["x"].shape)
    state, said, _ = NumpyTarget().load(program, block).run(initial_state(program), rows)
    return state, said.tobytes()


@pytest.mark.parametrize("start", ["links", "short", "crown-2", "crown-6"])
def test_every_form_says_the_same_and_keeps_states_and_results(start: str) -> None:
    program, block, vectors = watched(start)
    first, *others = plantings(program, block)
    assert (first.form, first.program, first.block) == ("", program, block)
    assert {"links", "short", "crown-1", "crown-3"} <= {p.form for p in others}
    said = answers(program, block)
    for p in others:
        assert proven(first, p, vectors) is p
        assert answers(p.program, p.block) == said
        assert layout_of(p.program).state == layout_of(program).state
        assert layout_of(p.program).output == layout_of(program).output
        assert len(list(places_of(p.program))) == 2
    assert len({digest(p.program) for p in others}) == len(others)


def test_a_program_without_forests_stays_as_it_is() -> None:
    draft = Draft()
    draft.output("y", letter.mul(draft.input("x"), draft.param("gain", 2.0)))
    program = draft.finish()
    (only,) = plantings(program, pack(program, draft.values))
    assert only.form == ""
    assert only.program is program


def test_parameters_that_hold_no_trees_stay_as_they_are() -> None:
    program, block, _ = watched()
    values = unpack(program, block)
    values["votes_link"] = np.zeros_like(values["votes_link"])
    assert not forests_of(program, values)
    assert len(list(plantings(program, pack(program, values)))) == 1


def test_a_form_without_room_is_left_out() -> None:
    draft = Draft()
    x = draft.input("x", "u8", (3,))
    trees: tuple[Tree, ...] = ((0, 10, 0, (1, 5, 1, 9)), (1, 5, 0, 8))
    draft.output("y", Forest(trees, outputs=10).trace(draft, x))
    program = draft.finish()
    assert {p.form for p in plantings(program, pack(program, draft.values))} == {
        "",
        "links",
        "crown-1",
        "crown-2",
    }


def test_what_says_otherwise_is_caught() -> None:
    program, block, vectors = watched()
    first, *others = plantings(program, block)
    moved = next(p for p in others if p.form == "crown-3")
    values = unpack(moved.program, moved.block)

    def changed(name: str, **more: Any) -> Planted:
        other = np.array(values[name])
        other[more.get("at", 1)] += 1
        return replace(moved, block=pack(moved.program, {**values, name: other}))

    with pytest.raises(Broken, match="trees"):
        proven(first, changed("votes_crown_threshold"), vectors)
    with pytest.raises(Broken, match="trees"):
        proven(first, changed("isolation_values", at=0), vectors)
    with pytest.raises(Broken, match="golden vector"):
        proven(first, replace(changed("isolation_values", at=0), form=""), vectors)


@pytest.mark.parametrize("name", ["cortex-m0plus", "cortex-m3", "cortex-m4"])
def test_the_fastest_or_the_smallest_comes_first(name: str) -> None:
    program, block, _ = watched(depth=6, count=40)
    told = [(p, fit(need_of(p.program), machine_of(name), Limits())) for p in plantings(program, block)]
    flash = {p.form: f.row("flash").most for p, f in told}  # type: ignore[union-attr]
    work = {p.form: f.row("instructions").most for p, f in told}  # type: ignore[union-attr]
    assert work[in_order(told, False)[0][0].form] == min(work.values())
    assert flash[in_order(told, True)[0][0].form] == min(flash.values()) == flash["short"]
    assert min(work, key=lambda f: work[f]).startswith("crown")


def test_a_budget_of_flash_takes_what_fits_it_and_one_of_work_takes_what_keeps_it() -> None:
    program, block, _ = watched(depth=6, count=40)
    made = list(plantings(program, block))

    def best(limits: Limits, thrifty: bool) -> str:
        told = [(p, fit(need_of(p.program), M4, limits)) for p in made]
        planted, here = in_order(told, thrifty)[0]
        assert here.fits
        return planted.form

    told = {p.form: fit(need_of(p.program), M4, Limits()) for p in made}
    fastest = best(Limits(), False)
    room = told[fastest].row("flash").most  # type: ignore[union-attr]
    assert best(Limits(flash_bytes=room), False) == fastest
    assert best(Limits(flash_bytes=room - 1), False) != fastest
    links = told["links"].row("instructions").most  # type: ignore[union-attr]
    assert best(Limits(instructions=links), True) != "short"
    assert best(Limits(instructions=10**6), True) == "short"
