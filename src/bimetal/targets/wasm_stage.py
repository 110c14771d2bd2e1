"""Wasm stage: the loops of one stage as the code of one function."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bimetal.nouns.errors import Broken
from bimetal.program.layout import Layouts
from bimetal.program.node import DTYPES
from bimetal.targets import wasm_code as code
from bimetal.targets.loops import (
    At,
    Buf,
    Call,
    Expr,
    For,
    If,
    Let,
    Lin,
    Lit,
    Note,
    Op,
    Read,
    Ref,
    Set,
    Stage,
    Stmt,
    Store,
    Var,
)  # fmt: skip
from bimetal.targets.wasm_code import OPS

ARGUMENTS = {"state": 0, "params": 1, "in": 2, "out": 3}
CANONICAL_NAN = b"\x43\x00\x00\xc0\x7f"
SAME = {"add", "sub", "mul", "div", "lt", "le", "eq", "sqrt"}
WHOLE = {"and": "i32.and", "or": "i32.or", "band": "i32.and", "bor": "i32.or", "not": "i32.eqz"}
SHIFTS = {"shl": "i32.shl", "shr": "i32.shr"}
NARROW = {"i8": OPS["i32.extend8"], "i16": OPS["i32.extend16"], "u8": code.i32(255) + OPS["i32.and"]}


@dataclass(frozen=True, slots=True)
class Memory:
    """Where things lie: the structs, and the module's own tables and scratch memory by name."""

    layouts: Layouts
    places: Mapping[str, int]

    def offset(self, buf: Buf, scratch: Mapping[str, int]) -> int:
        """Return the first byte of a buffer, within its struct or of all memory."""
        if buf.space == "scratch":
            return self.places["scratch"] + scratch[buf.name]
        if buf.space == "table":
            return self.places[buf.name]
        lay = self.layouts
        struct = {"state": lay.state, "params": lay.params, "in": lay.input, "out": lay.output}[buf.space]
        return struct.field(buf.name).offset


def stage_code(stage: Stage, memory: Memory) -> bytes:
    """Return the body of a stage's function (state, params, in, out)."""
    writer = Writer(stage, memory)
    body = writer.block(stage.body)
    return code.function(writer.locals, body)


class Writer:
    """Writes statements as code.

    `arguments` says which argument of the function is the address of which memory, `count` how many
    arguments there are.
    """

    arguments: Mapping[str, int] = ARGUMENTS
    count = len(ARGUMENTS)

    def __init__(self, stage: Stage, memory: Memory) -> None:
        self.stage = stage
        self.memory = memory
        self.locals: list[int] = []
        self.names: dict[str, int] = {}
        self.turns: set[str] = set()
        self.free: dict[int, list[int]] = defaultdict(list)
        self.borrowed: list[tuple[int, int]] = []

    def block(self, body: Iterable[Stmt]) -> bytes:
        """Return the code of statements; the variables they name are free again after it."""
        mine: list[tuple[int, int]] = []
        out = bytearray()
        for statement in body:
            out += self.statement(statement, mine)
            self._release(self.borrowed)
            self.borrowed = []
        self._release(mine)
        return bytes(out)

    def _release(self, mine: Iterable[tuple[int, int]]) -> None:
        for kind, local in mine:
            self.free[kind].append(local)

    def local(self, kind: int) -> int:
        """Return a local variable that is free."""
        if self.free[kind]:
            return self.free[kind].pop()
        self.locals.append(kind)
        return self.count + len(self.locals) - 1

    def statement(self, statement: Stmt, mine: list[tuple[int, int]]) -> bytes:
        """Return the code of a statement; the variable it names is added to `mine`."""
        match statement:
            case Note():
                return b""
            case Let() | Var():
                value = self.value(statement.value)
                kind = code.F32 if statement.value.dtype == "f32" else code.I32
                local = self.names[statement.name] = self.local(kind)
                mine.append((kind, local))
                return value + code.put(local)
            case Set():
                return self.value(statement.value) + code.put(self.names[statement.name])
            case Store():
                address, offset = self.address(statement.buf, statement.index)
                return address + self.value(statement.value) + code.store(statement.buf.dtype, offset)
            case For():
                return self._loop(statement)
            case If():
                return self.value(statement.condition) + self.inside(statement)
            case Call():
                raise Broken("wasm has no kernels, and asked for none", where="wasm")

    def _loop(self, loop: For) -> bytes:
        at = self.names[loop.variable] = self.local(code.I32)
        self.turns.add(loop.variable)
        body = self.block(loop.body)
        self.free[code.I32].append(at)
        again = code.get(at) + code.i32(1) + OPS["i32.add"] + code.tee(at) + code.i32(loop.count)
        head = code.i32(0) + code.put(at) + OPS["loop"]
        return head + body + again + OPS["i32.lt"] + OPS["br_if 0"] + OPS["end"]

    def inside(self, statement: If) -> bytes:
        """Return code that runs a body if what is on the stack is not 0."""
        return OPS["if"] + self.block(statement.body) + OPS["end"]

    def address(self, buf: Buf, at: Lin) -> tuple[bytes, int]:
        """Return code for an address, and what is to be added to it.

        The sum of both is computed without wrapping round, so a part that may be negative has to be
        made whole before: only sums of loop variables cannot be.
        """
        width, offset = self.place(buf)
        out = code.get(self.arguments[buf.space]) if buf.space in self.arguments else b""
        for name, factor in at.terms:
            out += self.times(name, factor * width) + (OPS["i32.add"] if out else b"")
        if all(factor > 0 and name in self.turns for name, factor in at.terms):
            offset += at.const * width
        elif at.const:
            out += code.i32(at.const * width) + OPS["i32.add"]
        return out or code.i32(0), offset

    def place(self, buf: Buf) -> tuple[int, int]:
        """Return how many bytes an element of a buffer takes, and where the first one lies."""
        return DTYPES[buf.dtype].itemsize, self.memory.offset(buf, self.stage.scratch)

    def times(self, name: str, factor: int) -> bytes:
        """Return a plain variable, times a constant."""
        value = code.get(self.names[name])
        if factor == 1:
            return value
        if factor > 0 and factor & (factor - 1) == 0:
            return value + code.i32(factor.bit_length() - 1) + OPS["i32.shl"]
        return value + code.i32(factor) + OPS["i32.mul"]

    def value(self, expr: Expr) -> bytes:
        """Return code that leaves a value on the stack."""
        match expr:
            case Lit():
                return code.f32(expr.value) if expr.dtype == "f32" else code.i32(int(expr.value))
            case Ref():
                return code.get(self.names[expr.name])
            case At():
                parts = [self.times(name, factor) for name, factor in expr.index.terms]
                parts += [code.i32(expr.index.const)] if expr.index.const or not parts else []
                return parts[0] + b"".join(part + OPS["i32.add"] for part in parts[1:])
            case Read():
                address, offset = self.address(expr.buf, expr.index)
                truth = expr.dtype == "b1" and expr.buf.space in ARGUMENTS
                value = address + code.load(expr.dtype, offset)
                return value + code.i32(0) + OPS["i32.ne"] if truth else value
            case Op():
                return self._op(expr)

    def _op(self, expr: Op) -> bytes:
        op, args = expr.op, expr.args
        kind = "f32" if args[0].dtype == "f32" else "i32"
        if op in SAME:
            return self._each(args) + OPS[f"{kind}.{op}"]
        if op in WHOLE:
            return self._each(args) + OPS[WHOLE[op]]
        if op in SHIFTS:
            return self.value(args[0]) + code.i32(expr.attr) + OPS[SHIFTS[op]]
        match op:
            case "neg":
                if kind == "f32":
                    return self.value(args[0]) + OPS["f32.neg"]
                return code.i32(0) + self.value(args[0]) + OPS["i32.sub"]
            case "min" | "max":
                return self._chosen(op, args, kind)
            case "canon":
                first, value = self.again(args[0])
                return first + value + CANONICAL_NAN + value + value + OPS["f32.eq"] + OPS["select"]
            case "where":
                return self.value(args[1]) + self.value(args[2]) + self.value(args[0]) + OPS["select"]
            case "bits":
                to = "i32.reinterpret_f32" if kind == "f32" else "f32.reinterpret_i32"
                return self.value(args[0]) + OPS[to]
            case "cast":
                return self._cast(expr)
            case _:
                return self._mulshr(expr)

    def _each(self, args: Iterable[Expr]) -> bytes:
        return b"".join(self.value(a) for a in args)

    def _chosen(self, op: str, args: tuple[Expr, ...], kind: str) -> bytes:
        """min(a, b) = b < a ? b : a; max(a, b) = a < b ? b : a."""
        (first, a), (second, b) = self.again(args[0]), self.again(args[1])
        less = (b + a if op == "min" else a + b) + OPS[f"{kind}.lt"]
        return first + second + b + a + less + OPS["select"]

    def again(self, expr: Expr) -> tuple[bytes, bytes]:
        """Return code that computes a value, and code that gives it as often as wanted."""
        if isinstance(expr, Lit | Ref):
            return b"", self.value(expr)
        kind = code.F32 if expr.dtype == "f32" else code.I32
        value = self.value(expr)
        local = self.local(kind)
        self.borrowed.append((kind, local))
        return value + code.put(local), code.get(local)

    def _cast(self, expr: Op) -> bytes:
        value = self.value(expr.args[0])
        if expr.dtype == "f32":
            return value + OPS["f32.convert_i32"]
        if expr.args[0].dtype == "f32":
            return value + OPS["i32.trunc_sat_f32"]
        return value + NARROW.get(expr.dtype, b"")

    def _mulshr(self, expr: Op) -> bytes:
        a, b = (self.value(arg) + OPS["i64.extend_i32"] for arg in expr.args)
        half = code.i64(1 << (expr.attr - 1)) + OPS["i64.add"]
        return a + b + OPS["i64.mul"] + half + code.i64(expr.attr) + OPS["i64.shr"] + OPS["i32.wrap_i64"]
