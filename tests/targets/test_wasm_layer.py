"""Dense layers run four devices at once have the bits of the letters, in every place they may stand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import wasmtime
from numpy.typing import NDArray

from bimetal.program import letter, word
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.operators.dense_int8 import DenseInt8
from bimetal.program.operators.linear_int8 import LinearInt8
from bimetal.program.operators.quantise import Quantise
from bimetal.program.program import Draft, Program
from bimetal.program.verify import check
from bimetal.targets.kernels.layer import DENSE, SUMS
from bimetal.targets.kernels.substitute import dense_in_one_piece
from bimetal.targets.loops import Call, statements
from bimetal.targets.lower import lower
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.wasm import write_wasm
from bimetal.targets.wasm_run import WasmTarget
from tests.targets.kernels.test_layer import LAYERS, edges, end, fed, net, some

RNG = np.random.default_rng(4)
DEVICES = 22
"""Five groups of four, and two that are left over."""


def same(program: Program, values: dict[str, Any], rows: NDArray[Any], states: NDArray[np.uint8]) -> bool:
    """Whether many devices at once give the outputs and states of the law."""
    block = pack(program, values)
    law = NumpyTarget().load(program, block).run_devices(states, rows)
    found = WasmTarget().load(program, block).run_devices(states, rows)
    return all(a.tobytes() == b.tobytes() for a, b in zip(law, found, strict=True))


def fresh(program: Program, count: int = DEVICES) -> NDArray[np.uint8]:
    """States of devices that have seen nothing."""
    return np.tile(np.frombuffer(initial_state(program), np.uint8), (count, 1))


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer(name: str) -> None:
    operator, shape, _ = LAYERS[name]
    program, values, rows = fed(operator, shape, DEVICES * 3)
    for block in [values, *(edges(program, values) for _ in range(3))]:
        assert same(program, block, rows.reshape(DEVICES, 3), fresh(program))


@pytest.mark.parametrize("rows", [4, 5, 7, 8, 33])
@pytest.mark.parametrize("columns", [1, 2, 3, 4, 5, 8, 11, 12, 24, 37])
def test_all_sizes(rows: int, columns: int) -> None:
    program, values, given = fed(DenseInt8(some(rows, columns), *end(rows), 19), (columns,), DEVICES)
    assert same(program, edges(program, values), given[:, None], fresh(program))


def test_only_dense_layers_are_kernels_here() -> None:
    program, values = net()
    lowered = lower(program, check(program).ranges, dense_in_one_piece)
    kinds = [s.kernel.kind for stage in lowered.stages for s in statements(stage.body) if isinstance(s, Call)]
    assert kinds == [DENSE, SUMS]
    rows = np.zeros((DEVICES, 2), layout_of(program).input.dtype)
    rows["x"] = RNG.integers(-128, 128, (DEVICES, 2, 12, 4))
    assert same(program, values, rows, fresh(program))


def slow() -> tuple[Program, dict[str, Any]]:
    """Layers at a slower clock: one is put out, one is kept as a state, one reads a table beside it."""
    draft = Draft("slow")
    x = draft.input("x", "f32", (6,))
    seen = draft.state("seen", np.zeros(6), "f32")
    draft.set(seen, word.otherwise(x, 0.0))
    clock = word.every(3)
    now = Quantise(0.05).trace(draft, word.sample(seen, clock))
    kept = draft.state("kept", np.zeros(8), "i8", clock=clock)
    layer = DenseInt8(some(8, 6), *end(8), 17, name="a").trace(draft, now)
    draft.set(kept, layer)
    draft.output("hidden", DenseInt8(some(5, 8), *end(5), 18, 1, name="b").trace(draft, kept))
    table = letter.const(list(range(-8, 8)), "i32")
    place = letter.band(letter.cast(layer, "i32"), letter.const(15, "i32"))
    draft.output("looked_up", letter.gather(table, place))
    draft.output("y", LinearInt8(some(4, 8), some(4), (0.5,) * 4, name="c").trace(draft, layer))
    return draft.finish(), draft.values


def test_lanes_that_are_not_due_keep_their_state() -> None:
    program, values = slow()
    rows = np.zeros((DEVICES, 10), layout_of(program).input.dtype)
    rows["x"] = RNG.normal(0, 3, (DEVICES, 10, 6))
    states = fresh(program)
    block = pack(program, values)
    law = NumpyTarget().load(program, block)
    for d in range(DEVICES):  # devices out of step with each other
        states[d] = np.frombuffer(law.run(states[d].tobytes(), rows[d, : d % 3])[0], np.uint8)
    assert same(program, values, rows, states)
    assert same(program, values, rows[:, :1], states)


def test_it_is_a_valid_module_and_the_same_for_all_values() -> None:
    program, _ = slow()
    ranges = check(program).ranges
    code = [
        write_wasm(
            lower(p, ranges_of(p)), groups=True, together=lower(p, ranges_of(p), dense_in_one_piece)
        ).code
        for p in (program, slow()[0])
    ]
    assert code[0] == code[1]
    wasmtime.Module.validate(wasmtime.Engine(), code[0])
    assert code[0] != write_wasm(lower(program, ranges), groups=True).code


def ranges_of(program: Program) -> Any:
    """What is proven about a program."""
    return check(program).ranges


def test_a_layer_alone_is_in_letters() -> None:
    """Without groups a module has no vectors at all: old engines run it."""
    program, _ = net()
    code = write_wasm(lower(program, check(program).ranges)).code
    assert bytes([0xFD, 0xBA, 0x01]) not in code
