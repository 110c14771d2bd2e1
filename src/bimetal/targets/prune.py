"""Prune: statements that nothing depends on are left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bimetal.targets.loops import (
    At,
    Call,
    Expr,
    For,
    If,
    Let,
    Lin,
    Note,
    Read,
    Ref,
    Set,
    Stmt,
    Store,
    Var,
    parts,
    statements,
    value_of,
)


def prune(body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    """Return the statements that reach a state or an output, with the notes beside them."""
    needed: set[str] = set()
    while True:
        before = len(needed)
        _mark(body, needed)
        if len(needed) == before:
            return _kept(body, needed)


def tables_read(body: tuple[Stmt, ...]) -> set[str]:
    """Return the names of the tables that statements read."""
    values = [v for v in map(value_of, statements(body)) if v is not None]
    found = [p.buf for value in values for p in parts(value) if isinstance(p, Read)]
    return {buf.name for buf in found if buf.space == "table"}


def _mark(body: Iterable[Stmt], needed: set[str]) -> None:
    """Add the names and scratch buffers that needed statements use."""
    for statement in reversed(tuple(body)):
        if isinstance(statement, For):
            _mark(statement.body, needed)
        elif isinstance(statement, If):
            _mark(statement.body, needed)
            if _kept(statement.body, needed):
                needed.update(_uses(statement.condition))
        elif isinstance(statement, Call):
            if _is_needed(statement, needed):
                needed.update(f"scratch {buf.name}" for buf in statement.reads if buf.space == "scratch")
        elif not isinstance(statement, Note) and _is_needed(statement, needed):
            needed.update(_uses(statement.value))
            if isinstance(statement, Store):
                needed.update(name for name, _ in statement.index.terms)


def _is_needed(statement: Let | Var | Set | Store | Call, needed: set[str]) -> bool:
    if isinstance(statement, Store | Call):
        return statement.buf.space != "scratch" or f"scratch {statement.buf.name}" in needed
    return statement.name in needed


def _uses(expr: Expr) -> set[str]:
    found: set[str] = set()
    for part in parts(expr):
        if isinstance(part, Ref):
            found.add(part.name)
        elif isinstance(part, At):
            found |= _variables(part.index)
        elif isinstance(part, Read):
            found |= _variables(part.index)
            if part.buf.space == "scratch":
                found.add(f"scratch {part.buf.name}")
    return found


def _variables(index: Lin) -> set[str]:
    return {name for name, _ in index.terms}


def _kept(body: Iterable[Stmt], needed: set[str]) -> tuple[Stmt, ...]:
    found: list[Stmt] = []
    for statement in body:
        if isinstance(statement, For | If):
            inner = _kept(statement.body, needed)
            if any(not isinstance(s, Note) for s in inner):
                found.append(replace(statement, body=inner))
        elif isinstance(statement, Note):
            if found and isinstance(found[-1], Note):
                found.pop()
            found.append(statement)
        elif _is_needed(statement, needed):
            found.append(statement)
    while found and isinstance(found[-1], Note):
        found.pop()
    return tuple(found)
