"""C99 crown: down a complete crown without a branch, then from cell to cell.

A comparison is the sign of a difference of octets: six instructions a level on a Cortex-M4.
"""

from __future__ import annotations

from collections.abc import Iterator

from bimetal.targets.c99_scalar import TYPES
from bimetal.targets.kernels.c99_field import fields_of
from bimetal.targets.kernels.forest import ForestKernel

MOST_WRITTEN = 6
"""So many steps from cell to cell are written out; more are a loop."""


def crown_rows(kernel: ForestKernel) -> list[str]:
    """Return the lines that name the crown, the ends and, in places, the values of the first tree."""
    fields, small = fields_of(kernel), "uint8_t" if kernel.features <= 256 else "int16_t"
    lines = [
        f"const BIMETAL_FLASH {small} *feature = {fields['crown_feature']};",
        f"const BIMETAL_FLASH {TYPES[kernel.dtype]} *threshold = {fields['crown_threshold']};",
    ]
    if kernel.in_places:
        return [*lines, f"const BIMETAL_FLASH {TYPES[kernel.worth]} *worth = {fields['values']};"]
    kind = "int8_t" if kernel.narrow else "int16_t"
    return [*lines, f"const BIMETAL_FLASH {kind} *end = {fields['end']};"]


def crown_next(kernel: ForestKernel) -> list[str]:
    """Return the lines that go on to the next tree."""
    own, last = 1 << kernel.levels, "worth" if kernel.in_places else "end"
    step = own * kernel.width if kernel.in_places else own
    return [f"feature += {own};", f"threshold += {own};", f"{last} += {step};"]


def crown_walk(kernel: ForestKernel) -> list[str]:
    """Return the lines that walk down a tree: to `code`, which is -1 - leaf, or else to the place `i`."""
    code = [] if kernel.in_places else ["int32_t code;"]
    levels = (_level(kernel) for _ in range(kernel.levels))
    return ["uint32_t i = 1u;", *code, *levels, *_below(kernel)]


def _level(kernel: ForestKernel) -> str:
    return f"i = 2u * i + {_high(kernel, 'feature', 'threshold', 'i')};"


def _high(kernel: ForestKernel, feature: str, threshold: str, at: str) -> str:
    """Return 1 where the value is greater than the threshold, else 0; NaN is not greater."""
    if kernel.dtype == "u8":
        return f"((uint32_t)({threshold}[{at}] - x[{feature}[{at}]]) >> 31)"
    return f"({threshold}[{at}] < x[{feature}[{at}]] ? 1u : 0u)"


def _below(kernel: ForestKernel) -> Iterator[str]:
    if kernel.in_places:
        return
    fields = fields_of(kernel)
    yield f"code = end[i - {1 << kernel.levels}u];"
    if not kernel.turns:
        return
    yield "if (code >= 0) {"
    yield f"    uint32_t at = (uint32_t){fields['stem']};"
    yield from (f"    {line}" for line in _cells(kernel))
    yield "    if (code >= 0) {"
    yield "        code = -1;"
    yield "    }"
    yield "}"


def _cells(kernel: ForestKernel) -> Iterator[str]:
    """Step on as far as the code says, and read the next, until it is a leaf or no step is left."""
    child, feature, threshold = (fields_of(kernel)[k] for k in ("child", "cell_feature", "cell_threshold"))
    step = ["at += (uint32_t)code;", f"code = {child}[2u * at + {_high(kernel, feature, threshold, 'at')}];"]
    if kernel.turns > MOST_WRITTEN:
        yield f"int32_t steps = {kernel.turns};"
        yield "do {"
        yield from (f"    {line}" for line in step)
        yield "} while (code >= 0 && --steps > 0);"
        return
    yield "do {"
    for k in range(kernel.turns):
        yield from (f"    {line}" for line in step)
        if k < kernel.turns - 1:
            yield "    if (code < 0) {"
            yield "        break;"
            yield "    }"
    yield "} while (false);"
