"""Wasm layer: a dense layer in whole numbers for four devices at once, two products a lane and instruction.

Two columns of a device become the two halves of its lane; two weights, spread over all lanes, meet them in
`i32x4.dot_i16x8_s`. Four rows of weights share what is loaded; the last four may begin before the others
have ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bimetal.targets import wasm_code as code
from bimetal.targets import wasm_vector as vector
from bimetal.targets.kernels.layer import SUMS, LayerKernel
from bimetal.targets.wasm_code import OPS
from bimetal.targets.wasm_loop import advance, stepped, total
from bimetal.targets.wasm_vector import BYTES, LANES, V128, VECTOR

ROWS = 4
PARAMS = 0
UNROLLED = (6, 4, 2)
"""Pairs of columns a turn: as many as go into a row of weights, which is filled up to two."""
LOW_HALF = 0xFFFF


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a layer finds things: bytes of its parameters from the first one on, its input's first strip,
    and where pairs of columns may be kept; `local` gives a free local variable of a kind, and `store` code
    that stores a vector for an element of what it gives, numbered from a computed one on."""

    weights: int
    bias: int
    scale: int
    x: int
    pairs: int
    local: Callable[[int], int]
    store: Callable[[bytes, int, bytes], bytes]


def pair_bytes(kernel: LayerKernel) -> int:
    """Return how many bytes the pairs of a layer's columns take."""
    return kernel.columns // 2 * BYTES


def layer_code(kernel: LayerKernel, ground: Ground) -> bytes:
    """Return the code of a layer."""
    at, k, weights = (ground.local(code.I32) for _ in range(3))
    sums = [ground.local(V128) for _ in range(ROWS)]
    held, low, high = (ground.local(V128) for _ in range(3))
    first = kernel.outputs - ROWS
    body = code.get(at) + code.i32(first) + code.get(at) + code.i32(first) + OPS["i32.lt"] + OPS["select"]
    body += code.put(at)
    for j, each in enumerate(sums):
        bias = _row(at, 4) + vector.load_splat(ground.bias + 4 * j)
        body += bias + code.put(each)
    row = code.get(at) + code.i32(kernel.columns) + OPS["i32.mul"]
    body += total([code.get(PARAMS), row]) + code.put(weights)
    body += stepped(
        k,
        pair_bytes(kernel),
        _turn(kernel) * BYTES,
        b"".join(_products(kernel, ground, (k, weights, held, low, high), sums)),
    )
    for j, each in enumerate(sums):
        value = (
            code.get(each)
            if kernel.kind == SUMS
            else b"".join(_scaled(kernel, ground, at, each, (held, low, high), j))
        )
        body += ground.store(code.get(at), j, value)
    return b"".join(_paired(kernel, ground)) + stepped(at, kernel.outputs, ROWS, body)


def _turn(kernel: LayerKernel) -> int:
    return next(n for n in UNROLLED if kernel.columns // 2 % n == 0)


def _row(at: int, width: int) -> bytes:
    return total([code.get(PARAMS), code.get(at) + code.i32(width) + OPS["i32.mul"]])


def _paired(kernel: LayerKernel, ground: Ground) -> Iterator[bytes]:
    """Put two columns into the halves of each lane; the one that is left alone has a zero beside it."""
    k, pairs = ground.local(code.I32), kernel.patch // 2
    twice = code.get(k) + code.i32(1) + OPS["i32.shl"]
    low, high = twice + vector.load(ground.x), twice + vector.load(ground.x + BYTES)
    half = vector.words([LOW_HALF] * LANES) + VECTOR["and"]
    both = low + half + high + code.i32(16) + VECTOR["i32x4.shl"] + VECTOR["or"]
    if pairs:
        yield stepped(k, pairs * BYTES, BYTES, code.get(k) + both + vector.store(ground.pairs))
    if kernel.patch % 2:
        last = code.i32(0) + vector.load(ground.x + (kernel.patch - 1) * BYTES) + half
        yield code.i32(0) + last + vector.store(ground.pairs + pairs * BYTES)
    for beyond in range(-(-kernel.patch // 2), kernel.columns // 2):
        yield code.i32(0) + vector.words([0] * LANES) + vector.store(ground.pairs + beyond * BYTES)


def _products(
    kernel: LayerKernel, ground: Ground, locals_: tuple[int, ...], sums: list[int]
) -> Iterator[bytes]:
    """Two products for each of four rows and four devices; a word has the weights of two pairs."""
    k, weights, row, *held = locals_
    for turn in range(0, _turn(kernel), 2):
        for n, pair in enumerate(held):
            yield code.get(k) + vector.load(ground.pairs + (turn + n) * BYTES) + code.put(pair)
        for j, each in enumerate(sums):
            four = code.get(weights) + vector.load32_zero(ground.weights + j * kernel.columns + 2 * turn)
            yield four + VECTOR["i16x8.extend_low_i8x16"] + code.put(row)
            for n, pair in enumerate(held):
                spread = code.get(row) + code.get(row) + vector.shuffle([n] * LANES)
                dot = spread + code.get(pair) + VECTOR["i32x4.dot_i16x8"]
                yield code.get(each) + dot + VECTOR["i32x4.add"] + code.put(each)
    yield advance(weights, code.i32(2 * _turn(kernel)))


def _scaled(
    kernel: LayerKernel, ground: Ground, at: int, each: int, wide: tuple[int, int, int], j: int
) -> Iterator[bytes]:
    """A sum times its scale, rounded, kept within bounds.

    The scale is shifted up so that the upper words of the products over 64 bits, two lanes at a time, are the
    results; the highest bits of the lower ones round them.
    """
    held, low, high = wide
    scale = (
        _row(at, 2) + code.load("i16", ground.scale + 2 * j) + code.i32(32 - kernel.shift) + OPS["i32.shl"]
    )
    yield scale + VECTOR["i32x4.splat"] + code.put(held)
    for part, kept in (("low", low), ("high", high)):
        yield code.get(each) + code.get(held) + VECTOR[f"i64x2.extmul_{part}"] + code.put(kept)
    products = code.get(low) + code.get(high)
    below = products + vector.shuffle([0, 2, 4, 6]) + code.i32(31) + VECTOR["i32x4.shr_u"]
    yield products + vector.shuffle([1, 3, 5, 7]) + below + VECTOR["i32x4.add"]
    yield vector.words([-127 * (1 - kernel.positive)] * LANES) + VECTOR["i32x4.max"]
    yield vector.words([127] * LANES) + VECTOR["i32x4.min"]
