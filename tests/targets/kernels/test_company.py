"""Many devices at once through forests: the bits of the law, whatever a block brings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bimetal.program import letter, word
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.node import Node
from bimetal.program.operator import wire
from bimetal.program.operators.bins import Bins
from bimetal.program.operators.forest import Forest
from bimetal.program.operators.isolation_forest import IsolationForest
from bimetal.program.program import Draft, Program
from bimetal.program.tree import Tree
from bimetal.program.verify import check
from bimetal.targets.kernels.blend import DEVICES, LEAVES, blending
from bimetal.targets.kernels.forest import ForestKernel, places_of
from bimetal.targets.kernels.parted import Parts, parts_of
from bimetal.targets.kernels.regrow import linked
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.wasm_run import WasmTarget
from tests.targets.kernels.test_forest import COLUMNS, forest, operators, senseless

MANY = 2 * DEVICES + 44
Values = dict[str, NDArray[Any]]


def parts(program: Program) -> Parts | None:
    """The parts of a program."""
    return parts_of(program, check(program).ranges)


def alike(program: Program, values: Values, rows: NDArray[Any]) -> bool:
    """Say whether many devices get the law's states and answers."""
    state = np.frombuffer(initial_state(program), np.uint8)
    states = np.tile(state, (len(rows), 1))
    block = pack(program, values)
    law = NumpyTarget().load(program, block).run_devices(states, rows)
    found = WasmTarget().load(program, block).run_devices(states, rows)
    return all(a.tobytes() == b.tobytes() for a, b in zip(law, found, strict=True))


def octets(program: Program, seed: int, readings: int = 1) -> NDArray[Any]:
    """Random rows for MANY devices."""
    rng = np.random.default_rng(seed)
    rows = np.zeros((MANY, readings), layout_of(program).input.dtype)
    for name in rows.dtype.names or ():
        rows[name] = rng.integers(0, 256, rows[name].shape)
    return rows


@pytest.mark.parametrize("how", operators(4))
@pytest.mark.parametrize("leaves", [4, 126])
def test_every_way_to_add_up_has_the_laws_bits(how: str, leaves: int) -> None:
    program, values = wire(operators(leaves)[how], (np.zeros((1, COLUMNS), np.uint8),))
    assert parts(program) is not None
    assert alike(program, values, octets(program, leaves))


@pytest.mark.parametrize("form", ["short", "crown-2", "crown-6"])
@pytest.mark.parametrize("how", ["votes", "one sum", "rows"])
def test_every_form_runs_many_devices_at_once(how: str, form: str) -> None:
    program, values = wire(operators(4, form)[how], (np.zeros((1, COLUMNS), np.uint8),))
    found = parts(program)
    assert found is not None
    made = linked(found.places[0].kernel, values)
    assert made is not None
    assert blending(*made) is not None
    assert alike(program, values, octets(program, 4))


@pytest.mark.parametrize("how", ["votes", "one sum", "rows"])
def test_a_block_that_holds_no_trees_is_left_to_the_letters(how: str) -> None:
    rng = np.random.default_rng(2)
    program, values = wire(operators(4)[how], (np.zeros((1, COLUMNS), np.uint8),))
    rows = octets(program, 1)
    (place,) = places_of(program)
    turned_away = 0
    for k in range(30):
        block = senseless(program, values, rng)
        inside = rng.random(len(values["forest_link"])) < 0.2
        block["forest_link"] = np.where(inside, rng.integers(0, 20, len(inside)), block["forest_link"])
        no_trees = blending(place.kernel, block) is None
        turned_away += no_trees
        assert k % 5 or alike(program, block, rows)
    assert turned_away > 0


def wired(stateful: bool = True) -> tuple[Program, Values]:
    """A program that sorts readings into bins, asks two forests, and remembers what they said."""
    rng = np.random.default_rng(9)
    draft = Draft()
    x = letter.stack([draft.input(f"s{k}") for k in range(3)])
    edges = tuple(tuple(sorted(set(map(float, rng.integers(0, 255, 60))))) for _ in range(COLUMNS))
    bins = Bins(edges, (0, 1, 2, 0, 1, 2), (0, 0, 0, 255, 255, 255)).trace(draft, x)
    votes = Forest(forest(rng, 3), outputs=3, name="votes").trace(draft, bins)
    ways = tuple(float(v) for v in rng.uniform(0, 9, 5))
    score = IsolationForest(forest(rng, 5), ways, (0,) * 5, 4.0).trace(draft, bins)
    if stateful:
        before = draft.state("before", np.zeros(3), "i32", low=0, high=10**6)
        many = letter.minimum(letter.const(10**6, "i32"), letter.add(before, votes))
        draft.set(before, word.clip(many, 0, 10**6))
        draft.output("sums", many)
    draft.output("votes", votes)
    draft.output("score", score)
    draft.output("seen", letter.mul(x, 2.0))
    return draft.finish(), draft.values


@pytest.mark.parametrize("stateful", [False, True])
def test_what_is_ahead_and_behind_runs_reading_by_reading(stateful: bool) -> None:
    program, values = wired(stateful)
    found = parts(program)
    assert found is not None
    assert found.ahead is not None
    assert {i.name for i in found.behind.inputs} == {"s0", "s1", "s2", "sums_0", "sums_1"}
    assert not [p for p in found.behind.params if "link" in p.name or "edges" in p.name]
    rows = octets(program, 4, readings=3)
    rows["s1"][::7] = np.nan
    rows["s2"][::5] = np.inf
    assert alike(program, values, rows)


def test_a_vector_that_is_an_input_is_taken_as_it_comes() -> None:
    program, _ = wire(Forest(forest(np.random.default_rng(1), 2)), (np.zeros((1, COLUMNS), np.uint8),))
    found = parts(program)
    assert found is not None
    assert found.ahead is None
    assert [i.name for i in found.behind.inputs] == ["sums_0"]


def of_another_forest() -> Program:
    """A forest that asks what another one said."""
    draft = Draft()
    rng = np.random.default_rng(1)
    votes = Forest(forest(rng, 6), outputs=COLUMNS, name="a").trace(draft, draft.input("x", "u8", (COLUMNS,)))
    again = letter.cast(word.clip(votes, 0, 255), "u8")
    draft.output("y", Forest(forest(rng, 3), outputs=3, name="b").trace(draft, again))
    return draft.finish()


def at_times() -> Program:
    """A program with a second clock."""
    draft = Draft()
    x = draft.input("x", "u8", (COLUMNS,))
    votes = Forest(forest(np.random.default_rng(1), 3), outputs=3).trace(draft, x)
    draft.output("y", votes)
    mean = draft.state("kept", np.zeros(3), "i32", low=0, high=100)
    draft.set(mean, word.clip(votes, 0, 100))
    draft.output("z", word.sample(mean, word.every(3)))
    return draft.finish()


def with_many_classes() -> Program:
    """A forest with classes of more than seven bits."""
    return wire(Forest(((0, 1, 0, 200),), outputs=2), (np.zeros((1, 2), np.uint8),))[0]


def with_too_many_votes() -> Program:
    """A forest with more trees than a byte can count."""
    return wire(Forest(((0, 1, 0, 1),) * 256), (np.zeros((1, 2), np.uint8),))[0]


def without_a_forest() -> Program:
    """A program with no forest at all."""
    draft = Draft()
    draft.output("y", letter.add(draft.input("x"), 1.0))
    return draft.finish()


@pytest.mark.parametrize(
    "program",
    [of_another_forest, at_times, with_many_classes, with_too_many_votes, without_a_forest],
    ids=lambda f: f.__name__,
)
def test_what_has_no_parts(program: Any) -> None:
    assert parts(program()) is None


def kernel_of(link: list[int], turns: int = 4) -> tuple[ForestKernel, Values]:
    """A forest of one tree with these links."""
    made = ForestKernel("forest", "u8", 2, 1, 7, turns, 2)
    size = len(link)
    fields = {"feature": [0] * size, "threshold": [1] * size, "link": link, "root": [0]}
    return made, {f"forest_{k}": np.array(v) for k, v in fields.items()}


ENDS = -1 - (0 << 7 | 1)
ON = -1 - (LEAVES - 1 << 7 | 1)


@pytest.mark.parametrize(
    ("link", "records"),
    [
        ([ENDS], 1),
        ([ON, ENDS], 2),
        ([2, ENDS, ENDS], 3),
        ([0], None),
        ([2, ENDS], None),
        ([ON, 0, ENDS], None),
        ([ON], None),
        ([ON, ON, ON, ON, ENDS], None),
    ],
    ids=["one", "chain", "three", "itself", "outside", "backwards", "beyond the end", "too deep"],
)
def test_only_trees_are_blended(link: list[int], records: int | None) -> None:
    made = blending(*kernel_of(link))
    assert (None if made is None else len(made.records)) == records


def test_a_tree_with_too_many_leaves_is_left_to_the_letters() -> None:
    trees = tuple(chain(count) for count in (LEAVES - 1, LEAVES, LEAVES + 1))
    worth = tuple((k * k,) for k in range(LEAVES + 2))
    for many, fitting in ((1, True), (2, True), (3, False)):
        made = Forest(trees[:many], worth, (0,) * many, outputs=1)
        program, values = wire(made, (np.zeros((1, COLUMNS), np.uint8),))
        (place,) = places_of(program)
        assert (blending(place.kernel, values) is not None) == fitting
        assert alike(program, values, octets(program, 3))


def chain(leaves: int) -> Tree:
    """A balanced tree with so many leaves."""

    def grown(low: int, high: int) -> Tree:
        middle = (low + high) // 2
        return low if high - low == 1 else (low % COLUMNS, low, grown(low, middle), grown(middle, high))

    return grown(0, leaves)


@pytest.mark.parametrize("how", ["votes", "one sum", "sums in turn", "rows"])
@pytest.mark.parametrize("leaves", [4, 700])
def test_floats_are_compared_as_the_octets_of_their_places(how: str, leaves: int) -> None:
    rng = np.random.default_rng(leaves)
    made = operators(leaves)[how]
    trees = tuple(floating(t, rng) for t in made.trees)
    program, values = wire(replace(made, trees=trees), (np.zeros((1, COLUMNS)),))
    assert (parts(program) is None) == (leaves == 700 and how == "votes")
    rows = octets(program, 3)
    x = rows["x0"]
    x += rng.choice([0.0, 0.25, -0.5], x.shape)
    edges = values["forest_threshold"]
    x[::3] = rng.choice(edges, x[::3].shape)
    x[::11] = rng.choice(np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45, 3e38], np.float32), x[::11].shape)
    assert alike(program, values, rows)


def floating(tree: Tree, rng: np.random.Generator) -> Tree:
    """A tree with thresholds that are no whole numbers."""
    if isinstance(tree, int):
        return tree
    feature, threshold, low, high = tree
    limit = float(np.float32(threshold + rng.choice([0.0, 0.25, -0.5])))
    return (feature, limit, floating(low, rng), floating(high, rng))


def test_a_column_with_more_edges_than_an_octet_counts_takes_several() -> None:
    rng = np.random.default_rng(0)
    trees = tuple((0, float(k) / 4, 0, 1) for k in range(700))
    made = Forest(trees, tuple((int(v),) for v in rng.integers(0, 99, 2)), (0,) * 700, outputs=1)
    program, values = wire(made, (np.zeros((1, 2)),))
    (place,) = places_of(program)
    found = blending(place.kernel, values)
    assert found is not None
    assert found.octets == 3
    rows = octets(program, 8)
    rows["x0"][:, 0, 0] = np.linspace(-1, 176, MANY)
    assert alike(program, values, rows)


def test_a_node_of_a_forest_is_no_letter(  # the form for lowering never leaves the lowering
) -> None:
    from bimetal.nouns.errors import BadProgram

    draft = Draft()
    x = draft.input("x", "u8", (2,))
    draft.output("y", Node("kernel", (x,), (2,), "i32", None, x.clock))
    with pytest.raises(BadProgram, match="is not a letter"):
        check(draft.finish())
