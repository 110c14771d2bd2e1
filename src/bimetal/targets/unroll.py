"""Unroll: loops that take several turns at once, so that a machine is not kept waiting for one sum.

Two ways, both with every bit as before. Turns of a loop without loops in it are written one after the
other. Where a loop holds sums, turns run side by side: their sums, which do not need each other, share
one inner loop and what it loads (unroll-and-jam: Allen and Cocke, "A catalogue of optimizing
transformations", 1972). No sum changes its order; a loop whose turns might need each other stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from bimetal.targets.effect import apart, spans_in
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
    Stmt,
    Store,
    Var,
    parts,
    statements,
    value_of,
    variable,
)

TURNS = 4
"""How many turns are taken at once."""
INNER = 2
"""How many terms of sums that run side by side are added at once."""
LONGEST = 12
"""A loop without a sum and with more statements gains nothing."""


def unrolled(body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    """Return statements that do the same, several turns of the inmost loops at once."""
    return tuple(_Unroller().body(body))


@dataclass(slots=True)
class _Unroller:
    copies: int = 0

    def body(self, body: Iterable[Stmt]) -> list[Stmt]:
        """Unroll every loop of a body."""
        found: list[Stmt] = []
        for statement in body:
            if isinstance(statement, If):
                found.append(If(statement.condition, tuple(self.body(statement.body))))
            else:
                found += self._loop(statement) if isinstance(statement, For) else [statement]
        return found

    def _loop(self, loop: For) -> list[Stmt]:
        inner = [s for s in loop.body if isinstance(s, For)]
        if not inner:
            gains = len(loop.body) <= LONGEST or any(isinstance(s, Set) for s in loop.body)
            return self._turns(loop, side_by_side=False) if gains else [loop]
        flat = not any(isinstance(s, For) for x in inner for s in x.body)
        if flat and any(isinstance(s, Set) for x in inner for s in x.body) and _independent(loop):
            return self._turns(loop, side_by_side=True)
        return [For(loop.variable, loop.count, tuple(self.body(loop.body)))]

    def _turns(self, loop: For, *, side_by_side: bool, turns: int = TURNS) -> list[Stmt]:
        """Write several turns at once in a loop, and after it what is left of them."""
        rounds, left = divmod(loop.count, turns)
        if rounds < 2:
            return self._written(loop, [Lin(k) for k in range(loop.count)], side_by_side)
        at = variable(loop.variable).times(turns)
        many = self._written(loop, [at + k for k in range(turns)], side_by_side)
        rest = [Lin(rounds * turns + k) for k in range(left)]
        return [For(loop.variable, rounds, tuple(many)), *self._written(loop, rest, side_by_side)]

    def _written(self, loop: For, turns: Sequence[Lin], side_by_side: bool) -> list[Stmt]:
        """Write the turns of a loop at these values of its variable."""
        shared = _shared(loop) if side_by_side else frozenset[str]()
        copies: list[tuple[Stmt, ...]] = []
        for k, turn in enumerate(turns):
            self.copies += 1
            copy = _Copy({loop.variable: turn}, f"x{self.copies}", shared if k else frozenset[str](), shared)
            copies.append(tuple(copy.body(loop.body)))
        if not side_by_side:
            return list(chain.from_iterable(copies))
        found: list[Stmt] = []
        for part in _side_by_side(copies):
            found += self._turns(part, side_by_side=False, turns=INNER) if isinstance(part, For) else [part]
        return found


@dataclass(slots=True)
class _Copy:
    """One turn written out: its variable has a value, what it names has names of its own."""

    turns: Mapping[str, Lin]
    suffix: str
    left_out: frozenset[str]
    kept: frozenset[str]
    renamed: dict[str, str] = field(default_factory=dict[str, str])

    def body(self, body: Iterable[Stmt]) -> Iterator[Stmt]:
        """Yield the statements of the turn; None of those that another turn has written for all."""
        for statement in body:
            match statement:
                case For(variable=name, count=count, body=inner):
                    yield For(name, count, tuple(self.body(inner)))
                case If(condition=condition, body=inner):
                    yield If(self._expr(condition), tuple(self.body(inner)))
                case Call() | Note():
                    yield statement
                case Store(buf=buf, index=index, value=value):
                    yield Store(buf, self._index(index), self._expr(value))
                case Set(name=name, value=value):
                    yield Set(self.renamed.get(name, name), self._expr(value))
                case Let(name=name) | Var(name=name):
                    yield self._named(statement)

    def _named(self, statement: Let | Var) -> Stmt:
        name = statement.name
        if name in self.left_out:
            return Note("")
        value = self._expr(statement.value)
        if name not in self.kept:
            self.renamed[name] = f"{name}{self.suffix}"
            name = self.renamed[name]
        return Let(name, value) if isinstance(statement, Let) else Var(name, value)

    def _expr(self, expr: Expr) -> Expr:
        match expr:
            case Lit():
                return expr
            case Ref(name=name, dtype=dtype):
                return Ref(self.renamed.get(name, name), dtype)
            case At(index=index):
                index = self._index(index)
                return At(index) if index.terms else Lit(index.const, "i32")
            case Read(buf=buf, index=index):
                return Read(buf, self._index(index))
            case Op():
                return replace(expr, args=tuple(self._expr(a) for a in expr.args))

    def _index(self, index: Lin) -> Lin:
        total = Lin(index.const)
        for name, factor in index.terms:
            term = self.turns.get(name) or variable(self.renamed.get(name, name))
            total = total + term.times(factor)
        return total


def _side_by_side(copies: Sequence[tuple[Stmt, ...]]) -> list[Stmt]:
    """Interleave the statements of several turns; their inner loops become one."""
    found: list[Stmt] = []
    for group in zip(*copies, strict=True):
        first = group[0]
        if isinstance(first, For):
            inner = [s.body for s in group if isinstance(s, For)]
            found.append(For(first.variable, first.count, tuple(_side_by_side(inner))))
        elif isinstance(first, Note):
            found.append(first)
        else:
            found += [s for s in group if not isinstance(s, Note)]
    return found


def _shared(loop: For) -> frozenset[str]:
    """Return the names that have the same value in every turn of a loop."""
    found: set[str] = set()
    own = {s.name for s in statements(loop.body) if isinstance(s, Let | Var)}
    stored = {_place(s.buf) for s in statements(loop.body) if isinstance(s, Store)}
    for statement in statements(loop.body):
        if isinstance(statement, Let):
            used = list(parts(statement.value))
            names = {n for part in used for n in _names(part)}
            places = {_place(part.buf) for part in used if isinstance(part, Read)}
            if loop.variable not in names and names & own <= found and places.isdisjoint(stored):
                found.add(statement.name)
    return frozenset(found)


def _names(expr: Expr) -> set[str]:
    if isinstance(expr, Ref):
        return {expr.name}
    return {name for name, _ in expr.index.terms} if isinstance(expr, At | Read) else set()


def _place(buf: Buf) -> tuple[str, str]:
    return buf.space, buf.name


def _independent(loop: For) -> bool:
    """Say whether the turns of a loop can be interleaved: none changes what another one reads.

    Scratch memory that is used anew by every turn is taken for a hindrance, as is a computed index.
    """
    own = {s.name for s in statements(loop.body) if isinstance(s, Let | Var)}
    if any(isinstance(s, Set) and s.name not in own for s in statements(loop.body)):
        return False
    spans = spans_in(loop.body)
    stores: dict[tuple[str, str], list[Lin]] = {}
    reads: dict[tuple[str, str], list[Lin]] = {}
    for statement in statements(loop.body):
        if isinstance(statement, Store):
            stores.setdefault(_place(statement.buf), []).append(statement.index)
        value = value_of(statement)
        for part in parts(value) if value is not None else ():
            if isinstance(part, Read):
                reads.setdefault(_place(part.buf), []).append(part.index)
    return all(
        apart(loop.variable, [*written, *reads.get(place, [])], spans, own, read=bool(reads.get(place)))
        for place, written in stores.items()
    )
