"""Nets for the tests of this room: made by hand, so that no library that trains is needed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.imports.foreign import SOFTMAX, VALUE, Columns, Foreign, Formula, Step
from bimetal.learn.imports.net import Conv, Flat, Layer, Net, Part, Pool, net, sized
from bimetal.program.operators.standardise import Standardise

Floats = NDArray[np.float64]
RNG = np.random.default_rng(8)


def layer(rows: int, columns: int, bend: str = "identity") -> Layer:
    """A random layer whose results are as large as what it is given."""
    return Layer(RNG.normal(0, columns**-0.5, (rows, columns)), RNG.normal(0, 0.1, rows), bend)


def conv(*shape: int, stride: int = 1, padding: tuple[int, int] = (0, 0), bend: str = "relu") -> Conv:
    """A random convolution; of channels apart where there are three axes."""
    outputs = shape[-1] if len(shape) == 3 else shape[0]
    inside = np.prod(shape[:2]) if len(shape) == 3 else np.prod(shape[1:])
    return Conv(RNG.normal(0, inside**-0.5, shape), RNG.normal(0, 0.1, outputs), stride, padding, bend)


def foreign(
    parts: list[Part], shape: tuple[int, ...], ending: str = VALUE, steps: tuple[Step, ...] = ()
) -> Foreign:
    """A foreign net of parts."""
    made = sized(Net(tuple(parts)), shape) if len(shape) > 1 else net(parts)
    last = next(p for p in reversed(parts) if isinstance(p, Layer | Conv))
    labels = tuple(str(k) for k in range(last.outputs)) if ending == SOFTMAX else ()
    return Foreign("net", int(np.prod(shape)), steps, Formula(made), ending, labels)


def scaler(mean: Floats, scale: Floats) -> Columns:
    """Standard scores, as a library's scaler has them."""
    made = Standardise(tuple(mean.tolist()), tuple(scale.tolist()), "scaler")
    return Columns(lambda rows: (rows - mean) / scale, lambda draft, x, name: made.trace(draft, x))


NETS: dict[str, tuple[list[Part], tuple[int, ...]]] = {
    "relu": ([layer(32, 20, "relu"), layer(16, 32, "relu"), layer(6, 16)], (20,)),
    "curved": ([layer(32, 20, "tanh"), layer(16, 32, "logistic"), layer(6, 16)], (20,)),
    "one layer": ([layer(6, 20)], (20,)),
    "ends bent": ([layer(12, 20, "relu6"), layer(6, 12, "tanh")], (20,)),
    "autoencoder": (
        [layer(16, 33, "relu"), layer(8, 16, "relu"), layer(16, 8, "relu"), layer(33, 16)],
        (33,),
    ),
    "along time": (
        [
            conv(8, 1, 5, 3, stride=2, padding=(0, 2)),
            conv(1, 3, 8, padding=(0, 1), bend="relu6"),
            conv(12, 1, 1, 8),
            Pool(2, "greatest"),
            Flat(channels_first=True),
            layer(5, 96),
        ],
        (32, 3),
    ),
    "picture": (
        [
            conv(4, 3, 3, 2, padding=(1, 1), bend="tanh"),
            Pool(2, "mean"),
            conv(6, 2, 3, 4, bend="logistic"),
            Pool(0, "mean"),
            Flat(channels_first=True),
            layer(4, 6),
        ],
        (8, 10, 2),
    ),
    "no dense layer": ([conv(8, 1, 5, 3), Pool(0, "greatest"), Flat()], (32, 3)),
    "zeros beside only": ([conv(4, 1, 3, 2, padding=(0, 1)), conv(3, 3, 4, bend="identity")], (6, 7, 2)),
    "pool first": ([Pool(2, "mean"), conv(8, 1, 3, 3), Flat(), layer(4, 112)], (32, 3)),
}
"""By name: the parts, and the shape they are fed with."""


def rows_for(shape: tuple[int, ...], count: int = 300) -> Floats:
    """The same rows whoever asks: noise that ends at 2.5, in columns or channels of very different sizes."""
    rng = np.random.default_rng(8)
    sizes = 10.0 ** rng.uniform(-1, 1, shape[-1]) if len(shape) == 1 else np.ones(shape[-1])
    noise = np.clip(rng.normal(size=(count, *shape)), -2.5, 2.5)
    return (noise * sizes).reshape(count, -1).astype(np.float32).astype(np.float64)
