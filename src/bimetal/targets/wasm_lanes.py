"""Wasm lanes: the loops of one stage for four devices at once, each in a lane of vectors of 128 bits.

A stage is a function (params, mask): lanes whose mask is 0 keep their state and put out 0. The structs
of the four devices lie in strips (see lane.py) of the module's own memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bimetal.program.node import DTYPES
from bimetal.targets import wasm_code as code
from bimetal.targets import wasm_vector as vector
from bimetal.targets.kernels.layer import SUMS, LayerKernel
from bimetal.targets.lane import ONE_FOR_ALL, Strip, is_shared, shared_names
from bimetal.targets.loops import (
    At,
    Buf,
    Call,
    Expr,
    If,
    Let,
    Lin,
    Lit,
    Op,
    Read,
    Ref,
    Set,
    Stage,
    Stmt,
    Store,
    Var,
)
from bimetal.targets.wasm_code import OPS
from bimetal.targets.wasm_layer import Ground, layer_code
from bimetal.targets.wasm_stage import Memory, Writer
from bimetal.targets.wasm_vector import BYTES, LANES, V128, VECTOR

MASK = 1
"""The argument that says which lanes take part."""

ALIKE = {"add", "sub", "mul", "div", "lt", "le", "eq", "sqrt", "neg", "min", "max"}
BITS = {"and": "and", "or": "or", "not": "not", "band": "and", "bor": "or"}
NARROW_BITS = {"i8": 24, "i16": 16}


@dataclass(frozen=True, slots=True)
class Strips:
    """The strips of state, input and output, and the first byte of each and of scratch memory."""

    layouts: Mapping[str, Strip]
    places: Mapping[str, int]

    def offset(self, buf: Buf, scratch: Mapping[str, int]) -> int:
        """Return the first byte of a buffer, each element of which takes a word of every lane."""
        first = self.layouts[buf.space].first[buf.name] * BYTES if buf.space in self.layouts else 0
        return self.places[buf.space] + (scratch[buf.name] if buf.space == "scratch" else first)


def lanes_code(stage: Stage, memory: Memory, strips: Strips, *, always: bool) -> bytes:
    """Return the body of a stage's function; `always` where no lane is ever left out.

    The scratch places of the stage are bytes of strips (see arena.arrange).
    """
    writer = _LaneWriter(stage, memory, strips, always)
    body = writer.block(stage.body)
    return code.function(writer.locals, body)


class _LaneWriter(Writer):
    arguments: Mapping[str, int] = {"params": 0}
    count = 2

    def __init__(self, stage: Stage, memory: Memory, strips: Strips, always: bool) -> None:
        super().__init__(stage, memory)
        self.strips = strips
        self.always = always
        self.shared = shared_names(stage.body)

    def place(self, buf: Buf) -> tuple[int, int]:
        """Return how far elements of a buffer are apart, and where the first one lies."""
        if buf.space in ONE_FOR_ALL:
            return super().place(buf)
        return BYTES, self.strips.offset(buf, self.stage.scratch)

    def statement(self, statement: Stmt, mine: list[tuple[int, int]]) -> bytes:
        """Return the code of a statement; what all lanes share is a plain number."""
        match statement:
            case Let() | Var() if statement.name not in self.shared:
                value = self.lanes(statement.value)
                local = self.names[statement.name] = self.local(V128)
                mine.append((V128, local))
                return value + code.put(local)
            case Set() if statement.name not in self.shared:
                return self.lanes(statement.value) + code.put(self.names[statement.name])
            case Store():
                return self._store(statement)
            case If() if not is_shared(statement.condition, self.shared):
                return self.lanes(statement.condition) + VECTOR["any_true"] + self.inside(statement)
            case Call() if isinstance(statement.kernel, LayerKernel):
                return self._layer(statement, statement.kernel)
            case _:
                return super().statement(statement, mine)

    def _layer(self, call: Call, kernel: LayerKernel) -> bytes:
        """Return the code of a dense layer; its results are stored as any others."""
        (x,) = call.reads
        _, first = self.place(x)
        _, goal = self.place(call.buf)

        def param(what: str) -> int:
            return self.memory.layouts.params.field(f"{kernel.name}_{what}").offset

        def store(at: bytes, j: int, value: bytes) -> bytes:
            address, offset = at + code.i32(BYTES) + OPS["i32.mul"], goal + j * BYTES
            return address + self._masked(call.buf, address, offset, value) + vector.store(offset)

        goal += call.start * BYTES
        scale = 0 if kernel.kind == SUMS else param("multiplier")
        pairs = self.strips.places["pairs"]
        ground = Ground(param("weights"), param("bias"), scale, first, pairs, self._borrow, store)
        return layer_code(kernel, ground)

    def _masked(self, buf: Buf, address: bytes, offset: int, value: bytes) -> bytes:
        """Return a value for a place: lanes that do not take part put out 0, and keep their state."""
        if self.always or buf.space not in ("out", "state"):
            return value
        if buf.space == "out":
            return value + code.get(MASK) + VECTOR["and"]
        return value + address + vector.load(offset) + code.get(MASK) + VECTOR["bitselect"]

    # Values

    def lanes(self, expr: Expr) -> bytes:
        """Return code that leaves a value for every lane on the stack; a truth is all bits or none."""
        if is_shared(expr, self.shared):
            return self._for_all(expr)
        match expr:
            case Lit():
                return vector.all_f32(expr.value)
            case Ref():
                return code.get(self.names[expr.name])
            case At():
                return self._index(expr.index, 1)
            case Read():
                return self._read(expr)
            case Op():
                return self._vector_op(expr)

    def _for_all(self, expr: Expr) -> bytes:
        """Return one whole number or truth for all lanes."""
        if isinstance(expr, Lit):
            value = -int(expr.value) if expr.dtype == "b1" else int(expr.value)
            return vector.words([value] * LANES)
        value = self.value(expr)
        if expr.dtype == "b1":
            value = code.i32(0) + value + OPS["i32.sub"]
        return value + VECTOR["i32x4.splat"]

    def _read(self, expr: Read) -> bytes:
        buf = expr.buf
        if not self._same_place(expr.index):
            return self._gathered(buf, expr.index)
        address, offset = self.address(buf, expr.index)
        if buf.space in ONE_FOR_ALL:
            return address + code.load("f32", offset) + VECTOR["f32x4.splat"]
        value = address + vector.load(offset)
        return self._truth(value) if buf.dtype == "b1" and buf.space != "scratch" else value

    def _truth(self, value: bytes) -> bytes:
        return value + vector.words([0] * LANES) + VECTOR["i32x4.ne"]

    def _same_place(self, index: Lin) -> bool:
        return all(name in self.shared for name, _ in index.terms)

    def _index(self, index: Lin, width: int) -> bytes:
        """Return an index of every lane, times a width."""
        same = Lin(index.const, tuple(t for t in index.terms if t[0] in self.shared))
        out = self._for_all(At(same.times(width)) if same.terms else Lit(same.const * width, "i32"))
        for name, factor in index.terms:
            if name not in self.shared:
                step = vector.words([factor * width] * LANES) + VECTOR["i32x4.mul"]
                value = code.get(self.names[name]) + (b"" if factor * width == 1 else step)
                out += value + VECTOR["i32x4.add"]
        return out

    def _places(self, buf: Buf, index: Lin) -> tuple[bytes, list[bytes], int]:
        """Return code to run first, code for the address of each lane, and what is to be added to it.

        The whole index is computed: only that is known not to be negative.
        """
        width, offset = self.place(buf)
        local = self._borrow(V128)
        start = code.get(self.arguments[buf.space]) if buf.space in self.arguments else b""
        add = OPS["i32.add"] if start else b""
        each = [start + code.get(local) + vector.extract(k) + add for k in range(LANES)]
        return self._index(index, width) + code.put(local), each, offset

    def _gathered(self, buf: Buf, index: Lin) -> bytes:
        """Return an element for every lane, each from its own place."""
        first, places, offset = self._places(buf, index)
        local = self._borrow(V128)
        out = first + vector.words([0] * LANES) + code.put(local)
        alone = buf.space not in ONE_FOR_ALL
        for k, place in enumerate(places):
            if alone or DTYPES[buf.dtype].itemsize == BYTES // LANES:
                at = offset + (BYTES // LANES) * k if alone else offset
                out += place + code.get(local) + vector.load_lane(k, at) + code.put(local)
            else:
                one = place + code.load(buf.dtype, offset)
                out += code.get(local) + one + vector.replace(k) + code.put(local)
        value = out + code.get(local)
        raw = buf.dtype == "b1" and buf.space != "scratch"
        return self._truth(value) if raw else value

    def _borrow(self, kind: int) -> int:
        """Return a local variable that is free again after this statement."""
        local = self.local(kind)
        self.borrowed.append((kind, local))
        return local

    # Stores

    def _store(self, statement: Store) -> bytes:
        buf, index = statement.buf, statement.index
        value = self.lanes(statement.value)
        if buf.dtype == "b1" and buf.space != "scratch":
            value += vector.words([1] * LANES) + VECTOR["and"]
        if buf.space == "out" and not self.always:
            value += code.get(MASK) + VECTOR["and"]
        kept = buf.space == "state" and not self.always
        if not self._same_place(index):
            return self._scattered(buf, index, value, kept)
        address, offset = self.address(buf, index)
        if kept:
            value += address + vector.load(offset) + code.get(MASK) + VECTOR["bitselect"]
        return address + value + vector.store(offset)

    def _scattered(self, buf: Buf, index: Lin, value: bytes, kept: bool) -> bytes:
        """Store an element of every lane, each at its own place."""
        first, places, offset = self._places(buf, index)
        local = self._borrow(V128)
        out = first + value + code.put(local)
        for k, place in enumerate(places):
            at = offset + (BYTES // LANES) * k
            new = place + code.get(local) + vector.store_lane(k, at)
            old = code.get(MASK) + vector.extract(k) + OPS["if"] + new + OPS["end"]
            out += old if kept else new
        return out

    # Spellings

    def _vector_op(self, expr: Op) -> bytes:
        op, args = expr.op, expr.args
        form = "f32x4" if args[0].dtype == "f32" else "i32x4"
        if op in ALIKE:
            return self._all(args) + VECTOR[f"{form}.{op}"]
        if op in BITS:
            return self._all(args) + VECTOR[BITS[op]]
        match op:
            case "shl" | "shr":
                return self.lanes(args[0]) + code.i32(expr.attr) + VECTOR[f"i32x4.{op}"]
            case "canon":
                first, value = self.twice(args[0])
                return first + value + vector.all_f32(float("nan")) + value + value + (
                    VECTOR["f32x4.eq"] + VECTOR["bitselect"]
                )  # fmt: skip
            case "where":
                return self._all([args[1], args[2], args[0]]) + VECTOR["bitselect"]
            case "bits":
                return self.lanes(args[0])
            case "cast":
                return self._vector_cast(expr)
            case _:
                return self._wide_product(expr)

    def _all(self, args: Iterable[Expr]) -> bytes:
        return b"".join(self.lanes(a) for a in args)

    def twice(self, expr: Expr) -> tuple[bytes, bytes]:
        """Return code that computes a value, and code that gives it as often as wanted."""
        if isinstance(expr, Ref) and expr.name not in self.shared:
            return b"", self.lanes(expr)
        value, local = self.lanes(expr), self._borrow(V128)
        return value + code.put(local), code.get(local)

    def _vector_cast(self, expr: Op) -> bytes:
        (arg,) = expr.args
        value = self.lanes(arg)
        if expr.dtype == "f32":
            return value + VECTOR["f32x4.convert_i32x4"]
        if arg.dtype == "f32":
            return value + VECTOR["i32x4.trunc_sat_f32x4"]
        if arg.dtype == "b1":
            return value + vector.words([1] * LANES) + VECTOR["and"]
        if expr.dtype == "u8":
            return value + vector.words([255] * LANES) + VECTOR["and"]
        left = NARROW_BITS.get(expr.dtype, 0)
        there = code.i32(left) + VECTOR["i32x4.shl"] + code.i32(left) + VECTOR["i32x4.shr"]
        return value + there if left else value

    def _wide_product(self, expr: Op) -> bytes:
        """mulshr: products over 64 bits, two lanes at a time."""
        (first, a), (second, b) = (self.twice(arg) for arg in expr.args)
        half = 1 << (expr.attr - 1)
        rounding = vector.words([half, half >> 32] * 2) + VECTOR["i64x2.add"]
        shifted = rounding + code.i32(expr.attr) + VECTOR["i64x2.shr"]
        low, high = (a + b + VECTOR[f"i64x2.extmul_{part}"] + shifted for part in ("low", "high"))
        return first + second + low + high + vector.shuffle([0, 2, 4, 6])
