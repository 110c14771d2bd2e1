"""Activation: what every part of a float net gives for many rows, to see how large values become."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.imports.net import Conv, Flat, Layer, Net, Part, Pool
from bimetal.nouns.errors import Unsupported

Floats = NDArray[np.float64]
BENT: dict[str, Callable[[Floats], Floats]] = {
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, 0.0),
    "relu6": lambda x: np.clip(x, 0.0, 6.0),
    "logistic": lambda x: 1 / (1 + np.exp(-np.clip(x, -60, 60))),
    "tanh": np.tanh,
}


def activations(net: Net, rows: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Yield for each part its sums and what they are bent to, both (n, ...), for rows (n, *net.shape).

    Raises Unsupported for a part that remembers, and for a bend that is none of BENT.
    """
    x = rows
    for part in net.parts:
        sums = sums_of(part, x)
        bend = part.bend if isinstance(part, Layer | Conv) else "identity"
        if bend not in BENT:
            raise Unsupported(
                f"a layer in the middle is bent by {bend}", where="int8", hint="Use relu or tanh"
            )
        x = BENT[bend](sums)
        yield sums, x


def sums_of(part: Part, x: Floats) -> Floats:
    """Return what a part gives for rows (n, ...), before it is bent."""
    match part:
        case Layer():
            return x @ part.weights.T + part.bias
        case Conv():
            return _conv(part, x)
        case Pool():
            return _pool(part, x)
        case Flat():
            return x.reshape(len(x), -1)
        case _:
            raise Unsupported(
                "a recurrent cell stays in floats: what it remembers would lose its digits step by step",
                where="int8", hint="Use Conv1d over a window of readings, or keep it in f32",
            )  # fmt: skip


def _conv(part: Conv, x: Floats) -> Floats:
    flat = x.ndim == 3
    picture = x[:, None] if flat else x
    above, beside = part.padding
    wide = np.pad(picture, ((0, 0), (above,) * 2, (beside,) * 2, (0, 0)))
    patches = np.lib.stride_tricks.sliding_window_view(wide, part.size, axis=(1, 2))
    patches = patches[:, :: part.stride, :: part.stride]
    spelled = "nrqchw,hwc->nrqc" if part.apart else "nrqchw,fhwc->nrqf"
    made = np.einsum(spelled, patches, part.weights, optimize=True) + part.bias
    return made[:, 0] if flat else made


def _pool(part: Pool, x: Floats) -> Floats:
    places = x.shape[1:-1]
    sizes = [part.size or n for n in places]
    whole = x[(slice(None), *(slice(0, n // s * s) for n, s in zip(places, sizes, strict=True)))]
    cut = [pair for n, s in zip(places, sizes, strict=True) for pair in (n // s, s)]
    blocks = whole.reshape(len(x), *cut, x.shape[-1])
    axes = tuple(range(2, 2 + 2 * len(places), 2))
    return blocks.max(axis=axes) if part.how == "greatest" else blocks.mean(axis=axes)
