"""Layers of nets are found by their letters alone, and their kernels have the bits of the letters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bimetal.cli.toolbox import LocalTools
from bimetal.program import letter, word
from bimetal.program.block import HEAD, pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.operator import Example, Operator, wire
from bimetal.program.operators.conv1d_int8 import Conv1dInt8
from bimetal.program.operators.conv2d_int8 import Conv2dInt8
from bimetal.program.operators.dense_int8 import DenseInt8
from bimetal.program.operators.depthwise_int8 import DepthwiseInt8
from bimetal.program.operators.linear_int8 import LinearInt8
from bimetal.program.operators.pool import Pool
from bimetal.program.program import Draft, Program
from bimetal.program.verify import check
from bimetal.targets.c99 import write_c99
from bimetal.targets.c99_run import FLAGS, C99Target
from bimetal.targets.kernels.layer import APART, CONV, DENSE, SUMS, LayerKernel, layers_of
from bimetal.targets.kernels.substitute import dense_in_one_piece, in_one_piece
from bimetal.targets.loops import Call, statements
from bimetal.targets.lower import lower
from bimetal.targets.numpy import NumpyTarget
from tests.targets.compiled import STRICT, attempt, written

RNG = np.random.default_rng(11)


def whole(array: NDArray[Any]) -> Any:
    """An array as tuples of whole numbers."""
    return tuple(map(whole, array)) if array.ndim else int(array)


def some(*shape: int, most: int = 127) -> Any:
    """Random whole numbers of both signs."""
    return whole(RNG.integers(-most, most + 1, shape))


def scales(count: int) -> Any:
    """Random multipliers, so that results fill an i8."""
    return whole(RNG.integers(100, 2000, count))


def end(count: int) -> tuple[Any, Any]:
    """Random biases and multipliers."""
    return some(count, most=20000), scales(count)


LAYERS: dict[str, tuple[Operator, tuple[int, ...], str]] = {
    "dense": (DenseInt8(some(8, 12), *end(8), 20), (12,), DENSE),
    "dense, odd": (DenseInt8(some(7, 33), *end(7), 20, positive=1), (33,), DENSE),
    "dense of one column": (DenseInt8(some(5, 1), *end(5), 16), (1,), DENSE),
    "dense, the least": (DenseInt8(some(4, 3), *end(4), 31), (3,), DENSE),
    "a small shift": (DenseInt8(some(8, 12), *end(8), 15), (12,), SUMS),
    "sums": (LinearInt8(some(6, 10), some(6, most=9999), (0.5,) * 6), (10,), SUMS),
    "along time": (Conv1dInt8(some(5, 3, 3), *end(5), stride=2, padding=1, shift=18), (20, 3), CONV),
    "pointwise": (Conv1dInt8(some(6, 1, 8), *end(6), shift=18, positive=1), (9, 8), CONV),
    "far zeros": (Conv1dInt8(some(4, 2, 3), *end(4), padding=4, shift=18), (3, 3), CONV),
    "picture": (Conv2dInt8(some(6, 3, 2, 5), *end(6), 2, 1, 18, 1), (9, 8, 5), CONV),
    "whole picture": (Conv2dInt8(some(9, 3, 3, 4), *end(9), shift=18), (3, 3, 4), CONV),
    "apart": (DepthwiseInt8(some(3, 3, 8), *end(8), 2, 1, 18, 1), (9, 8, 8), APART),
    "apart along time": (DepthwiseInt8(some(1, 5, 4), *end(4), 1, 2, 17), (11, 4), APART),
    "apart, many products": (DepthwiseInt8(some(7, 7, 4), *end(4), 3, 3, 18), (8, 9, 4), APART),
}
LETTERS: dict[str, tuple[Operator, tuple[int, ...]]] = {
    "three rows": (DenseInt8(some(3, 12), *end(3), 20), (12,)),
    "three sums": (LinearInt8(some(3, 12), some(3), (1.0,) * 3), (12,)),
    "three filters": (Conv1dInt8(some(3, 3, 3), *end(3)), (20, 3)),
    "six channels apart": (DepthwiseInt8(some(3, 3, 6), *end(6), 2, 1, 18, 1), (9, 8, 6)),
}
EXAMPLES = [e for kind in (DenseInt8, Conv1dInt8, Conv2dInt8, DepthwiseInt8) for e in kind.examples()]


def fed(operator: Operator, shape: tuple[int, ...], count: int = 20) -> tuple[Program, Any, NDArray[Any]]:
    """The program of an operator, its parameters, and rows: random ones, and the ends of an i8."""
    x = RNG.integers(-128, 128, (count, *shape)).astype(np.int8)
    x[0], x[1], x[2] = -128, 127, 0
    program, values = wire(operator, (x,))
    rows = np.zeros(count, layout_of(program).input.dtype)
    rows["x0"] = x
    return program, values, rows


def calls(program: Program) -> list[Call]:
    """The kernels of a program that is lowered with them."""
    lowered = lower(program, check(program).ranges, in_one_piece)
    return [s for stage in lowered.stages for s in statements(stage.body) if isinstance(s, Call)]


def edges(program: Program, values: dict[str, Any]) -> dict[str, Any]:
    """Parameters that keep to what is declared, many of them at its ends; fillings are not zero."""
    found = dict(values)
    for p in program.params:
        if p.dtype != "f32":
            low, high = int(p.low), int(p.high)
            inner = RNG.integers(low, high + 1, p.shape)
            found[p.name] = np.where(RNG.random(p.shape) < 0.4, RNG.choice([low, high], p.shape), inner)
    return found


@pytest.fixture(autouse=True)
def alike() -> None:
    """Every test draws the same numbers, whichever ran before it in this process."""
    RNG.bit_generator.state = np.random.default_rng(11).bit_generator.state


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_is_found(name: str) -> None:
    operator, shape, kind = LAYERS[name]
    program, _, _ = fed(operator, shape)
    (place,) = layers_of(program)
    assert place.kernel.kind == kind
    assert place.x.op == "input"
    assert place.kernel.outputs == len(operator.bias)  # type: ignore[attr-defined]
    assert len(calls(program)) == 1
    assert len(list(statements(lower(program, check(program).ranges).stages[0].body))) > 3


@pytest.mark.parametrize("name", LETTERS)
def test_what_has_no_kernel_stays_in_letters(name: str) -> None:
    program, _, _ = fed(*LETTERS[name])
    assert not list(layers_of(program))
    assert not calls(program)


def test_sizes_are_those_of_the_operator() -> None:
    (place,) = layers_of(fed(*LAYERS["picture"][:2])[0])
    assert place.kernel == LayerKernel(CONV, "conv2d", (9, 8, 5), 6, 18, 1, (3, 2), 2, (1, 1))
    assert (place.kernel.patch, place.kernel.columns, place.kernel.places) == (30, 32, 25)
    assert place.kernel.products == 25 * 6 * 30


@pytest.mark.needs("cc")
@pytest.mark.parametrize("name", LAYERS)
def test_its_c_has_the_bits_of_the_letters(name: str) -> None:
    operator, shape, _ = LAYERS[name]
    program, values, rows = fed(operator, shape)
    start = initial_state(program)
    running = C99Target(LocalTools(), flags=(*FLAGS, *STRICT, "-fsanitize=undefined,address", "-O1")).load(
        program, pack(program, values)
    )
    varied = 0
    for block in [values, *(edges(program, values) for _ in range(4))]:
        law = NumpyTarget().load(program, pack(program, block)).run(start, rows)
        running._between = pack(program, block)[HEAD.size :]
        found = running.run(start, rows)
        assert found[1].tobytes() == law[1].tobytes()
        varied += len(np.unique(law[1]["y0"])) > 1
    assert varied  # at the ends of what is declared, one answer may be all there is


def net() -> tuple[Program, dict[str, Any]]:
    """A net of every kind of layer, one after the other."""
    draft = Draft("net")
    x = draft.input("x", "i8", (12, 4))
    x = Conv1dInt8(some(8, 3, 4), *end(8), padding=1, shift=18, positive=1, name="a").trace(draft, x)
    x = DepthwiseInt8(some(1, 3, 8), *end(8), padding=1, shift=17, name="b").trace(draft, x)
    x = Conv1dInt8(some(6, 1, 8), *end(6), stride=2, shift=18, positive=1, name="c").trace(draft, x)
    x = letter.reshape(Pool(2, "mean").trace(draft, x), (18,))
    x = DenseInt8(some(5, 18), *end(5), 18, 1, name="d").trace(draft, x)
    draft.output("hidden", x)
    draft.output("y", LinearInt8(some(4, 5), some(4), (0.5,) * 4, name="e").trace(draft, x))
    return draft.finish(), draft.values


@pytest.mark.needs("cc")
def test_layers_follow_each_other() -> None:
    program, values = net()
    assert [c.kernel.kind for c in calls(program)] == [CONV, APART, CONV, DENSE, SUMS]
    rows = np.zeros(40, layout_of(program).input.dtype)
    rows["x"] = RNG.integers(-128, 128, (40, 12, 4))
    block, start = pack(program, values), initial_state(program)
    law = NumpyTarget().load(program, block).run(start, rows)
    found = C99Target(LocalTools()).load(program, block).run(start, rows)
    assert found[1].tobytes() == law[1].tobytes()
    assert len(np.unique(law[1]["hidden"])) > 5


def test_wasm_asks_for_dense_layers_alone() -> None:
    program, _ = net()
    ranges = check(program).ranges
    assert [n.op for n in dense_in_one_piece(program, ranges)[0].nodes()].count("kernel") == 2


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_the_same_either_way(example: Example) -> None:
    program, _ = wire(example.operator, example.signals)
    assert len(calls(program)) == len(list(layers_of(program)))


def near_layer(low: int = -127, gain: int = 1) -> Program:
    """A dense layer, spelled by hand, with something else about it."""
    draft = Draft()
    x = letter.cast(draft.input("x", "i8", (8,)), "i32")
    weights = word.quads(draft, "d", ((0,) * 8,) * 4)
    sums = word.matvec(weights, x if gain == 1 else letter.mul(x, gain))
    scale = letter.cast(draft.param("d_multiplier", (1,) * 4, "i16", low=0, high=2**15 - 1), "i32")
    with_bias = letter.add(sums, word.biased(draft, "d", (0,) * 4))
    draft.output("y", word.requantised(with_bias, scale, 16, low))
    return draft.finish()


def test_one_other_number_and_it_is_no_layer() -> None:
    assert [p.kernel.kind for p in layers_of(near_layer())] == [DENSE]
    assert [p.kernel.kind for p in layers_of(near_layer(low=-128))] == [SUMS]
    assert not list(layers_of(near_layer(gain=2)))


def test_a_layer_inside_a_loop_stays_in_letters() -> None:
    draft = Draft()
    x = draft.input("x", "i8", (3, 8))
    made = DenseInt8(some(4, 8), *end(4), 18)
    draft.output("y", letter.each(3, lambda k: made.trace(draft, letter.gather(x, k))))
    assert not calls(draft.finish())


def test_its_c_is_the_same_for_all_values() -> None:
    texts = []
    for _ in range(2):
        program, _, _ = fed(DenseInt8(some(8, 12), *end(8), 20), (12,))
        texts.append(write_c99(program, lower(program, check(program).ranges, in_one_piece), "m"))
    assert texts[0] == texts[1]
    assert "i8_dense(&dense_int8_layer, (i8_learned)p, in->x0, out->y0);" in texts[0].code


@pytest.mark.needs("arm-none-eabi-gcc")
@pytest.mark.parametrize("processor", ["cortex-m0plus", "cortex-m4", "cortex-m33"])
def test_arm_takes_it_strictly(processor: str, tmp_path: Any) -> None:
    program, _ = net()
    source = write_c99(program, lower(program, check(program).ranges, in_one_piece), "m")
    written(tmp_path, {"m.h": source.header, "m.c": source.code})
    command = ["arm-none-eabi-gcc", f"-mcpu={processor}", "-mthumb", "-Os", "-std=c99", *STRICT, "-S", "m.c"]
    done = attempt(command, tmp_path)
    assert done.returncode == 0, done.stderr
    assembly = (tmp_path / "m.s").read_text()
    assert ("smlad" in assembly) == (processor != "cortex-m0plus")
