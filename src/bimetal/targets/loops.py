"""Loops: the small language between letters and targets, a few statements and some 25 scalar spellings.

A target reads a `Lowered` program: one `Stage` for each clock, each a list of statements over memory
(`Buf`) and scalars. Every index is affine (`Lin`) in loop variables and in scalars that were bound
before, and has been proven to lie inside its buffer.

| spelling | on | meaning |
| --- | --- | --- |
| `add sub mul neg min max lt le eq` | f32, i32 | as the letters |
| `div sqrt` | f32 | correctly rounded |
| `canon` | f32 | the same number; a NaN becomes 0x7fc00000 |
| `and or not` | b1 | logic |
| `band bor shl shr mulshr` | i32 | `attr` is the constant shift |
| `where` | any | args (b1, a, b) |
| `cast bits` | any | change type, reinterpret; the result type is the Op's |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from bimetal.program.layout import Layouts
from bimetal.program.node import Clock

Spans = Mapping[str, tuple[int, int]]
"""The least and the greatest value of every variable an index may use."""


@dataclass(frozen=True, slots=True)
class Lin:
    """An affine index: `const` + the sum of factor * variable; terms sorted by name, no factor 0."""

    const: int = 0
    terms: tuple[tuple[str, int], ...] = ()

    def __add__(self, other: Lin | int) -> Lin:
        if isinstance(other, int):
            return Lin(self.const + other, self.terms)
        if not self.terms or not other.terms:
            return Lin(self.const + other.const, self.terms or other.terms)
        found = dict(self.terms)
        for name, factor in other.terms:
            found[name] = found.get(name, 0) + factor
        kept = tuple(sorted((n, f) for n, f in found.items() if f))
        return Lin(self.const + other.const, kept)

    def times(self, factor: int) -> Lin:
        """Return this index multiplied by a constant."""
        if factor == 0:
            return Lin()
        return Lin(self.const * factor, tuple((n, f * factor) for n, f in self.terms))

    def span(self, spans: Spans) -> tuple[int, int]:
        """Return the least and the greatest value it takes; raises KeyError for an unknown variable."""
        low = high = self.const
        for name, factor in self.terms:
            ends = [factor * end for end in spans[name]]
            low, high = low + min(ends), high + max(ends)
        return low, high


def variable(name: str) -> Lin:
    """Return the index that is one variable."""
    return Lin(0, ((name, 1),))


@dataclass(frozen=True, slots=True)
class Buf:
    """A run of elements in memory.

    `space` is state, params, in, out (fields of the structs in layout.py), table (constants of the
    program) or scratch (used within one firing); `dtype` is the type of its elements.
    """

    space: str
    name: str
    dtype: str
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class Lit:
    """A known number."""

    value: float | int
    dtype: str


@dataclass(frozen=True, slots=True, eq=False)
class Ref:
    """The value of a Let or a Var."""

    name: str
    dtype: str


@dataclass(frozen=True, slots=True, eq=False)
class At:
    """An affine index as an i32 value."""

    index: Lin

    @property
    def dtype(self) -> str:
        """Always i32."""
        return "i32"


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """One element of a buffer; a b1 byte that is not 0 reads as true."""

    buf: Buf
    index: Lin

    @property
    def dtype(self) -> str:
        """The type of the buffer's elements."""
        return self.buf.dtype


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """A spelling applied to scalars."""

    op: str
    args: tuple[Expr, ...]
    dtype: str
    attr: int = 0


Expr = Lit | Ref | At | Read | Op


@dataclass(frozen=True, slots=True, eq=False)
class Let:
    """Name a value once; it never changes within its block."""

    name: str
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Var:
    """Name a value that `Set` changes later."""

    name: str
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Set:
    """Change a Var."""

    name: str
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """Write one element of a buffer."""

    buf: Buf
    index: Lin
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class For:
    """Run a body for variable = 0..count-1; what the body names ends with each turn."""

    variable: str
    count: int
    body: tuple[Stmt, ...]


@dataclass(frozen=True, slots=True, eq=False)
class If:
    """Run a body where a truth holds; what the body names ends with it. Lanes run it where any of them asks.

    There is none in a loop. Nothing may tell whether it was run but what a `where` has chosen of it.
    """

    condition: Expr
    body: tuple[Stmt, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """Run a kernel: it reads all of some buffers and writes all of another, from element `start` on.

    There is none unless the target asked for kernels (see targets/kernels); `kernel` says which.
    """

    kernel: Any
    reads: tuple[Buf, ...]
    buf: Buf
    start: int


@dataclass(frozen=True, slots=True, eq=False)
class Note:
    """Words for whoever reads the emitted code."""

    text: str


Stmt = Let | Var | Set | Store | For | If | Call | Note


@dataclass(frozen=True, slots=True)
class Table:
    """Constants of a program that are read by a computed index; the same for all parameter values."""

    buf: Buf
    values: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """What one clock does when it fires.

    `bit` is its bit in `fired`; `scratch` says at which byte of the scratch memory each scratch
    buffer lies (buffers may share bytes when their lives do not meet); `outputs` names the fields of
    the output struct it fills.
    """

    clock: Clock
    bit: int
    body: tuple[Stmt, ...]
    scratch: Mapping[str, int]
    scratch_bytes: int
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lowered:
    """A program as loops: what every target but NumPy reads."""

    title: str
    layouts: Layouts
    stages: tuple[Stage, ...]
    tables: tuple[Table, ...]

    @property
    def scratch_bytes(self) -> int:
        """The most scratch memory a stage takes; stages do not run at once."""
        return max((s.scratch_bytes for s in self.stages), default=0)


def statements(body: tuple[Stmt, ...]) -> Iterator[Stmt]:
    """Yield every statement, a loop before what is in it."""
    for statement in body:
        yield statement
        if isinstance(statement, For | If):
            yield from statements(statement.body)


def parts(expr: Expr) -> Iterator[Expr]:
    """Yield an expression and all it is made of."""
    yield expr
    if isinstance(expr, Op):
        for arg in expr.args:
            yield from parts(arg)


def value_of(statement: Stmt) -> Expr | None:
    """Return the expression a statement computes, None for loops, kernels and notes."""
    if isinstance(statement, If):
        return statement.condition
    return None if isinstance(statement, For | Call | Note) else statement.value
