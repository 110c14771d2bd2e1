"""Octet: rows rounded to 8 bits just as a device will do it, to train on."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bimetal.program.block import pack
from bimetal.program.layout import initial_state
from bimetal.program.operator import wire
from bimetal.program.operators.octets import Octets
from bimetal.targets.numpy import NumpyTarget


def octets_of(octets: Octets, rows: ArrayLike) -> NDArray[np.uint8]:
    """Return rows (n, columns) of numbers as whole numbers 0..255 (n, columns).

    The operator's own program computes them, so a model trained on them meets the same ones on a device.
    """
    values = np.asarray(rows, np.float32)
    program, learned = wire(octets, (values,))
    running = NumpyTarget().load(program, pack(program, learned))
    state = np.frombuffer(initial_state(program), np.uint8)
    given = np.zeros((len(values), 1), running.layouts.input.dtype)
    given["x0"][:, 0] = values
    _, outputs, _ = running.run_devices(np.tile(state, (len(values), 1)), given)
    return np.asarray(outputs["y0"][:, 0], np.uint8)
