"""Rename: statements with other names for values and loop variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bimetal.targets.loops import At, Expr, For, If, Let, Lin, Op, Read, Ref, Set, Stmt, Store, Var, variable


def renamed(body: Iterable[Stmt], names: Mapping[str, str]) -> tuple[Stmt, ...]:
    """Return statements that use, and give, values by other names; names that are not told stay."""
    return tuple(_statement(s, names) for s in body) if names else tuple(body)


def _statement(statement: Stmt, names: Mapping[str, str]) -> Stmt:
    match statement:
        case For(variable=name, count=count, body=body):
            return For(names.get(name, name), count, renamed(body, names))
        case If(condition=condition, body=body):
            return If(_expr(condition, names), renamed(body, names))
        case Let(name=name, value=value):
            return Let(names.get(name, name), _expr(value, names))
        case Var(name=name, value=value):
            return Var(names.get(name, name), _expr(value, names))
        case Set(name=name, value=value):
            return Set(names.get(name, name), _expr(value, names))
        case Store(buf=buf, index=index, value=value):
            return Store(buf, _index(index, names), _expr(value, names))
        case _:
            return statement


def _expr(expr: Expr, names: Mapping[str, str]) -> Expr:
    match expr:
        case Ref(name=name, dtype=dtype):
            return Ref(names.get(name, name), dtype)
        case At(index=index):
            return At(_index(index, names))
        case Read(buf=buf, index=index):
            return Read(buf, _index(index, names))
        case Op(op=op, args=args, dtype=dtype, attr=attr):
            return Op(op, tuple(_expr(a, names) for a in args), dtype, attr)
        case _:
            return expr


def _index(index: Lin, names: Mapping[str, str]) -> Lin:
    total = Lin(index.const)
    for name, factor in index.terms:
        total = total + variable(names.get(name, name)).times(factor)
    return total
