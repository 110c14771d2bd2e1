"""Join: layers that nothing bends in between become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bimetal.learn.imports.look import Floats
from bimetal.learn.imports.net import Conv, Flat, Layer, Part, Pool
from bimetal.nouns.errors import BadInput


def joined(parts: Sequence[Part]) -> list[Part]:
    """Return parts with every layer that only scales or shifts taken into the one before it."""
    found: list[Part] = []
    for part in parts:
        before = found[-1] if found else None
        if isinstance(part, Layer) and isinstance(before, Layer) and before.bend == "identity":
            _check(part.weights.shape[1] == before.outputs, part.weights.shape, before.outputs)
            found[-1] = _dense(part, before)
        elif (
            isinstance(part, Conv) and isinstance(before, Conv) and before.bend == "identity" and scales(part)
        ):
            _check(part.outputs == before.outputs, part.weights.shape, before.outputs)
            found[-1] = _scaled(part, before)
        else:
            found.append(part)
    return found


def bent(parts: list[Part], bend: str, width: int) -> list[Part]:
    """Return parts whose last sums are bent; `width` is how many values or channels there are."""
    last = parts[-1] if parts else None
    if len(parts) > 1 and (isinstance(last, Flat) or (isinstance(last, Pool) and last.how == "greatest")):
        return [*bent(parts[:-1], bend, width), last]  # no bend turns an order round
    if isinstance(last, Layer | Conv) and last.bend == "identity":
        return [*parts[:-1], replace(last, bend=bend)]
    if _slides(parts):
        return [*parts, replace(scaling(np.ones(width), np.zeros(width)), bend=bend)]
    return [*parts, Layer(np.eye(width), np.zeros(width), bend)]


def normalised(parts: list[Part], gain: Floats, offset: Floats) -> list[Part]:
    """Return parts followed by a factor and an offset for every channel, or for every value of a vector."""
    last = scaling(gain, offset) if _slides(parts) else Layer(np.diag(gain), offset)
    return [*parts, last]


def scaling(gain: Floats, offset: Floats) -> Conv:
    """Return a factor and an offset for every channel as a convolution of one place."""
    return Conv(gain.reshape(1, 1, -1), offset)


def scales(part: Conv) -> bool:
    """Say whether a convolution does no more than scale and shift its channels."""
    return part.apart and part.size == (1, 1) and part.stride == 1 and part.padding == (0, 0)


def _slides(parts: Sequence[Part]) -> bool:
    """Say whether what parts give is a picture still."""
    kinds = [type(p).__name__ for p in parts if not isinstance(p, Layer)]
    return bool(kinds) and kinds[-1] in ("Conv", "Pool")


def _dense(part: Layer, before: Layer) -> Layer:
    return Layer(part.weights @ before.weights, part.weights @ before.bias + part.bias, part.bend)


def _scaled(part: Conv, before: Conv) -> Conv:
    gain = part.weights.reshape(-1)
    weights = before.weights * gain if before.apart else before.weights * gain[:, None, None, None]
    return replace(before, weights=weights, bias=before.bias * gain + part.bias, bend=part.bend)


def _check(holds: bool, shape: tuple[int, ...], width: int) -> None:
    if not holds:
        raise BadInput(f"a layer of {shape} meets {width} values", where="net")
