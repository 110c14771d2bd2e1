"""What an operator gives for signals, on the law."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.program.block import pack
from bimetal.program.layout import initial_state
from bimetal.program.operator import Operator, wire
from bimetal.program.verify import check
from bimetal.targets.numpy import NumpyTarget


def answer(operator: Operator, *signals: Any) -> list[NDArray[Any]]:
    """The values of every output at the readings it fires at; signals have a row for each reading."""
    arrays = [np.asarray(s) for s in signals]
    program, values = wire(operator, arrays)
    check(program)
    running = NumpyTarget().load(program, pack(program, values))
    rows = np.zeros(len(arrays[0]), running.layouts.input.dtype)
    for k, array in enumerate(arrays):
        rows[f"x{k}"] = array
    _, outputs, fired = running.run(initial_state(program), rows)
    bits = {clock: k for k, clock in enumerate(program.clocks)}
    return [
        outputs[name][(fired >> bits[node.clock or program.clocks[0]]) & 1 == 1]
        for name, node in program.outputs
    ]
